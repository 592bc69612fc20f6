"""A CSV whose first line names its channels; read a block of lines at a time.

Times come from the column `t_s`, or from the rate that the user gives. A row's own time may stray from an even grid by
half a step; where it strays further the grid is laid anew, and a step of more than one and a half leaves a Gap. An
empty cell is an absence: a MISSING gap of a sampled channel, no reading at all of the others. A saturation of 0 is how
oximeters write that the probe is off: a MISSING gap too.
"""

from __future__ import annotations

import csv
import io
import itertools
import math
import re
from collections.abc import Callable, Collection, Generator, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NoReturn, TextIO

import numpy as np
from numpy.typing import NDArray

from sensors.errors import FileFormatError
from sensors.files.source import ChannelInfo, FileItem, finite_stretches, require_known
from sensors.samples import Gap, GapReason, Kind, Quantity, Reading

_SAMPLED = {
    "ecg_mv": (Kind.ECG, "mV"),
    "ppg": (Kind.PPG, ""),
    "ppg_2": (Kind.PPG, ""),
    "ppg_red": (Kind.PPG, ""),
    "ppg_ir": (Kind.PPG, ""),
    "resp": (Kind.RESP, ""),
}
_AXES = ("acc_x", "acc_y", "acc_z")
_READINGS = {
    "spo2_pct": Quantity.SPO2,
    "perfusion_pct": Quantity.PERFUSION,
    "pulse_rate_bpm": Quantity.PULSE_RATE,
    "temperature_c": Quantity.TEMPERATURE,
    "skin_temperature_c": Quantity.TEMPERATURE,
    "rr_ms": Quantity.RR,
}
# What a file may say at all; beyond it the column holds something else.
_RANGES = {
    Quantity.SPO2: (0, 100),
    Quantity.PERFUSION: (0, 100),
    Quantity.PULSE_RATE: (0, 1000),
    Quantity.TEMPERATURE: (-50, 100),
}
_KNOWN = {"t_s", *_SAMPLED, *_AXES, *_READINGS}
_LONGEST_LINE = 65_536
_LOOK_ROWS = 10_000
_HOLE_STEPS = 1.5
_JITTER_STEPS = 0.5
_NEAR_WHOLE_RATE = 2e-4  # a rate measured on rounded times is taken for the whole number it is this near to
_AHEAD_ROWS = 4096


@dataclass(slots=True)
class _Rows:
    """A block of rows: `values` is (rows, columns) with NaN for empty cells; `line_of` numbers their lines."""

    values: NDArray[np.float64]
    line_of: Callable[[int], int]


@dataclass(slots=True)
class _Grid:
    """The even grid that rows are laid on: row `n` since the anchor is expected at `anchor_s + n * step_s`."""

    anchor_s: float
    step_s: float
    n: int = 0
    last_s: float = 0.0  # the own time of the row before

    def reach(self, times: NDArray[np.float64]) -> int:
        """How many of the next rows lie on the grid, before the first that strays."""
        expected = self.anchor_s + (self.n + np.arange(len(times))) * self.step_s
        strays = np.abs(times - expected) > _JITTER_STEPS * self.step_s * (1 + 1e-6)
        return int(np.argmax(strays)) if strays.any() else len(times)


def names_channels(start: bytes) -> bool:
    """Whether the first line of a text names one of the channels that a CSV may have."""
    for line in start.decode("utf-8", "replace").lstrip("\ufeff").splitlines():
        if line.strip() and not line.startswith("#"):
            return any(name in _KNOWN for name in _split(line))
    return False


