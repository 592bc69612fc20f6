"""One door for every file: recognises what a path holds by its content first, then by its name."""

from __future__ import annotations

import math
from pathlib import Path

from sensors.errors import FileFormatError
from sensors.files.annotation import AnnotationSource
from sensors.files.source import FileSource

_RECORD_SUFFIXES = {".hea", ".dat", ".mat"}
_RECORDING_STARTS = (b'{"format": "vitalkeep-recording"', b'{"format":"vitalkeep-recording"', b"H10 ECG")
_GZIP_MAGIC = b"\x1f\x8b"
_EDF_START = b"0       "
_BDF_START = b"\xffBIOSEMI"


def open_source(path: Path, fs_hz: float | None = None) -> FileSource:
    """Opens `path`, a file or a WFDB record name, for reading in blocks.

    `fs_hz` is used only where the file itself does not tell its rate. Raises FileFormatError for what no reader can
    read, MissingExtraError where the library for it is not installed.
    """
    if fs_hz is not None and not (math.isfinite(fs_hz) and fs_hz > 0):
        raise FileFormatError(f"a sampling rate of {fs_hz} Hz was given, expected one above 0")
    if not path.name:
        raise FileFormatError(f"{path}: a directory, name a file or record in it")
    if path.suffix not in _RECORD_SUFFIXES and not path.is_file() and _exists(path.with_name(f"{path.name}.hea")):
        return _wfdb(path)
    start = _start(path)
    if path.suffix in _RECORD_SUFFIXES and not start.startswith(_RECORDING_STARTS):
        record = path.with_suffix("")
        if not _exists(record.with_name(f"{record.name}.hea")):
            raise FileFormatError(f"{path.name}: its header {record.name}.hea is missing")
        return _wfdb(record)
    return _by_content(path, start, fs_hz)


def _by_content(path: Path, start: bytes, fs_hz: float | None) -> FileSource:
    suffix = path.suffix.lower()
    if not start:
        raise FileFormatError(f"{path.name}: empty file")
    if start.startswith(_RECORDING_STARTS) or (start.startswith(_GZIP_MAGIC) and path.name.endswith(".jsonl.gz")):
        from sensors.files.recorded import RecordedSource

        return RecordedSource(path)
    if start.startswith(_BDF_START):
        raise FileFormatError(f"{path.name}: BDF (24 bit), expected EDF or EDF+; convert it first")
    if start.startswith(_EDF_START) or suffix in {".edf", ".rec"}:
        from sensors.files.edf import EdfSource

        return EdfSource(path)
    if start.startswith(_GZIP_MAGIC):
        raise FileFormatError(f"{path.name}: compressed, only recordings (.jsonl.gz) are read so; unpack it first")
    if _is_text(start):
        from sensors.files.csv import CsvSource, names_channels
        from sensors.files.rr_text import RrTextSource

        return CsvSource(path, fs_hz) if suffix in {".csv", ".tsv"} or names_channels(start) else RrTextSource(path)
    if suffix in {".csv", ".tsv", ".txt", ".rr", ".jsonl"}:
        raise FileFormatError(f"{path.name}: binary data, text is expected in a {suffix} file")
    return AnnotationSource(path, fs_hz)


def _start(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(8192)
    except IsADirectoryError as error:
        raise FileFormatError(f"{path.name or path}: a directory, name a file or record in it") from error
    except FileNotFoundError as error:
        raise FileFormatError(f"{path.name}: no such file, and no header {path.name}.hea beside it") from error
    except (OSError, ValueError) as error:
        raise FileFormatError(f"{path.name!r}: cannot be read ({_why(error)})") from error


def _why(error: OSError | ValueError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _exists(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _is_text(start: bytes) -> bool:
    """UTF-8 (a character may be cut at the end) without control bytes but tab and line ends."""
    if any(b < 32 and b not in b"\t\r\n\f" for b in start):
        return False
    try:
        start.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start >= len(start) - 3
    return True


def _wfdb(record: Path) -> FileSource:
    from sensors.files.wfdb import WfdbSource

    return WfdbSource(record)
