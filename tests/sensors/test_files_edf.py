"""EDF and EDF+: the library's own values in blocks, holes of EDF+D as gaps, one line for what is wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from sensors.errors import FileFormatError
from sensors.files.edf import EdfSource
from sensors.files.open import open_source
from sensors.files.source import FileItem
from sensors.samples import Gap, GapReason, Kind, Samples

edfio = pytest.importorskip("edfio")


def joined(items: list[FileItem], channel: str) -> NDArray[np.float64]:
    return np.concatenate([i.values for i in items if isinstance(i, Samples) and i.channel == channel])


def write_edf(folder: Path, seconds: int = 30) -> Path:
    rng = np.random.default_rng(2)
    path = folder / "night.edf"
    edfio.Edf(
        [
            edfio.EdfSignal(rng.normal(0, 40, 128 * seconds), 128, label="EEG Fpz-Cz", physical_dimension="uV"),
            edfio.EdfSignal(rng.normal(0, 800, 256 * seconds), 256, label="ECG II", physical_dimension="uV"),
            edfio.EdfSignal(rng.normal(0, 1, 64 * seconds), 64, label="Pleth", physical_dimension=""),
        ],
        data_record_duration=1,
    ).write(path)
    return path


def discontinuous(folder: Path, onsets: list[str]) -> Path:
    """An EDF+D file of 1 s records with 100 samples of ECG, record k full of the value k."""

    def field(value: object, width: int) -> bytes:
        return str(value).ljust(width).encode()

    labels: list[object] = ["ECG", "EDF Annotations"]
    per: list[object] = [100, 10]
    header = field(0, 8) + field("X X X X", 80) + field("Startdate X X X X", 80) + b"01.01.0100.00.00"
    header += field(256 * 3, 8) + field("EDF+D", 44) + field(len(onsets), 8) + field(1, 8) + field(2, 4)
    columns: list[list[object]] = [
        labels,
        ["", ""],
        ["mV", ""],
        ["-100", "-1"],
        ["100", "1"],
        ["-100", "-32768"],
        ["100", "32767"],
        ["", ""],
        per,
        ["", ""],
    ]
    widths = [16, 80, 8, 8, 8, 8, 8, 80, 8, 32]
    for column, width in zip(columns, widths, strict=True):
        header += b"".join(field(value, width) for value in column)
    data = b""
    for k, onset in enumerate(onsets):
        data += np.full(100, k, dtype="<i2").tobytes() + f"{onset}\x14\x14".encode().ljust(20, b"\0")
    path = folder / "parts.edf"
    path.write_bytes(header + data)
    return path


@pytest.mark.parametrize("block_s", [0.5, 7.0, 1e5])
def test_blocks_of_any_length_join_to_what_the_library_reads_at_once(tmp_path: Path, block_s: float) -> None:
    path = write_edf(tmp_path)
    truth = edfio.read_edf(path)
    items = list(EdfSource(path).items(block_s=block_s))
    assert np.allclose(joined(items, "ECG II"), truth.get_signal("ECG II").data / 1000, rtol=1e-12)
    assert np.array_equal(joined(items, "Pleth"), truth.get_signal("Pleth").data)


def test_channels_are_known_by_label_and_an_eeg_is_never_taken_for_an_ecg(tmp_path: Path) -> None:
    source = open_source(write_edf(tmp_path))
    assert [(c.name, c.kind, c.fs_hz) for c in source.channels] == [
        ("EEG Fpz-Cz", None, 128.0),
        ("ECG II", Kind.ECG, 256.0),
        ("Pleth", Kind.PPG, 64.0),
    ]
    assert source.duration_s == 30.0
    assert source.fs_hz == 256.0


def test_samples_keep_their_time_whatever_the_blocks(tmp_path: Path) -> None:
    blocks = [i for i in EdfSource(write_edf(tmp_path)).items(["ECG II"], block_s=4) if isinstance(i, Samples)]
    assert {b.anchor_ns for b in blocks} == {0}
    assert blocks[-1].end_ns == 30_000_000_000


def test_a_hole_between_records_is_a_gap_and_later_records_keep_their_time(tmp_path: Path) -> None:
    source = open_source(discontinuous(tmp_path, ["+0", "+1", "+5.5", "+6.5"]))
    for block_s in (1.0, 3.0, 60.0):
        items = list(source.items(block_s=block_s))
        assert [i for i in items if isinstance(i, Gap)] == [Gap("ECG", 2 * 10**9, 55 * 10**8, GapReason.MISSING)]
        times = {i.values[0]: i.start_ns for i in items if isinstance(i, Samples)}
        assert times[0.0] == 0
        assert times[2.0] == 5_500_000_000
        assert joined(items, "ECG").tolist() == [k for k in range(4) for _ in range(100)]


def test_a_first_record_that_starts_late_is_still_the_origin(tmp_path: Path) -> None:
    items = list(open_source(discontinuous(tmp_path, ["+0.25", "+1.25"])).items())
    assert [type(i) for i in items] == [Samples]


def test_records_that_go_back_in_time_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match=r"data record 3 at 1 s, expected 2 s or later"):
        list(open_source(discontinuous(tmp_path, ["+0", "+1", "+1"])).items())


def test_a_truncated_file_is_read_to_its_last_whole_record(tmp_path: Path) -> None:
    path = write_edf(tmp_path)
    whole = path.read_bytes()
    record = 2 * (128 + 256 + 64)
    path.write_bytes(whole[: len(whole) - 10 * record - 7])
    source = EdfSource(path)
    items = list(source.items(["ECG II"]))
    assert source.notes == ["truncated: 19 of 30 data records"]
    assert len(joined(items, "ECG II")) == 19 * 256
    assert items[-1] == Gap("ECG II", 19 * 10**9, 30 * 10**9, GapReason.TRUNCATED)


@pytest.mark.parametrize(
    ("start", "stop", "text", "said"),
    [
        (236, 244, "x", "number of data records is 'x'"),
        (244, 252, "0", "data records of 0 s"),
        (252, 256, "0", "number of signals is '0'"),
        (252, 256, "99", "a number of at least 1 is expected"),
        (0, 8, "1", "night.edf"),
        (256 + 3 * 216, 256 + 3 * 216 + 8, "-4", "samples per record is '-4'"),
        (256 + 3 * 104 + 8, 256 + 3 * 104 + 16, "0", "night.edf"),
    ],
)
def test_a_wrong_header_is_one_clear_line(tmp_path: Path, start: int, stop: int, text: str, said: str) -> None:
    path = write_edf(tmp_path)
    raw = bytearray(path.read_bytes())
    raw[start:stop] = text.ljust(stop - start).encode()
    path.write_bytes(raw)
    if said == "night.edf" and start > 8:
        list(EdfSource(path).items())  # a range that still has two ends is no fault
        return
    with pytest.raises(FileFormatError, match=r"^night\.edf: ") as caught:
        list(open_source(path).items())
    assert said in str(caught.value)


def test_a_used_signal_without_a_range_is_refused(tmp_path: Path) -> None:
    path = write_edf(tmp_path)
    raw = bytearray(path.read_bytes())
    ends = 256 + 3 * (16 + 80 + 8) + 8  # physical minimum of the second signal; the maxima follow the minima
    raw[ends : ends + 8] = raw[ends + 24 : ends + 32] = b"5       "
    path.write_bytes(raw)
    with pytest.raises(FileFormatError, match="ECG II has no range"):
        EdfSource(path)