class CsvSource:
    """A FileSource over one CSV file; every sampled channel at the rate of the rows."""

    def __init__(self, path: Path, fs_hz: float | None = None) -> None:
        """Reads the header and the first rows for their rate. Raises FileFormatError with the line."""
        self.name = path.stem
        self._path = path
        self.started_ns = 0
        self.duration_s: float | None = None
        self.notes: list[str] = []
        with self._open() as file:
            self._separator, self._columns = self._header(file)
            first = next(self._blocks(file, _LOOK_ROWS), None)
        if first is None:
            self._wrong("no row after the header, at least one is expected")
        self.channels: tuple[ChannelInfo, ...] = ()
        rate = self._rate(first, fs_hz)
        self.fs_hz: float | None = rate
        infos = [ChannelInfo(c, _SAMPLED[c][0], rate, _SAMPLED[c][1]) for c in self._columns if c in _SAMPLED]
        if _AXES[0] in self._columns:
            infos.append(ChannelInfo("acc", Kind.ACC, rate, "g"))
        self.channels = tuple(infos)
        readings = [c for c in self._columns if c in _READINGS]
        if infos and rate is None:
            self._wrong("no column t_s, so the sampling rate must be given with --fs")
        if rate is None and "t_s" not in self._columns and readings != ["rr_ms"]:
            self._wrong(f"no column t_s, which {next(c for c in readings if c != 'rr_ms')} needs (or --fs)")

    def items(self, channels: Collection[str] | None = None, block_s: float = 60.0) -> Iterator[FileItem]:
        """Blocks of each channel in turn, then the readings of the same rows."""
        require_known(self.name, self.channels, channels)
        wanted = [c for c in self.channels if channels is None or c.name in channels]
        rows_at_once = max(1, round(block_s * self.fs_hz)) if self.fs_hz else _LOOK_ROWS
        grid: _Grid | None = None
        origin_s, last_s, summed_ms = 0.0, -math.inf, 0.0
        with self._open() as file:
            self._header(file)
            for rows in self._blocks(file, rows_at_once):
                times = self._times(rows, grid, last_s)
                if times is None:  # RR intervals alone: they make their own time
                    summed_ms = yield from self._intervals(rows, summed_ms)
                    continue
                if grid is None:
                    origin_s = float(times[0])
                    grid = _Grid(0.0, 1 / self.fs_hz if self.fs_hz else math.inf)
                last_s = float(times[-1])
                times = times - origin_s
                if self.fs_hz is not None:
                    yield from self._sampled(rows, times, grid, wanted)
                yield from self._readings(rows, times)

    def _sampled(
        self, rows: _Rows, times: NDArray[np.float64], grid: _Grid, wanted: list[ChannelInfo]
    ) -> Iterator[FileItem]:
        assert self.fs_hz is not None
        start = 0
        while start < len(times):
            ahead = times[start : start + _AHEAD_ROWS]
            good = grid.reach(ahead)
            if good == 0:
                end_s, now_s = grid.anchor_s + grid.n * grid.step_s, float(ahead[0])
                if grid.n and now_s - grid.last_s > _HOLE_STEPS * grid.step_s and now_s > end_s:
                    for info in wanted:
                        yield Gap(info.name, round(end_s * 1e9), round(now_s * 1e9), GapReason.MISSING)
                # Never so far back that a sample would come before the one it follows.
                grid.anchor_s, grid.n = max(now_s, end_s - _JITTER_STEPS * grid.step_s), 0
                good = max(1, grid.reach(ahead))
            for info in wanted:
                columns = _AXES if info.kind is Kind.ACC else (info.name,)
                values = rows.values[start : start + good, [self._columns.index(c) for c in columns]]
                yield from finite_stretches(
                    info,
                    fs_hz=self.fs_hz,
                    step_ns=grid.step_s * 1e9,
                    offset=grid.n,
                    values=np.ascontiguousarray(values if info.kind is Kind.ACC else values[:, 0]),
                    anchor_ns=round(grid.anchor_s * 1e9),
                )
            grid.n += good
            grid.last_s = float(times[start + good - 1])
            start += good

    def _readings(self, rows: _Rows, times: NDArray[np.float64]) -> Iterator[Reading | Gap]:
        found: list[Reading | Gap] = []
        for at, column in enumerate(self._columns):
            if quantity := _READINGS.get(column):
                values = rows.values[:, at]
                for k in np.flatnonzero(np.isfinite(values)).tolist():
                    value = float(values[k])
                    if self._is_present(column, value, rows.line_of(k)):
                        found.append(Reading(quantity, column, round(times[k] * 1e9), value))
                if quantity is Quantity.SPO2:
                    found += _probe_off(column, values, times)
        yield from sorted(found, key=lambda item: item.t_ns if isinstance(item, Reading) else item.start_ns)

    def _intervals(self, rows: _Rows, summed_ms: float) -> Generator[Reading, None, float]:
        values = rows.values[:, self._columns.index("rr_ms")]
        for k in np.flatnonzero(np.isfinite(values)).tolist():
            value = float(values[k])
            if self._is_present("rr_ms", value, rows.line_of(k)):
                summed_ms += value
                yield Reading(Quantity.RR, "rr_ms", round(summed_ms * 1e6), value)
        return summed_ms

    def _is_present(self, column: str, value: float, line: int) -> bool:
        quantity = _READINGS[column]
        if quantity is Quantity.RR and value <= 0:
            self._wrong(f"line {line} has an interval that is not above 0 ms")
        if quantity in _RANGES:
            low, high = _RANGES[quantity]
            if not low <= value <= high:
                self._wrong(f"line {line}: {column} outside {low} to {high}")
        return value > 0 or quantity is Quantity.TEMPERATURE  # oximeters write 0 while the probe is off

    def _times(self, rows: _Rows, grid: _Grid | None, last_s: float) -> NDArray[np.float64] | None:
        n = len(rows.values)
        if "t_s" not in self._columns:
            if self.fs_hz is None:
                return None
            first = 0 if grid is None else grid.n
            return np.asarray((first + np.arange(n)) / self.fs_hz)
        times = rows.values[:, self._columns.index("t_s")]
        if not np.isfinite(times).all():
            self._wrong(f"line {rows.line_of(int(np.argmin(np.isfinite(times))))} has no time in t_s")
        steps = np.diff(times, prepend=last_s)
        if (steps <= 0).any():
            k = int(np.argmax(steps <= 0))
            how = "goes backward" if steps[k] < 0 else "stands still"
            self._wrong(f"line {rows.line_of(k)}: t_s {how}, every row must be later than the one before")
        return times

    def _rate(self, first: _Rows, fs_hz: float | None) -> float | None:
        """Hz of the rows: of the regular steps between the first of them, else what the user says."""
        sampled = [c for c in self._columns if c in _SAMPLED or c in _AXES]
        if "t_s" not in self._columns or not sampled:
            return fs_hz if "t_s" not in self._columns else None
        times = self._times(first, None, -math.inf)
        assert times is not None
        if len(times) < 2:
            if fs_hz is None:
                self._wrong("one row, two or more are needed to tell the rate from t_s (or --fs)")
            return fs_hz
        steps = np.diff(times)
        holes = np.flatnonzero(steps > _HOLE_STEPS * np.median(steps))
        runs = np.split(times, holes + 1)
        longest = max(runs, key=len)  # two rows at least: half of the steps are no longer than the median
        measured = 1 / float(np.polyfit(np.arange(len(longest)), longest - longest[0], 1)[0])
        whole = round(measured)
        return float(whole) if whole and abs(measured - whole) / whole < _NEAR_WHOLE_RATE else measured

    def _header(self, file: TextIO) -> tuple[str, list[str]]:
        try:
            while (line := file.readline(_LONGEST_LINE)).strip() == "" or line.startswith("#"):
                if not line:
                    self._wrong("no line that names channels, a header is expected")
        except UnicodeDecodeError as error:
            self._wrong(f"not text at byte {error.start}")
        columns = _split(line)
        if not any(c in _KNOWN - {"t_s"} for c in columns):
            self._wrong(
                f"its first line names no channel, expected one or more of {' '.join(sorted(_KNOWN - {'t_s'}))}"
            )
        for name in _KNOWN:
            if columns.count(name) > 1:
                self._wrong(f"{columns.count(name)} columns {name}, expected one")
        axes = [c for c in _AXES if c in columns]
        if axes and len(axes) < 3:
            self._wrong(f"acceleration needs {' '.join(_AXES)}, it has {' '.join(axes)}")
        unknown = [c for c in columns if c not in _KNOWN]
        note = f"columns not read: {', '.join(unknown)}"
        if unknown and note not in self.notes:
            self.notes.append(note)
        return _separator(line), columns

    def _blocks(self, file: TextIO, rows: int) -> Iterator[_Rows]:
        number = self._lines_before(file)
        while True:
            try:
                lines = list(itertools.islice(iter(partial(file.readline, _LONGEST_LINE), ""), rows))
            except UnicodeDecodeError:
                self._wrong(f"not text in the {rows} lines after line {number}")
            if max(map(len, lines), default=0) >= _LONGEST_LINE:
                k = next(k for k, line in enumerate(lines) if len(line) >= _LONGEST_LINE)
                self._wrong(f"line {number + k + 1} has {_LONGEST_LINE} characters or more")
            if not lines:
                return
            block = self._parse(lines, number)
            number += len(lines)
            if len(block.values):
                yield block

    def _lines_before(self, file: TextIO) -> int:
        """Lines up to and with the header; the file stands after it."""
        here = file.tell()
        file.seek(0)
        n = 0
        while file.tell() < here:
            file.readline()
            n += 1
        file.seek(here)
        return n

    def _parse(self, lines: list[str], before: int) -> _Rows:
        if len(self._columns) == 1:
            numbers = None
            kept = [line if line.strip() else "nan\n" for line in lines]
        else:
            kept = [line for line in lines if not line.isspace()]
            numbers = None if len(kept) == len(lines) else [i for i, line in enumerate(lines) if not line.isspace()]

        def line_of(k: int) -> int:
            return before + 1 + (k if numbers is None else numbers[k])

        if not kept:
            return _Rows(np.empty((0, len(self._columns))), line_of)
        use = [i for i, c in enumerate(self._columns) if c in _KNOWN]
        text = "".join(kept)
        try:
            if text.count(self._separator) != len(kept) * (len(self._columns) - 1):
                raise ValueError("a row of another length, or a quoted separator")
            filled = io.StringIO(_fill(text, self._separator))
            parsed = np.loadtxt(filled, delimiter=self._separator, usecols=use, comments=None, ndmin=2)
        except ValueError:
            parsed = np.array([self._row(line, line_of(k), use) for k, line in enumerate(kept)])
        if len(parsed) != len(kept):
            raise RuntimeError(f"{len(parsed)} rows parsed of {len(kept)} lines")
        values = np.full((len(kept), len(self._columns)), np.nan)
        values[:, use] = parsed
        return _Rows(values, line_of)

    def _row(self, line: str, number: int, use: list[int]) -> list[float]:
        """One row the slow way: quoted cells, and the error for those that cannot be read."""
        cells = next(csv.reader([line], delimiter=self._separator))
        if len(cells) != len(self._columns):
            self._wrong(f"line {number} has {len(cells)} cells, the header names {len(self._columns)}")
        out = []
        for i in use:
            cell = cells[i].strip()
            try:
                out.append(float(cell) if cell else math.nan)
            except ValueError:
                self._wrong(f"line {number}: the cell of {self._columns[i]} is no number")
        return out

    def _open(self) -> TextIO:
        try:
            return self._path.open(encoding="utf-8-sig", newline=None)
        except OSError as error:
            raise FileFormatError(f"{self._path.name}: cannot be read ({error.strerror})") from error

    def _wrong(self, what: str) -> NoReturn:
        raise FileFormatError(f"{self._path.name}: {what}")


