"""The CSV files of the BIDMC set: NAME_Signals.csv with a time and the monitor's channels, NAME_Breaths.csv with marks.

Channels come in any order, named in the first line. Times are printed with so few digits that neighbours share one, so
rows are counted instead, at the rate that first and last time give.
"""

from __future__ import annotations

import io
import math
from collections.abc import Collection, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sensors.errors import FileFormatError
from sensors.files.source import ChannelInfo, FileItem, finite_stretches, kinds_of, wanted_channels
from sensors.samples import Kind

SIGNALS, BREATHS = "_Signals.csv", "_Breaths.csv"
_TIME = "Time [s]"
_BREATHS_IN = "[signal sample no]"
_MORE_LEADS = {"V", "MCL"}  # names too short to mean an ECG in any other file

Floats = NDArray[np.float64]


class BidmcSource:
    """A FileSource over NAME_Signals.csv, which is read at once: a record is eight minutes long."""

    def __init__(self, path: Path) -> None:
        """Raises FileFormatError where the file is not one of these."""
        self.name = path.name.removesuffix(SIGNALS)
        self.started_ns = 0
        self.notes: list[str] = []
        head, self._values = _table(path)
        if head[0] != _TIME or len(head) < 2 or len(self._values) < 2:
            raise FileFormatError(f"{path.name}: first column {head[0]!r}, {_TIME!r} and two rows at least expected")
        span_s = float(self._values[-1, 0] - self._values[0, 0])
        if not span_s > 0:
            raise FileFormatError(f"{path.name}: its times span {span_s:g} s, more than 0 expected")
        rate_hz = (len(self._values) - 1) / span_s
        rate_hz = float(round(rate_hz)) if abs(rate_hz - round(rate_hz)) < 1e-3 * rate_hz else rate_hz
        self.fs_hz: float | None = rate_hz
        self._rate_hz = rate_hz
        self.duration_s: float | None = len(self._values) / rate_hz
        kinds = [
            Kind.ECG if name in _MORE_LEADS else kind
            for name, kind in zip(head[1:], kinds_of([(name, "") for name in head[1:]]), strict=True)
        ]
        units = {Kind.ECG: "mV"}
        self.channels: tuple[ChannelInfo, ...] = tuple(
            ChannelInfo(name, kind, rate_hz, "" if kind is None else units.get(kind, ""))
            for name, kind in zip(head[1:], kinds, strict=True)
        )

    def items(self, channels: Collection[str] | None = None, block_s: float = 60.0) -> Iterator[FileItem]:
        """Blocks of each channel in turn."""
        at = wanted_channels(self.name, self.channels, channels)
        rows_at_once = max(1, round(block_s * self._rate_hz))
        for start in range(0, len(self._values), rows_at_once):
            for k in at:
                yield from finite_stretches(
                    self.channels[k],
                    fs_hz=self._rate_hz,
                    step_ns=1e9 / self._rate_hz,
                    offset=start,
                    values=np.ascontiguousarray(self._values[start : start + rows_at_once, k + 1]),
                )


def read_breaths_s(path: Path, fs_hz: float) -> tuple[Floats, ...]:
    """The moments of breaths in seconds, in order, one array for each annotator. Raises FileFormatError."""
    head, values = _table(path)
    columns = [k for k, name in enumerate(head) if name.endswith(_BREATHS_IN)]
    if not columns:
        raise FileFormatError(f"{path.name}: no column ends in {_BREATHS_IN!r}, breaths as sample numbers expected")
    return tuple(np.sort(values[np.isfinite(values[:, k]), k]) / fs_hz for k in columns)


def _table(path: Path) -> tuple[list[str], Floats]:
    """Names and values, NaN for empty cells."""
    try:
        head, _, rows = path.read_text(encoding="utf-8-sig").partition("\n")
        names = [name.strip() for name in head.split(",")]
        text = io.StringIO(rows)
        values = (
            np.loadtxt(text, delimiter=",", ndmin=2, converters=_number, encoding="utf-8") if rows.strip() else None
        )
    except OSError as error:
        raise FileFormatError(f"{path.name}: {error.strerror}") from error
    except (UnicodeDecodeError, ValueError) as error:
        raise FileFormatError(f"{path.name}: a table of numbers under one line of names is expected") from error
    if values is None:
        return names, np.empty((0, len(names)))
    if values.shape[1] != len(names):
        raise FileFormatError(f"{path.name}: rows of {values.shape[1]} cells, the first line names {len(names)}")
    return names, values


def _number(cell: str) -> float:
    """NaN for an empty cell; what is no number is refused, since it would pass for an absence."""
    return float(cell) if cell.strip() else math.nan
