"""One door: each kind of file is recognised, and what is none is one clear line."""

from __future__ import annotations

import errno
import os
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sensors.errors import FileFormatError
from sensors.files.annotation import AnnotationSource, write_annotations
from sensors.files.csv import CsvSource
from sensors.files.open import open_source
from sensors.files.recorded import RecordedSource
from sensors.files.rr_text import RrTextSource
from sensors.samples import Gap, Kind, Samples
from tests.data import shared_data

RECORDINGS = Path(__file__).resolve().parents[2] / "fixtures" / "recordings"


@pytest.fixture
def record(tmp_path: Path) -> Path:
    (tmp_path / "rec.hea").write_text("rec 1 100 1000\nrec.dat 16 200 16 0 0 0 0 MLII\n")
    np.zeros(1000, dtype="<i2").tofile(tmp_path / "rec.dat")
    return tmp_path / "rec"


@pytest.mark.parametrize("suffix", ["", ".hea", ".dat"])
def test_a_wfdb_record_goes_by_its_name_or_either_file(record: Path, suffix: str) -> None:
    pytest.importorskip("wfdb")
    source = open_source(record.with_name(f"rec{suffix}"))
    assert (source.name, source.fs_hz) == ("rec", 100.0)


def test_an_annotation_file_is_one_even_beside_its_record(record: Path) -> None:
    write_annotations(record.parent, "rec", None, [10], ["N"], extension="atr")
    source = open_source(record.with_suffix(".atr"))
    assert isinstance(source, AnnotationSource)
    assert source.fs_hz == 100.0


def test_text_goes_by_its_first_line_whatever_its_name(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("t_s,ecg_mv\n0,1\n0.01,2\n")
    (tmp_path / "b").write_text("800\n810\n")
    assert isinstance(open_source(tmp_path / "a.txt"), CsvSource)
    assert isinstance(open_source(tmp_path / "b"), RrTextSource)


def test_a_recording_is_one_compressed_or_not() -> None:
    source = open_source(RECORDINGS / "chest_strap.jsonl.gz")
    assert isinstance(source, RecordedSource)
    assert source.name == "chest_strap"
    assert [(c.name, c.kind, c.unit) for c in source.channels] == [("ecg", Kind.ECG, "mV")]
    assert source.started_ns > 0
    rest = list(source.items([]))
    assert not any(isinstance(i, Samples) for i in rest)
    assert not any(isinstance(i, Gap) and i.channel == "ecg" for i in rest)


def test_a_real_log_of_h10_frames_is_a_recording() -> None:
    source = open_source(shared_data("polar_h10_pmd", "ecg_first_20_min.bin"))
    n = sum(len(i) for i in source.items(["ecg"]) if isinstance(i, Samples))
    assert n > 19 * 60 * 130


def test_a_recording_cut_in_the_middle_says_so(tmp_path: Path) -> None:
    path = tmp_path / "cut.jsonl"
    path.write_text(
        '{"format": "vitalkeep-recording", "version": 1, "device": {"name": "x"}, "started_ns": 5}\n[6, "2a'
    )
    source = open_source(path)
    list(source.items())
    assert len(source.notes) == 1
    assert "ends within line 2" in source.notes[0]


def hostile(folder: Path) -> dict[str, bytes]:
    rng = np.random.default_rng(9)
    junk = b"\0\1" + rng.bytes(3000)
    return {
        "empty.csv": b"",
        "empty.txt": b"",
        "empty.atr": b"",
        "empty.edf": b"",
        "empty.jsonl": b"",
        "empty": b"",
        "junk.csv": junk,
        "junk.txt": junk,
        "junk.edf": junk,
        "junk.hea": junk,
        "junk.dat": junk,
        "junk.jsonl": junk,
        "junk.bin": struct.pack("<H", 53 << 10) + junk,
        "prose.txt": b"Dear diary, my heart beats.\n",
        "prose.csv": b"Dear diary, my heart beats.\n",
        "short.edf": b"0       " + b" " * 50,
        "bdf.bdf": b"\xffBIOSEMI" + b" " * 400,
        "packed.csv.gz": b"\x1f\x8b\x08\0" + junk,
        "packed.jsonl.gz": b"\x1f\x8b\x08\0" + junk,
        "rec.jsonl": b'{"format": "vitalkeep-recording", "version": 99}\n',
    }


@pytest.mark.parametrize("name", sorted(hostile(Path())))
def test_what_is_no_file_of_ours_is_one_clear_line_with_its_name(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(hostile(tmp_path)[name])
    with pytest.raises(FileFormatError) as caught:
        list(open_source(path, 250.0).items())
    assert str(caught.value).startswith((name, path.stem))
    assert "\n" not in str(caught.value)


def test_a_directory_and_a_missing_file_say_what_they_are(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match="a directory, name a file or record in it"):
        open_source(tmp_path)
    with pytest.raises(FileFormatError, match=r"none: no such file, and no header none\.hea beside it"):
        open_source(tmp_path / "none")
    with pytest.raises(FileFormatError, match="cannot be read"):
        open_source(Path("bad\0name"))


@pytest.mark.parametrize("name", ["a.csv", "a.hea", "a.atr", "a.edf", "a.txt"])
def test_a_file_that_may_not_be_read_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    path = tmp_path / name
    path.write_text("t_s,ecg_mv\n0,1\n0.1,2\n")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(FileFormatError, match=r"cannot be read \(Permission denied\)"):
        open_source(path)


@pytest.mark.parametrize("fs_hz", [0.0, -1.0, float("nan"), float("inf")])
def test_a_rate_that_is_none_is_refused(tmp_path: Path, fs_hz: float) -> None:
    with pytest.raises(FileFormatError, match="expected one above 0"):
        open_source(tmp_path / "x.csv", fs_hz)


def test_the_libraries_of_the_extra_are_loaded_only_by_the_files_that_need_them(tmp_path: Path) -> None:
    write_annotations(tmp_path, "beats", 250, [1], ["N"])
    (tmp_path / "a.csv").write_text("t_s,ecg_mv\n0,1\n0.01,2\n")
    code = (
        "import sys; from pathlib import Path; from sensors.files.open import open_source\n"
        "for name in ('beats.vk', 'a.csv'): list(open_source(Path(sys.argv[1]) / name).items())\n"
        "print([m for m in ('wfdb', 'edfio', 'pandas', 'requests', 'aiohttp') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
