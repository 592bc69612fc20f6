"""WFDB records, read in blocks through the library `wfdb`, which is imported here alone and only when one is read.

The library is never given a network location: a header that names a file outside its own folder is refused before the
library sees it, and its wide choice of exceptions becomes FileFormatError.
"""

from __future__ import annotations

import contextlib
import io
import math
import warnings
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from sensors.errors import FileFormatError, MissingExtraError
from sensors.files.annotation import header_rate
from sensors.files.source import (
    ChannelInfo,
    FileItem,
    finite_stretches,
    kinds_of,
    require_usable,
    to_millivolts,
    unique_names,
    wanted_channels,
)
from sensors.samples import Gap, GapReason, Kind

_T = TypeVar("_T")
# Bytes per sample of the formats of signal(5) whose length a file's size tells.
_BYTES = {"80": 1.0, "16": 2.0, "61": 2.0, "160": 2.0, "212": 1.5, "310": 4 / 3, "311": 4 / 3, "24": 3.0, "32": 4.0}
_COMPRESSED = {"508", "516", "524"}
_LARGEST_HEADER = 16 << 20
_READ_SAMPLES = 1 << 19  # at once, over all channels that are read


@dataclass(frozen=True, slots=True)
class _Segment:
    """A stretch of the record: frames that its header says, frames that are there, and the signals it has."""

    name: str
    said: int
    there: int
    names: tuple[str, ...]

    def place(self, record_names: list[str], i: int) -> int:
        """Where signal `i` of the record is in this segment; of signals with one name, the n-th is the n-th."""
        nth = record_names[:i].count(record_names[i])
        places = [k for k, name in enumerate(self.names) if name == record_names[i]]
        return places[min(nth, len(places) - 1)]


