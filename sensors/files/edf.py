"""EDF and EDF+ files, decoded by the library `edfio`, a few data records at a time.

The library sees the header and one block of data records as bytes, so that memory stays small whatever the file's
length. Where the records of an EDF+D file leave a hole between them there is a Gap.
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from sensors.errors import FileFormatError, MissingExtraError
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

_FIXED_HEADER = 256  # bytes; as many again for each signal (EDF, Kemp et al. 1992)
_ANNOTATIONS = b"EDF Annotations"
_ONSET = re.compile(rb"([+-]\d+(?:\.\d*)?)(?:\x15[\d.]*)?\x14")


@dataclass(frozen=True, slots=True)
class _Layout:
    """What is needed to find data records in the file."""

    header: bytes
    record_bytes: int
    record_s: float
    said: int
    there: int
    timekeeping: slice | None  # of a data record's bytes; None where records follow each other without a hole


class EdfSource:
    """One EDF or EDF+ file; each signal at its own rate."""

    def __init__(self, path: Path) -> None:
        """Raises FileFormatError, MissingExtraError."""
        self.name = path.stem
        self._path = path.absolute()
        self._read = _library()
        self.notes: list[str] = []
        self.started_ns = 0
        self._layout = self._look()
        signals = self._decode(b"").signals
        names = unique_names(s.label for s in signals)
        dimensions = [s.physical_dimension for s in signals]
        kinds = kinds_of(list(zip((s.label for s in signals), dimensions, strict=True)))
        self.channels: tuple[ChannelInfo, ...] = tuple(
            ChannelInfo(name, kind, s.samples_per_data_record / self._layout.record_s, dimension)
            for name, kind, s, dimension in zip(names, kinds, signals, dimensions, strict=True)
        )
        require_usable(path.name, self.channels)
        for channel, signal in zip(self.channels, signals, strict=True):
            if channel.kind is not None:
                self._check_ranges(channel, signal)
        self._per_record = [int(s.samples_per_data_record) for s in signals]
        used = [c for c in self.channels if c.kind is not None]
        self.fs_hz: float | None = next((c.fs_hz for c in used if c.kind is Kind.ECG), used[0].fs_hz)
        if self._layout.there < self._layout.said:
            self.notes.append(f"truncated: {self._layout.there} of {self._layout.said} data records")
        self.duration_s: float | None = (
            self._layout.said * self._layout.record_s if self._layout.timekeeping is None else None
        )

    def items(self, channels: Collection[str] | None = None, block_s: float = 60.0) -> Iterator[FileItem]:
        """Blocks of each signal in turn."""
        layout = self._layout
        wanted = wanted_channels(self._path.name, self.channels, channels)
        at_once = max(1, round(block_s / layout.record_s))
        run_ns, in_run, next_s, origin_s = 0, 0, 0.0, None
        try:
            file = self._path.open("rb")
        except OSError as error:
            raise FileFormatError(f"{self._path.name}: cannot be read ({error.strerror})") from error
        with file:
            for start in range(0, layout.there, at_once):
                data = self._records(file, start, min(at_once, layout.there - start))
                n = len(data) // layout.record_bytes
                signals = self._decode(data).signals
                values = {i: self._millivolts(i, signals[i].data) for i in wanted}
                for first, stop, onset_s in self._runs(data, n, start, next_s if start else None):
                    if onset_s is not None:  # this run does not follow directly on what came before
                        origin_s = onset_s if origin_s is None else origin_s
                        before_ns = run_ns + round(in_run * layout.record_s * 1e9)
                        run_ns, in_run = round((onset_s - origin_s) * 1e9), 0
                        if run_ns > before_ns:
                            for i in wanted:
                                yield Gap(self.channels[i].name, before_ns, run_ns, GapReason.MISSING)
                        next_s = onset_s
                    for i in wanted:
                        per, info = self._per_record[i], self.channels[i]
                        fs_hz = per / layout.record_s
                        yield from finite_stretches(
                            info,
                            fs_hz=fs_hz,
                            step_ns=1e9 / fs_hz,
                            offset=in_run * per,
                            values=values[i][first * per : stop * per],
                            anchor_ns=run_ns,
                        )
                    in_run += stop - first
                    next_s += (stop - first) * layout.record_s
        if layout.there < layout.said:
            start_ns = run_ns + round(in_run * layout.record_s * 1e9)
            end_ns = start_ns + round((layout.said - layout.there) * layout.record_s * 1e9)
            for i in wanted:
                yield Gap(self.channels[i].name, start_ns, end_ns, GapReason.TRUNCATED)

    def _runs(
        self, data: bytes, n: int, start: int, expected_s: float | None
    ) -> Iterator[tuple[int, int, float | None]]:
        """(first, stop, onset) of the stretches of records that follow each other; onset None: the last run goes on."""
        layout = self._layout
        if layout.timekeeping is None:
            yield 0, n, None
            return
        onsets = [self._onset(data, k, start) for k in range(n)]
        half_sample_s = 0.5 * layout.record_s / max(self._per_record)
        first, fresh = 0, expected_s is None
        now = onsets[0] if expected_s is None else expected_s
        for k, onset in enumerate(onsets):
            if abs(onset - now) > half_sample_s:
                if onset < now:
                    raise FileFormatError(
                        f"{self._path.name}: data record {start + k + 1} at {onset:g} s, expected {now:g} s or later"
                    )
                if k > first:
                    yield first, k, onsets[first] if fresh else None
                first, fresh, now = k, True, onset
            now += layout.record_s
        yield first, n, onsets[first] if fresh else None

    def _onset(self, data: bytes, k: int, start: int) -> float:
        layout = self._layout
        assert layout.timekeeping is not None
        record = data[k * layout.record_bytes : (k + 1) * layout.record_bytes]
        match = _ONSET.match(record[layout.timekeeping])
        if match is None:
            raise FileFormatError(f"{self._path.name}: data record {start + k + 1} does not say when it starts (EDF+D)")
        return float(match[1])

    def _millivolts(self, i: int, values: Any) -> Any:
        info = self.channels[i]
        return values * to_millivolts(info.unit) if info.kind is Kind.ECG else np.asarray(values, dtype=np.float64)

    def _records(self, file: BinaryIO, start: int, n: int) -> bytes:
        layout = self._layout
        try:
            file.seek(len(layout.header) + start * layout.record_bytes)
            data = file.read(n * layout.record_bytes)
        except OSError as error:
            raise FileFormatError(f"{self._path.name}: cannot be read ({error.strerror})") from error
        if len(data) != n * layout.record_bytes:
            raise FileFormatError(f"{self._path.name}: {len(data)} bytes read, expected {n * layout.record_bytes}")
        return data

    def _look(self) -> _Layout:
        name = self._path.name
        try:
            with self._path.open("rb") as file:
                fixed = file.read(_FIXED_HEADER)
                if len(fixed) < _FIXED_HEADER:
                    raise FileFormatError(f"{name}: {len(fixed)} bytes, an EDF header has at least {_FIXED_HEADER}")
                if fixed[:8] != b"0       ":
                    raise FileFormatError(f"{name}: starts with {fixed[:8]!r}, an EDF file starts with '0       '")
                signals = self._number(fixed[252:256], "number of signals", least=1)
                header = fixed + file.read(_FIXED_HEADER * int(signals))
            size = self._path.stat().st_size
        except OSError as error:
            raise FileFormatError(f"{name}: cannot be read ({error.strerror})") from error
        n = int(signals)
        if len(header) < _FIXED_HEADER * (n + 1):
            raise FileFormatError(f"{name}: header of {len(header)} bytes, {n} signals need {_FIXED_HEADER * (n + 1)}")
        record_s = self._number(fixed[244:252], "duration of a data record", least=0)
        said = int(self._number(fixed[236:244], "number of data records", least=-1))
        labels = [header[256 + 16 * i : 272 + 16 * i].strip() for i in range(n)]
        at = 256 + 216 * n
        per = [int(self._number(header[at + 8 * i : at + 8 * i + 8], "samples per record", least=1)) for i in range(n)]
        if record_s == 0:
            raise FileFormatError(f"{name}: data records of 0 s, a duration above 0 is needed for a signal")
        record_bytes = 2 * sum(per)
        there = (size - len(header)) // record_bytes
        if there < 1:
            raise FileFormatError(f"{name}: holds 0 whole data records, its header says {said}")
        timekeeping = None
        if fixed[192:197] == b"EDF+D":
            if _ANNOTATIONS not in labels:
                raise FileFormatError(f"{name}: EDF+D without an 'EDF Annotations' signal, one is expected")
            i = labels.index(_ANNOTATIONS)
            timekeeping = slice(2 * sum(per[:i]), 2 * sum(per[: i + 1]))
        said = there if said == -1 else said
        return _Layout(header, record_bytes, record_s, said, min(there, said), timekeeping)

    def _number(self, raw: bytes, what: str, *, least: float) -> float:
        try:
            value = float(raw)
        except ValueError:
            value = math.nan
        if not (math.isfinite(value) and value >= least):
            raise FileFormatError(
                f"{self._path.name}: {what} is {raw.decode('ascii', 'replace').strip()!r}, "
                f"a number of at least {least:g} is expected"
            )
        return value

    def _check_ranges(self, channel: ChannelInfo, signal: Any) -> None:
        try:
            physical, digital = tuple(signal.physical_range), tuple(signal.digital_range)
        except ValueError:
            physical = digital = (0, 0)
        if physical[0] == physical[1] or digital[0] == digital[1] or not all(map(math.isfinite, physical)):
            raise FileFormatError(
                f"{self._path.name}: {channel.name} has no range of values, two different ends are expected"
            )

    def _decode(self, data: bytes) -> Any:
        header = self._layout.header
        n = len(data) // self._layout.record_bytes
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                # The header's count is set to what follows here; -1 would do, but the library warns of either.
                return self._read(header[:236] + f"{n:<8d}".encode() + header[244:] + data, header_encoding="latin-1")
        except Exception as error:
            said = " ".join(str(error).split())[:120] or type(error).__name__
            raise FileFormatError(f"{self._path.name}: not a valid EDF file ({said})") from error


def _library() -> Any:
    try:
        import edfio
    except ImportError as error:
        raise MissingExtraError("an EDF file needs the extra [files]: pip install 'vitalkeep[files]'") from error
    return edfio.read_edf
