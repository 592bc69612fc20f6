"""One local day in three numbers: a pure function of what was stored of that day, worked out from cold state.

Nothing that another day taught goes in: no baseline, no calibration, no state carried over midnight. Else one day would
speak in another day's name, and what is promised about single days (docs/privacy.md) would not hold. All constants here
are public and the same for every wearer.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from device_pipeline.config import Limits
from device_pipeline.hrv import Hrv
from device_pipeline.rhythm import RhythmKind, RhythmSpan
from device_pipeline.rhythm_judge import MakeRhythmModel, shipped
from device_pipeline.run import Pipeline
from device_pipeline.windows import HeartRate
from sensors.samples import Item

_S = 1_000_000_000
SLICE_S = 300  # heart rates are averaged over so long before the day is looked at
LEAST_OF_A_SLICE = 0.5  # of it must have a rate
LEAST_SLICES = 36  # three hours in all
# The rate that a tenth of the slices stay under: low enough to be rest, and no single odd slice can set it.
RESTING_SHARE = 0.1
LEAST_RMSSD = 12  # windows of five minutes: an hour
VERSION = 1


@dataclass(frozen=True, slots=True, repr=False)
class DaySummary:
    """`af_s`: how long the rhythm was of the kind atrial fibrillation makes; None where no rhythm could be told.

    `resting_hr_bpm` None where less than three hours could be read; `rmssd_ms` None with less than an hour of windows
    that have a certain one. `version`: of these rules.
    """

    day: date
    af_s: float | None
    resting_hr_bpm: float | None
    rmssd_ms: float | None
    version: int = VERSION

    def __repr__(self) -> str:
        return f"<DaySummary {self.day.isoformat()}>"


def day_summary(
    day: date,
    start_ns: int,
    end_ns: int,
    sessions: Iterable[Iterable[Item]],
    rhythm: MakeRhythmModel = shipped,
) -> DaySummary | None:
    """`sessions`: of each session what it stored in [start_ns, end_ns), the bounds of the local `day`, in its order.

    `rhythm`: makes the model that judges intervals; the days of one window are to be judged by one.

    None where nothing was stored. What lies outside the bounds is not looked at.
    """
    rates: list[HeartRate] = []
    hrvs: list[Hrv] = []
    spans: list[tuple[int, int]] = []
    any_rhythm = any_data = False
    for items in sessions:
        pipeline = Pipeline(Limits(), origin_ns=start_ns, rhythm=rhythm)
        found = []
        for item in items:
            any_data = True
            found += pipeline.push(item)
        found += pipeline.flush()
        for finding in found:
            match finding:
                case HeartRate():
                    rates.append(finding)
                case Hrv():
                    hrvs.append(finding)
                case RhythmSpan():
                    any_rhythm = True
                    if finding.kind is RhythmKind.AFIB:
                        spans.append((max(finding.start_ns, start_ns), min(finding.end_ns, end_ns)))
                case _:
                    pass
    if not any_data:
        return None
    return DaySummary(
        day,
        _covered_s(spans) if any_rhythm else None,
        _resting_hr_bpm(rates, start_ns, end_ns),
        _rmssd_ms(hrvs, start_ns, end_ns),
    )


def _covered_s(spans: Sequence[tuple[int, int]]) -> float:
    """What two sessions saw at once counts once."""
    covered_ns, reached_ns = 0, -(1 << 63)
    for start_ns, end_ns in sorted(spans):
        covered_ns += max(0, end_ns - max(start_ns, reached_ns))
        reached_ns = max(reached_ns, end_ns)
    return covered_ns / _S


def _resting_hr_bpm(rates: Iterable[HeartRate], start_ns: int, end_ns: int) -> float | None:
    slices: dict[int, list[HeartRate]] = defaultdict(list)
    for rate in rates:
        if rate.bpm is not None and start_ns <= rate.start_ns and rate.start_ns + rate.length_ns <= end_ns:
            slices[(rate.start_ns - start_ns) // (SLICE_S * _S)].append(rate)
    means = sorted(_mean_bpm(told) for told in slices.values() if _told_s(told) >= LEAST_OF_A_SLICE * SLICE_S)
    if len(means) < LEAST_SLICES:
        return None
    return means[math.ceil(RESTING_SHARE * len(means)) - 1]


def _told_s(rates: Sequence[HeartRate]) -> float:
    """Windows may overlap, and two sensors may tell the same time."""
    return _covered_s([(rate.start_ns, rate.start_ns + rate.length_ns) for rate in rates])


def _mean_bpm(rates: Sequence[HeartRate]) -> float:
    known = [rate.bpm for rate in rates if rate.bpm is not None]
    return math.fsum(known) / len(known)


def _rmssd_ms(windows: Iterable[Hrv], start_ns: int, end_ns: int) -> float | None:
    values = []
    for window in windows:
        value = None if window.values is None else window.values.get("rmssd_ms")
        inside = start_ns <= window.start_ns and window.start_ns + window.length_ns <= end_ns
        if value is not None and inside and "rmssd_ms" not in window.uncertain:
            values.append(value)
    if len(values) < LEAST_RMSSD:
        return None
    values.sort()
    middle = len(values) // 2
    return values[middle] if len(values) % 2 else (values[middle - 1] + values[middle]) / 2