class WfdbSource:
    """One WFDB record, single- or multi-segment; each channel at its own rate."""

    def __init__(self, record: Path) -> None:
        """`record` is the path without suffix. Raises FileFormatError, MissingExtraError."""
        self.name = record.name
        self._record = record.absolute()
        self._library = _library()
        self.notes: list[str] = []
        self.started_ns = 0
        header = self._read_header(self.name)
        if header_rate(self._record.with_name(f"{self.name}.hea")) is None:
            raise FileFormatError(f"{self.name}.hea: its first line tells no sampling rate above 0 Hz, one is expected")
        self._rate_hz = float(header.fs)
        self.fs_hz: float | None = self._rate_hz
        signals = self._signals(header)
        if not signals:
            raise FileFormatError(f"{self.name}.hea: names no signal, at least one is needed")
        self._raw_names = [name for name, _, _ in signals]
        names = unique_names(name for name, _, _ in signals)
        kinds = kinds_of([(name, unit) for name, unit, _ in signals])
        self._frame = [per_frame for _, _, per_frame in signals]
        self.channels: tuple[ChannelInfo, ...] = tuple(
            ChannelInfo(name, kind, self._rate_hz * per_frame, unit)
            for name, kind, (_, unit, per_frame) in zip(names, kinds, signals, strict=True)
        )
        require_usable(self.name, self.channels)
        self._segments = self._placed(header)
        said = sum(segment.said for segment in self._segments)
        there = sum(segment.there for segment in self._segments if segment.names)
        if there == 0:
            raise FileFormatError(f"{self.name}: holds 0 samples, its header says {said}")
        self.duration_s: float | None = said / self._rate_hz

    def items(self, channels: Collection[str] | None = None, block_s: float = 60.0) -> Iterator[FileItem]:
        """Blocks of each channel in turn; NaN (the format's invalid sample) is a MISSING gap."""
        wanted = wanted_channels(self.name, self.channels, channels)
        step = max(1, round(block_s * self._rate_hz))
        at = 0
        for segment in self._segments:
            inside = [i for i in wanted if self._raw_names[i] in segment.names]
            for i in wanted:
                if i not in inside:
                    yield self._gap(i, at, at + segment.said, GapReason.MISSING)
            ahead = step * max(1, _READ_SAMPLES // (step * sum(self._frame[i] for i in inside) or 1))
            for first in range(0, segment.there if inside else 0, ahead):
                last = min(first + ahead, segment.there)
                read = self._read(segment, inside, first, last)
                for start in range(first, last, step):
                    yield from self._block(read, at, start - first, min(start + step, last) - first, first)
            if segment.there < segment.said:
                for i in inside:
                    yield self._gap(i, at + segment.there, at + segment.said, GapReason.TRUNCATED)
            at += segment.said

    def _read(
        self, segment: _Segment, wanted: list[int], start: int, stop: int
    ) -> list[tuple[int, NDArray[np.float64]]]:
        """Frames [start, stop) of each channel; the library reads the header again for every call."""
        block = self._call(
            self._library.rdrecord,
            str(self._record.with_name(segment.name)),
            sampfrom=start,
            sampto=stop,
            channels=[segment.place(self._raw_names, i) for i in wanted],
            physical=True,
            smooth_frames=False,
        )
        for i, values in zip(wanted, block.e_p_signal, strict=True):
            expected = (stop - start) * self._frame[i]
            if len(values) != expected:
                raise FileFormatError(
                    f"{segment.name}: {len(values)} samples of {self.channels[i].name}, expected {expected}"
                )
        return list(zip(wanted, block.e_p_signal, strict=True))

    def _block(
        self, read: list[tuple[int, NDArray[np.float64]]], at: int, start: int, stop: int, first: int
    ) -> Iterator[FileItem]:
        """Frames [start, stop) of what was read from the frame `first` on."""
        for i, held in read:
            info, per_frame = self.channels[i], self._frame[i]
            values = held[start * per_frame : stop * per_frame]
            if info.kind is Kind.ECG:
                values = values * to_millivolts(info.unit)
            fs_hz = self._rate_hz * per_frame
            yield from finite_stretches(
                info,
                fs_hz=fs_hz,
                step_ns=1e9 / fs_hz,
                offset=(at + first + start) * per_frame,
                values=np.ascontiguousarray(values, dtype=np.float64),
            )

    def _gap(self, channel: int, start: int, stop: int, reason: GapReason) -> Gap:
        start_ns, end_ns = (round(frame * 1e9 / self._rate_hz) for frame in (start, stop))
        return Gap(self.channels[channel].name, start_ns, end_ns, reason)

    def _read_header(self, name: str) -> Any:
        path = self._record.with_name(f"{name}.hea")
        if name != Path(name).name:
            raise FileFormatError(f"{self.name}.hea: names {name!r}, a record in its own folder is expected")
        try:
            size = path.stat().st_size
            with path.open("rb") as file:
                start = file.read(4096)
        except OSError as error:
            raise FileFormatError(f"{name}.hea: cannot be read ({error.strerror})") from error
        if size == 0:
            raise FileFormatError(f"{name}.hea: empty file, a record line is expected")
        if size > _LARGEST_HEADER or b"\0" in start:
            raise FileFormatError(f"{name}.hea: {size} bytes that are no text, a WFDB header is expected")
        return self._call(self._library.rdheader, str(path.with_suffix("")), rd_segments=False)

    def _signals(self, header: Any) -> list[tuple[str, str, int]]:
        """(name, unit, samples per frame) of every signal: of the record, of its layout, or of its first segment."""
        if not hasattr(header, "seg_name"):
            return self._segment_signals(self.name, header)
        first = next((segment for segment in header.seg_name if segment != "~"), None)
        if first is None:
            raise FileFormatError(f"{self.name}.hea: names no segment, at least one is expected")
        return self._segment_signals(first, self._segment_header(first))

    def _segment_header(self, segment: str) -> Any:
        inner = self._read_header(segment)
        if hasattr(inner, "seg_name"):
            raise FileFormatError(f"{self.name}.hea: segment {segment} has segments of its own, expected signals")
        return inner

    def _placed(self, header: Any) -> list[_Segment]:
        """The stretches of the record in order of time; one, for a record without segments."""
        if not hasattr(header, "seg_name"):
            return [self._segment(self.name, header, int(header.sig_len or 0))]
        segments = []
        for name, length in zip(header.seg_name, header.seg_len, strict=True):
            if name == "~":
                segments.append(_Segment(name, int(length), int(length), ()))
            elif length:  # the layout of a record of varying segments has length 0 and no samples
                inner = self._segment_header(name)
                if inner.fs != header.fs:
                    raise FileFormatError(f"{name}.hea: {inner.fs} Hz, its record {self.name} says {header.fs} Hz")
                segments.append(self._segment(name, inner, int(length)))
        return segments

    def _segment(self, name: str, header: Any, said: int) -> _Segment:
        signals = self._segment_signals(name, header)
        frames = dict(zip(self._raw_names, self._frame, strict=True))
        for signal, _, per_frame in signals:
            if frames.get(signal, per_frame) != per_frame:
                raise FileFormatError(
                    f"{name}.hea: {per_frame} samples of {signal} per frame, expected {frames[signal]}"
                )
        said, there = self._lengths(name, header, said)
        return _Segment(name, said, there, tuple(signal for signal, _, _ in signals))

    def _segment_signals(self, name: str, header: Any) -> list[tuple[str, str, int]]:
        names = list(header.sig_name or [])
        if len(names) != header.n_sig:
            raise FileFormatError(f"{name}.hea: the record line says {header.n_sig} signals, {len(names)} lines follow")
        for file_name, form in zip(header.file_name or [], header.fmt or [], strict=True):
            if file_name == "~":
                continue
            if not file_name or file_name in {".", "..", "-"} or Path(file_name).name != file_name or "\\" in file_name:
                raise FileFormatError(f"{name}.hea: names {file_name!r}, a signal file in its own folder is expected")
            if form not in _BYTES and form not in _COMPRESSED:
                raise FileFormatError(f"{name}.hea: signal format {form}, expected one of {', '.join(_BYTES)} or FLAC")
            path = self._record.with_name(file_name)
            try:
                with path.open("rb"):
                    size = path.stat().st_size
            except FileNotFoundError as error:
                raise FileFormatError(f"{name}.hea: its signal file {file_name} is missing") from error
            except OSError as error:
                raise FileFormatError(f"{file_name}: cannot be read ({error.strerror})") from error
            if size == 0:
                raise FileFormatError(f"{file_name}: empty file, {name}.hea says {header.sig_len} samples per signal")
        per_frame = list(header.samps_per_frame or [])
        if any(n is None or n < 1 for n in per_frame):
            raise FileFormatError(f"{name}.hea: {min(per_frame)} samples per frame, at least 1 is expected")
        return [
            (raw or "", unit or "", per) for raw, unit, per in zip(names, header.units or [], per_frame, strict=True)
        ]

    def _lengths(self, name: str, header: Any, said: int) -> tuple[int, int]:
        """(frames that the header says, frames that are there)."""
        there = []
        for file_name in dict.fromkeys(header.file_name):
            mine = [i for i, other in enumerate(header.file_name) if other == file_name]
            width = _BYTES.get(header.fmt[mine[0]])
            if width is None:
                if said < 1:
                    raise FileFormatError(f"{name}.hea: does not say how long the compressed {file_name} is")
                there.append(said)
                continue
            size = self._record.with_name(file_name).stat().st_size - int(header.byte_offset[mine[0]] or 0)
            frame = sum(header.samps_per_frame[i] for i in mine)
            there.append(max(0, math.floor(size / width / frame + 1e-9)))
        frames = min(there)
        if said < 1:
            return frames, frames
        if frames < said:
            self.notes.append(f"truncated: {frames} of {said} samples" + ("" if name == self.name else f" in {name}"))
        return said, min(frames, said)

    def _call(self, read: Callable[..., _T], *arguments: Any, **options: Any) -> _T:
        """A call of the library: nothing printed, nothing warned, and one type of error."""
        try:
            with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
                warnings.simplefilter("ignore")
                return read(*arguments, **options)
        except OSError as error:
            raise FileFormatError(f"{self.name}: cannot be read ({error.strerror or type(error).__name__})") from error
        except Exception as error:
            said = " ".join(str(error).split())[:120] or type(error).__name__
            raise FileFormatError(f"{self.name}: not a valid WFDB record ({said})") from error


def _library() -> Any:
    try:
        # wfdb does what newer releases of its own libraries deprecate; the reader of a file need not hear of it.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import wfdb
    except ImportError as error:
        raise MissingExtraError("a WFDB record needs the extra [files]: pip install 'vitalkeep[files]'") from error
    return wfdb