def _separator(line: str) -> str:
    return max(",;\t", key=line.count)


def _split(line: str) -> list[str]:
    return [name.strip().strip('"').lower() for name in line.strip("\r\n").split(_separator(line))]


def _fill(text: str, separator: str) -> str:
    """The same rows with nan in every empty cell."""
    if " " not in text:  # the common case, told quickly
        twice, first, last = separator * 2, f"\n{separator}", f"{separator}\n"
        if not (twice in text or first in text or last in text or text[0] == separator or text[-1] == separator):
            return text
    text = re.sub(f"(?<={separator})[ ]*(?=[{separator}\n]|$)", "nan", text)
    return re.sub(f"^[ ]*(?={separator})", "nan", text, flags=re.MULTILINE)


def _probe_off(column: str, values: NDArray[np.float64], times: NDArray[np.float64]) -> Iterator[Gap]:
    """From each 0 on there is nothing, until the next cell that says something or the last row of these."""
    said = np.flatnonzero(np.isfinite(values))
    off = values[said] == 0
    edges = np.flatnonzero(np.diff(off.astype(np.int8), prepend=0, append=0))
    for first, after in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        start_s = float(times[said[first]])
        end_s = float(times[said[after]] if after < len(said) else times[-1])
        if end_s > start_s:
            yield Gap(column, round(start_s * 1e9), round(end_s * 1e9), GapReason.MISSING)
