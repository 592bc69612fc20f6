"""The MIT annotation format, both ways, without any library: a light device reads beats with nothing installed.

Source: WFDB Applications Guide, annot(5). A file is 16-bit little-endian words. The high six bits of a word are a
code, the low ten a number: codes up to 49 are an annotation that many samples after the one before; SKIP is followed
by a 32-bit interval, high word first; NUM, SUB, CHN and AUX belong to the annotation before them; 0 ends the file.
"""

from __future__ import annotations

import contextlib
import math
import os
import re
import tempfile
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sensors.errors import FileFormatError

_SKIP, _NUM, _SUB, _CHN, _AUX = 59, 60, 61, 62, 63
_NOTE = 22
_NOTHING_READ = 0x30
_CODES: dict[int, str] = {
    **dict(enumerate("NLRaVFJASEj/Q~", start=1)),
    **{16: "|", 18: "s", 19: "T", 20: "*", 21: "D", 22: '"', 23: "=", 24: "p", 25: "B", 26: "^", 27: "t", 28: "+"},
    **dict(enumerate("u?![]en@xf()r", start=29)),
}
_BY_SYMBOL = {symbol: code for code, symbol in _CODES.items()}
_TIME_RESOLUTION = re.compile(r"## time resolution: *([0-9.eE+-]+)")
_DEFINITION = re.compile(r"^(\d+) (\S+)")
_LONGEST_AUX = 255
_MOST_BYTES = 256 << 20

BEAT_SYMBOLS = frozenset("NLRBAaJSVrFejnE/fQ?")
"""Annotations that stand for a heartbeat (EC57 counts these; a flutter wave `!` is none)."""


@dataclass(frozen=True, slots=True, repr=False)
class AnnotatedBeat:
    """A beat read from a file: sample number, time and WFDB symbol."""

    sample: int
    t_ns: int
    symbol: str

    def __repr__(self) -> str:
        return "<AnnotatedBeat>"


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class AnnotationFile:
    """All annotations of one file, in its order. `samples` is int64, shape (n,); `aux` is "" where there is none, and
    `subtypes` 0."""

    fs_hz: float | None
    samples: NDArray[np.int64]
    symbols: list[str]
    aux: list[str]
    subtypes: list[int]

    def __repr__(self) -> str:
        return f"<AnnotationFile n={len(self.samples)}>"

    def beats(self) -> NDArray[np.int64]:
        """Sample numbers of the beats alone, in order of time."""
        return self.labelled_beats()[0]

    def labelled_beats(self) -> tuple[NDArray[np.int64], list[str]]:
        """Sample numbers of the beats alone, in order of time, with the symbol of each."""
        keep = np.fromiter((s in BEAT_SYMBOLS for s in self.symbols), dtype=bool, count=len(self.symbols))
        at = np.flatnonzero(keep)
        at = at[np.argsort(self.samples[at], kind="stable")]
        return self.samples[at], [self.symbols[i] for i in at.tolist()]

    def unreadable(self, end_sample: int | None = None) -> list[tuple[int, int]]:
        """[start, end], both inside, in which the file says that no signal can be read, in order of time.

        A `~` whose subtype has bits 4 and 5 set begins such a time, the next `~` ends it (WFDB Applications Guide,
        annot(5)); one left open lasts to `end_sample`, or to the last annotation.
        """
        last = end_sample if end_sample is not None else int(self.samples.max(initial=0))
        found: list[tuple[int, int]] = []
        opened: int | None = None
        for i in np.argsort(self.samples, kind="stable").tolist():
            if self.symbols[i] != "~":
                continue
            if opened is not None:
                found.append((opened, int(self.samples[i])))
            opened = int(self.samples[i]) if self.subtypes[i] & _NOTHING_READ == _NOTHING_READ else None
        return found if opened is None else [*found, (opened, last)]


def read_annotations(path: Path) -> AnnotationFile:
    """Reads a whole annotation file (24 h of beats are some 250 kB). Raises FileFormatError for anything else."""
    name = path.name
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise FileFormatError(f"{name}: {path.stat().st_size} bytes, an annotation file has at most {_MOST_BYTES}")
        data = path.read_bytes()
    except OSError as error:
        raise FileFormatError(f"{name}: cannot be read ({error.strerror})") from error
    if not data:
        raise FileFormatError(f"{name}: empty file, an annotation file has at least its end mark (2 bytes)")
    try:
        return _decode(data)
    except FileFormatError as error:
        raise FileFormatError(f"{name}: {error}") from None


