"""WFDB records: the library's own values in blocks, and one clear line for whatever is wrong with one."""

from __future__ import annotations

import builtins
import itertools
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from sensors.errors import FileFormatError, MissingExtraError
from sensors.files.open import open_source
from sensors.files.source import FileItem
from sensors.files.wfdb import WfdbSource
from sensors.samples import Gap, GapReason, Kind, Samples
from tests.data import shared_data

wfdb = pytest.importorskip("wfdb")


def joined(items: Sequence[Any], channel: str) -> NDArray[np.float64]:
    return np.concatenate([i.values for i in items if isinstance(i, Samples) and i.channel == channel])


def write_record(folder: Path, n: int = 1000, *, unit: str = "mV", names: tuple[str, ...] = ("MLII", "V1")) -> Path:
    lines = [f"rec {len(names)} 100 {n}", *(f"rec.dat 16 200/{unit} 16 0 0 0 0 {name}" for name in names)]
    (folder / "rec.hea").write_text("\n".join(lines) + "\n")
    np.random.default_rng(3).integers(-500, 500, (n, len(names))).astype("<i2").tofile(folder / "rec.dat")
    return folder / "rec"


def at_once(record: Path, **options: Any) -> Any:
    """The record as the library reads it whole; it uses what pandas warns of."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return wfdb.rdrecord(str(record), **options)


def channels_of(items: Iterable[FileItem]) -> set[str]:
    return {i.channel for i in items if isinstance(i, Samples)}


@pytest.mark.parametrize("block_s", [7.3, 60.0, 1e6])
def test_blocks_of_any_length_join_to_what_the_library_reads_at_once(block_s: float) -> None:
    record = shared_data("mitdb", "114.hea").with_suffix("")
    items = list(WfdbSource(record).items(block_s=block_s))
    truth = at_once(record)
    for at, name in enumerate(truth.sig_name):
        assert np.array_equal(joined(items, name), truth.p_signal[:, at])


def test_every_sample_keeps_its_time_whatever_the_blocks(tmp_path: Path) -> None:
    source = WfdbSource(write_record(tmp_path))
    blocks = [i for i in source.items(["V1"], block_s=0.37) if isinstance(i, Samples)]
    assert blocks[0].start_ns == 0
    assert blocks[-1].end_ns == 10_000_000_000
    assert all(a.end_ns == b.start_ns for a, b in itertools.pairwise(blocks))
    assert {b.anchor_ns for b in blocks} == {0}


def test_the_channels_wanted_and_no_other_come(tmp_path: Path) -> None:
    source = WfdbSource(write_record(tmp_path))
    assert channels_of(source.items(["V1"])) == {"V1"}
    with pytest.raises(FileFormatError, match="no channel 'V9'; the record has MLII, V1"):
        list(source.items(["V9"]))


def test_microvolts_become_millivolts(tmp_path: Path) -> None:
    record = write_record(tmp_path, unit="uV")
    values = joined(list(WfdbSource(record).items()), "V1")
    assert np.allclose(values, at_once(record).p_signal[:, 1] / 1000)


def test_a_channel_is_known_by_its_name_then_by_its_unit(tmp_path: Path) -> None:
    source = WfdbSource(write_record(tmp_path, names=("II", "PLETH", "RESP", "ABP")))
    assert [c.kind for c in source.channels] == [Kind.ECG, Kind.PPG, Kind.RESP, None]
    assert channels_of(source.items()) == {"II", "PLETH", "RESP"}
    unnamed = WfdbSource(write_record(tmp_path, names=("x1", "EEG")))
    assert [c.kind for c in unnamed.channels] == [Kind.ECG, None]


def test_invalid_samples_are_a_gap_and_the_rest_keeps_its_time(tmp_path: Path) -> None:
    record = write_record(tmp_path, 1000, names=("MLII",))
    raw = np.fromfile(record.with_suffix(".dat"), dtype="<i2")
    raw[300:350] = -32768
    raw.tofile(record.with_suffix(".dat"))
    items = list(WfdbSource(record).items())
    assert [type(i) for i in items] == [Samples, Gap, Samples]
    assert items[1] == Gap("MLII", 3_000_000_000, 3_500_000_000, GapReason.MISSING)
    assert isinstance(items[2], Samples)
    assert items[2].start_ns == 3_500_000_000


def test_a_truncated_signal_file_is_read_to_its_end_and_the_rest_is_a_gap(tmp_path: Path) -> None:
    record = write_record(tmp_path, 1000)
    data = record.with_suffix(".dat")
    data.write_bytes(data.read_bytes()[: 4 * 400 + 3])
    source = WfdbSource(record)
    items = list(source.items(["V1"]))
    assert source.notes == ["truncated: 400 of 1000 samples"]
    assert source.duration_s == 10.0
    assert len(joined(items, "V1")) == 400
    assert items[-1] == Gap("V1", 4_000_000_000, 10_000_000_000, GapReason.TRUNCATED)


def test_a_truncated_record_of_12_bit_pairs_is_read_to_its_end(tmp_path: Path) -> None:
    source_path = shared_data("mitdb", "101.hea")
    (tmp_path / "101.hea").write_text(source_path.read_text())
    (tmp_path / "101.dat").write_bytes(source_path.with_suffix(".dat").read_bytes()[: 3 * 36_000 + 1])
    source = WfdbSource(tmp_path / "101")
    assert source.notes == ["truncated: 36000 of 650000 samples"]
    truth = at_once(source_path.with_suffix(""), sampto=36_000).p_signal[:, 0]
    assert np.array_equal(joined(list(source.items(["MLII"])), "MLII"), truth)


def test_channels_of_several_rates_keep_theirs(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    data = rng.integers(-500, 500, 3 * 100).astype("<i2")
    (tmp_path / "rec.hea").write_text("rec 2 50 100\nrec.dat 16x2 200 16 0 0 0 0 ECG\nrec.dat 16 200 16 0 0 0 0 RESP\n")
    data.tofile(tmp_path / "rec.dat")
    source = WfdbSource(tmp_path / "rec")
    assert [c.fs_hz for c in source.channels] == [100.0, 50.0]
    items = list(source.items(block_s=0.5))
    frames = data.reshape(-1, 3) / 200
    assert np.allclose(joined(items, "ECG"), frames[:, :2].ravel())
    assert np.allclose(joined(items, "RESP"), frames[:, 2])
    assert {i.end_ns for i in items[-2:] if isinstance(i, Samples)} == {2_000_000_000}


def test_a_record_of_several_segments_is_read_through_its_holes(tmp_path: Path) -> None:
    for name, level in (("a", 100), ("b", 200)):
        (tmp_path / f"{name}.hea").write_text(f"{name} 1 100 50\n{name}.dat 16 200 16 0 0 0 0 MLII\n")
        np.full(50, level, dtype="<i2").tofile(tmp_path / f"{name}.dat")
    (tmp_path / "rec.hea").write_text("rec/3 1 100 130\na 50\n~ 30\nb 50\n")
    items = list(WfdbSource(tmp_path / "rec").items())
    assert joined(items, "MLII").tolist() == [0.5] * 50 + [1.0] * 50
    assert Gap("MLII", 500_000_000, 800_000_000, GapReason.MISSING) in items


def test_repeated_names_stay_apart(tmp_path: Path) -> None:
    text = "rec 2 100 10\nrec.dat 16 200 16 0 0 0 0 ECG\nrec.dat 16 200 16 0 0 0 0 ECG\n"
    (tmp_path / "rec.hea").write_text(text)
    np.zeros(20, dtype="<i2").tofile(tmp_path / "rec.dat")
    assert [c.name for c in WfdbSource(tmp_path / "rec").channels] == ["ECG", "ECG_2"]


HEADERS = {
    "": "empty file",
    "\0\1\2": "no text",
    "rec 1 0 1000\nrec.dat 16 200 16 0 0 0 0 MLII\n": "sampling rate above 0",
    "rec 1 -5 1000\nrec.dat 16 200 16 0 0 0 0 MLII\n": "sampling rate above 0",
    "rec 1 nan 1000\nrec.dat 16 200 16 0 0 0 0 MLII\n": "sampling rate above 0",
    "rec 0 100 0\n": "no signal",
    "rec 2 100 1000\nrec.dat 16 200 16 0 0 0 0 MLII\n": "2 signals, 1 lines",
    "rec 1 100 1000\nother.dat 16 200 16 0 0 0 0 MLII\n": "other.dat is missing",
    "rec 1 100 1000\n../rec.dat 16 200 16 0 0 0 0 MLII\n": "not a valid WFDB record",
    "rec 1 100 1000\n/etc/passwd 16 200 16 0 0 0 0 MLII\n": "not a valid WFDB record",
    "rec 1 100 1000\nhttps://example.org/rec.dat 16 200 16 0 0 0 0 MLII\n": "not a valid WFDB record",
    "rec 1 100 1000\nrec.dat 999 200 16 0 0 0 0 MLII\n": "rec",
    "rec 1 100 1000\nrec.dat 8 200 16 0 0 0 0 MLII\n": "signal format 8",
    "rec 1 100 1000\nrec.dat 16 200/mmHg 16 0 0 0 0 ABP\n": "no ECG, PPG, acceleration",
    "rec/2 1 100 100\n../x 50\n../y 50\n": "rec",
    "what is this?\nno header\n": "rec",
}


@pytest.mark.parametrize("header", list(HEADERS))
def test_a_wrong_header_is_one_clear_line(tmp_path: Path, header: str) -> None:
    (tmp_path / "rec.hea").write_text(header)
    np.zeros(1000, dtype="<i2").tofile(tmp_path / "rec.dat")
    with pytest.raises(FileFormatError, match=r"^rec") as caught:
        list(open_source(tmp_path / "rec").items())
    assert HEADERS[header] in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_empty_signal_file_says_what_the_header_promised(tmp_path: Path) -> None:
    record = write_record(tmp_path)
    record.with_suffix(".dat").write_bytes(b"")
    with pytest.raises(FileFormatError, match=r"rec\.dat: empty file, rec\.hea says 1000 samples"):
        WfdbSource(record)


def test_without_the_library_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = write_record(tmp_path)
    real_import = builtins.__import__

    def no_wfdb(name: str, *arguments: Any, **options: Any) -> Any:
        if name == "wfdb":
            raise ImportError(name)
        return real_import(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", no_wfdb)
    with pytest.raises(MissingExtraError, match=r"pip install 'vitalkeep\[files\]'"):
        WfdbSource(record)
