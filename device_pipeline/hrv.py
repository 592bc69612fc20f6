"""The values of one window, or the reason why there are none: abstaining is an answer.

A pure function of the beats in the window and of how much of it could be trusted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from device_pipeline.beat import Beat
from device_pipeline.intervals import METHOD, Intervals, normal_intervals
from device_pipeline.metrics.registry import METRICS

# Half of 5 minutes is 150 s; from 120 s on, RMSSD and SDNN agree with those of 5 minutes within what is negligible
# for both (Munoz et al. 2015, PLoS ONE 10:e0138921). Below half, the values would not stand for their window.
LEAST_GOOD_FRACTION = 0.5
LEAST_NN_FRACTION = 0.5  # of the window's length, in NN intervals, for the same reason

# The last window of a record is as long as it came. "Approximately 1 min is needed to assess the HF components" (Task
# Force 1996, frequency analysis), which are what RMSSD and pNN50 reflect.
LEAST_LENGTH_S = 60.0

# Above one interval in five left out, what remains is a choice, not a sample. Kubios warns from 5 % on. Frequent
# ectopy up to every tenth beat (two intervals each) still gives a value; in atrial fibrillation far more intervals
# stand out, so it is called irregular and never corrected into regularity.
MOST_CORRECTED_PCT = 20.0


@dataclass(frozen=True, slots=True, repr=False)
class Hrv:
    """Values over [start_ns, start_ns + length_ns).

    `n_beats`: all beats in the window. `corrected_pct`: share of their intervals that were left out, None where there
    are no intervals. `values` maps the name of each metric to its value; None, with a `reason`, where the window
    abstains: "too_short", "no_data", "poor_signal", "too_few_beats", "irregular".
    """

    start_ns: int
    length_ns: int
    n_beats: int
    corrected_pct: float | None
    method: str
    values: Mapping[str, float | None] | None
    reason: str | None

    def __repr__(self) -> str:
        return f"<Hrv start_ns={self.start_ns} length_ns={self.length_ns}>"


def hrv_window(start_ns: int, length_ns: int, beats: Sequence[Beat], good_fraction: float) -> Hrv:
    """The metrics over the beats in [start_ns, start_ns + length_ns), which come in order of time.

    `good_fraction` is the share of the window (0 to 1) whose signal is good. The interval of the first beat reaches
    back to before the window and counts.

    Raises ValueError for a beat outside the window.
    """
    if beats and not (start_ns <= beats[0].t_ns and beats[-1].t_ns < start_ns + length_ns):
        raise ValueError(f"beats from {beats[0].t_ns} to {beats[-1].t_ns}, window {start_ns} + {length_ns} ns")
    intervals = normal_intervals(beats)
    reason = _reason(length_ns, len(beats), intervals, good_fraction)
    values = None if reason else _values(intervals)
    return Hrv(start_ns, length_ns, len(beats), intervals.corrected_pct, METHOD, values, reason)


def _reason(length_ns: int, n_beats: int, intervals: Intervals, good_fraction: float) -> str | None:
    if length_ns < LEAST_LENGTH_S * 1e9:
        return "too_short"
    if not n_beats and good_fraction <= 0:
        return "no_data"
    if good_fraction < LEAST_GOOD_FRACTION:
        return "poor_signal"
    if intervals.corrected_pct is not None and intervals.corrected_pct > MOST_CORRECTED_PCT:
        return "irregular"
    if sum(intervals.nn_ms) * 1e6 < LEAST_NN_FRACTION * length_ns:
        return "too_few_beats"
    return None


def _values(intervals: Intervals) -> dict[str, float | None]:
    values: dict[str, float | None] = {}
    for metric in METRICS:
        running = metric()
        for nn_ms, follows in zip(intervals.nn_ms, intervals.follows, strict=True):
            running.update(nn_ms, follows)
        values[metric.name] = running.value()
    return values