def _decode(data: bytes) -> AnnotationFile:
    words: list[int] = np.frombuffer(data, dtype="<u2", count=len(data) // 2).tolist()
    total = len(words)
    at, now = 0, 0
    times: list[int] = []
    codes: list[int] = []
    aux: dict[int, str] = {}
    subtypes: dict[int, int] = {}
    while True:
        if at >= total:
            raise FileFormatError(f"no end mark after {len(data)} bytes: truncated, or not an annotation file")
        word = words[at]
        if word == 0:
            break
        code, low = word >> 10, word & 0x3FF
        at += 1
        if code < 50:
            now += low
            times.append(now)
            codes.append(code)
        elif code == _SKIP:
            if at + 2 > total:
                raise FileFormatError(f"SKIP at byte {2 * at - 2} has {2 * (total - at)} bytes of interval, expected 4")
            interval = words[at] << 16 | words[at + 1]
            now += interval - (1 << 32) if interval >= 1 << 31 else interval
            at += 2
        elif code == _AUX:
            n = low & 0xFF
            text = data[2 * at : 2 * at + n]
            if len(text) < n:
                raise FileFormatError(f"text at byte {2 * at} has {len(text)} bytes, expected {n}")
            if times:
                aux[len(times) - 1] = text.rstrip(b"\0").decode("utf-8", "replace")
            at += (n + 1) // 2
        elif code == _SUB:
            if times:
                subtypes[len(times) - 1] = low & 0xFF
        elif code not in (_NUM, _CHN):
            raise FileFormatError(f"code {code} at byte {2 * at - 2}, an annotation file has none from 50 to 58")
    if times and min(times) < 0:
        raise FileFormatError(f"an annotation at sample {min(times)}, expected 0 or later")
    return _interpret(times, codes, aux, subtypes)


def _interpret(times: list[int], codes: list[int], aux: dict[int, str], subtypes: dict[int, int]) -> AnnotationFile:
    """Takes out what speaks of the file itself: the rate, definitions of further codes, and what is no annotation."""
    fs_hz: float | None = None
    table = dict(_CODES)
    drop = {i for i, code in enumerate(codes) if code == 0}
    for i, text in aux.items():
        if times[i] != 0 or codes[i] != _NOTE:
            continue
        if match := _TIME_RESOLUTION.match(text):
            with contextlib.suppress(ValueError):
                fs_hz = float(match[1])
            if fs_hz is not None and not (math.isfinite(fs_hz) and fs_hz > 0):
                raise FileFormatError(f"time resolution {match[1]}, expected a rate above 0")
            drop.add(i)
        elif text.startswith("## "):
            drop.add(i)
        elif definition := _DEFINITION.match(text):
            table[int(definition[1])] = definition[2]
            drop.add(i)
    keep = [i for i in range(len(times)) if i not in drop]
    return AnnotationFile(
        fs_hz,
        np.array([times[i] for i in keep], dtype=np.int64),
        [table.get(codes[i], f"[{codes[i]}]") for i in keep],
        [aux.get(i, "") for i in keep],
        [subtypes.get(i, 0) for i in keep],
    )


def write_annotations(
    folder: Path,
    record: str,
    fs_hz: float | None,
    samples: Sequence[int] | NDArray[np.int64],
    symbols: Sequence[str],
    *,
    aux: Sequence[str] | None = None,
    extension: str = "vk",
) -> Path:
    """Writes `folder/record.extension` and returns its path; an earlier file is replaced whole or not at all.

    Samples must not fall and must be 0 or more. A file without annotations is valid and readable. Raises OSError as
    the system gives it, ValueError for arguments that no annotation file can hold.
    """
    if not record or record != Path(record).name:
        raise ValueError(f"record {record!r} is not a plain file name")
    data = encode_annotations(fs_hz, samples, symbols, aux)
    target = folder / f"{record}.{extension}"
    handle, temporary = tempfile.mkstemp(prefix=f".{record}.", dir=folder)
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        umask = os.umask(0)
        os.umask(umask)
        Path(temporary).chmod(0o666 & ~umask)
        Path(temporary).replace(target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return target


def encode_annotations(
    fs_hz: float | None,
    samples: Sequence[int] | NDArray[np.int64],
    symbols: Sequence[str],
    aux: Sequence[str] | None = None,
) -> bytes:
    """The bytes of an annotation file; see `write_annotations`."""
    notes: Sequence[str] = aux if aux is not None else [""] * len(symbols)
    if not len(samples) == len(symbols) == len(notes):
        raise ValueError(f"{len(samples)} samples, {len(symbols)} symbols, {len(notes)} aux: expected as many each")
    out = bytearray()
    if fs_hz is not None:
        _put(out, 0, _NOTE, f"## time resolution: {fs_hz:.12g}")
    before = 0
    for sample, symbol, note in zip(samples, symbols, notes, strict=True):
        if sample < before:
            raise ValueError(f"sample {sample} comes after {before}, expected an order of time from 0")
        if symbol not in _BY_SYMBOL:
            raise ValueError(f"symbol {symbol!r} is none of {''.join(_BY_SYMBOL)}")
        _put(out, int(sample) - before, _BY_SYMBOL[symbol], note)
        before = int(sample)
    out += b"\0\0"
    return bytes(out)


def _put(out: bytearray, interval: int, code: int, note: str) -> None:
    if interval > 0x3FF:
        while interval > 0x7FFFFFFF:
            out += _word(_SKIP, 0) + b"\xff\x7f\xff\xff"
            interval -= 0x7FFFFFFF
        out += _word(_SKIP, 0) + (interval >> 16).to_bytes(2, "little") + (interval & 0xFFFF).to_bytes(2, "little")
        interval = 0
    out += _word(code, interval)
    if note:
        text = note.encode()
        if len(text) > _LONGEST_AUX:
            raise ValueError(f"aux text of {len(text)} bytes, at most {_LONGEST_AUX}")
        out += _word(_AUX, len(text)) + text + b"\0" * (len(text) % 2)


def _word(code: int, low: int) -> bytes:
    return (code << 10 | low).to_bytes(2, "little")


def header_rate(header: Path) -> tuple[float, int | None] | None:
    """(rate in Hz, samples or None) of the record line of a WFDB header, header(5); None if it cannot be read so."""
    try:
        with header.open(encoding="ascii", errors="replace") as lines:
            line = next((text for text in lines if text.strip() and not text.lstrip().startswith("#")), "")
        fields = line.split()
        fs_hz = float(re.split(r"[/(]", fields[2])[0]) if len(fields) > 2 else 250.0
        samples = int(fields[3]) if len(fields) > 3 else 0
    except (OSError, ValueError, IndexError):
        return None
    if not (math.isfinite(fs_hz) and fs_hz > 0):
        return None
    return fs_hz, samples if samples > 0 else None


class AnnotationSource:
    """Beats read from an annotation file alone; a FileSource whose items are AnnotatedBeat."""

    def __init__(self, path: Path, fs_hz: float | None = None) -> None:
        """`fs_hz` is what the user says; the file's own rate and that of the header beside it come first."""
        self._file = read_annotations(path)
        header = header_rate(path.with_suffix(".hea"))
        rate = self._file.fs_hz or (header[0] if header else None) or fs_hz
        if rate is None:
            raise FileFormatError(f"{path.name}: neither it nor a header tells the sampling rate; give it with --fs")
        self.name = path.stem
        self.fs_hz: float | None = rate
        self.channels: tuple[()] = ()
        self.started_ns = 0
        self.notes: list[str] = []
        self._rate_hz = rate
        self._beats = self._file.beats()
        end = header[1] if header and header[1] is not None and header[0] == rate else None
        if end is None and len(self._file.samples):
            end = int(self._file.samples.max())
        self.duration_s: float | None = end / rate if end is not None else None
        if len(self._file.samples) and not len(self._beats):
            raise FileFormatError(f"{path.name}: {len(self._file.samples)} annotations, none of them a beat")
        if not len(self._file.samples):
            self.notes.append("the annotation file holds no beat")

    def items(self, channels: Collection[str] | None = None, block_s: float = 60.0) -> Iterator[AnnotatedBeat]:
        """The beats in order of time, each at `sample / fs_hz`."""
        if channels:
            raise FileFormatError(f"{self.name}: no channel {next(iter(channels))!r}; an annotation file has beats")
        order = np.argsort(self._file.samples, kind="stable")
        for i in order.tolist():
            symbol = self._file.symbols[i]
            if symbol in BEAT_SYMBOLS:
                sample = int(self._file.samples[i])
                yield AnnotatedBeat(sample, round(sample * 1e9 / self._rate_hz), symbol)
