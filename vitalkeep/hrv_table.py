"""The heart rate variability of one record, window by window or of the whole, and what is exported of it.

The record goes through the same pipeline as every other, so its windows are those that `analyze` tells.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from device_pipeline.beat import BeatSource
from device_pipeline.config import Limits
from device_pipeline.hrv import Hrv
from device_pipeline.intervals import normal_intervals
from device_pipeline.metrics.registry import METRICS
from device_pipeline.run import HRV_WINDOW_S
from device_pipeline.windows import Grid
from sensors.errors import FileFormatError
from vitalkeep.analysis import read_record

_MS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What of a record is wanted: [start_s, end_s) of it (None: to its end), in windows of `window_s`, or as one."""

    start_s: float = 0.0
    end_s: float | None = None
    window_s: float = float(HRV_WINDOW_S)
    whole: bool = False


@dataclass(frozen=True, slots=True, repr=False)
class HrvTable:
    """`windows` in order of time, one if the whole was asked for. `rr_ms`: the intervals between trusted beats;
    `nn_ms`: those that are normal-to-normal.

    `start_ns` is where the record begins; `dated` says whether that is a moment of the calendar.
    """

    record: str
    channel: str | None
    source: BeatSource | None
    start_ns: int
    dated: bool
    duration_s: float
    windows: tuple[Hrv, ...]
    rr_ms: tuple[float, ...]
    nn_ms: tuple[float, ...]
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        return f"<HrvTable {self.record}>"


def hrv_table(
    path: Path, asked: Asked, *, limits: Limits, channel: str | None = None, fs_hz: float | None = None
) -> HrvTable:
    """Raises SensorError for a file that cannot be read, or that ends before what is asked for begins."""
    analysis, pipeline = read_record(path, limits=limits, channel=channel, fs_hz=fs_hz, remember=True)
    origin_ns = analysis.start_ns
    start_ns = origin_ns + round(asked.start_s * 1e3) * _MS
    end_ns = analysis.end_ns
    if asked.end_s is not None:
        end_ns = min(end_ns, origin_ns + round(asked.end_s * 1e3) * _MS)
    if end_ns <= start_ns:
        raise FileFormatError(
            f"{analysis.record}: lasts {(analysis.end_ns - origin_ns) / 1e9:.0f} s, and what is asked for begins at"
            f" {asked.start_s:.0f} s"
        )
    if asked.whole:
        windows = [pipeline.hrv(start_ns, end_ns, METRICS)]
    elif asked == Asked():
        windows = analysis.hrv  # the very same, and already there
    else:
        length_ns = round(asked.window_s * 1e3) * _MS
        windows = [pipeline.hrv(*window) for window in Grid(start_ns, length_ns, length_ns).rest(end_ns)]
    # a window ends before its end; the last beat of a record is often the end itself
    beats = pipeline.trusted_beats(start_ns, end_ns + 1)
    return HrvTable(
        record=analysis.record,
        channel=analysis.channel,
        source=analysis.source,
        start_ns=origin_ns,
        dated=origin_ns > 0,
        duration_s=(analysis.end_ns - origin_ns) / 1e9,
        windows=tuple(windows),
        rr_ms=tuple(beat.rr_s * 1e3 for beat in beats if beat.rr_s is not None),
        nn_ms=normal_intervals(beats).nn_ms,
        notes=tuple(analysis.notes),
    )
