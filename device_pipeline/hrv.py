"""The values of one window, or the reason why there are none: abstaining is an answer.

A pure function of the beats in the window and of how much of it could be trusted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from device_pipeline.beat import Beat
from device_pipeline.doubt import uncertain
from device_pipeline.intervals import METHOD, Intervals, normal_intervals
from device_pipeline.metrics.metric import Metric
from device_pipeline.metrics.registry import WINDOW
from device_pipeline.nn_series import NnSeries

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
    abstains: "too_short", "no_data", "poor_signal", "too_few_beats", "irregular". `absent` maps the name of each metric
    that alone has no value to why: "too_short", "too_long", "too_few_beats", "gaps", "undefined".
    `uncertain` names the metrics whose value may be off by more than 5 % (`doubt.py` says how that is judged).
    """

    start_ns: int
    length_ns: int
    n_beats: int
    corrected_pct: float | None
    method: str
    values: Mapping[str, float | None] | None
    reason: str | None
    absent: Mapping[str, str] = field(default_factory=dict)
    uncertain: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<Hrv start_ns={self.start_ns} length_ns={self.length_ns}>"


def hrv_window(
    start_ns: int,
    length_ns: int,
    beats: Sequence[Beat],
    good_fraction: float,
    metrics: Sequence[type[Metric]] = WINDOW,
) -> Hrv:
    """The metrics over the beats in [start_ns, start_ns + length_ns), which come in order of time.

    `good_fraction` is the share of the window (0 to 1) whose signal is good. The interval of the first beat reaches
    back to before the window and counts.

    Raises ValueError for a beat outside the window.
    """
    if beats and not (start_ns <= beats[0].t_ns and beats[-1].t_ns < start_ns + length_ns):
        raise ValueError(f"beats from {beats[0].t_ns} to {beats[-1].t_ns}, window {start_ns} + {length_ns} ns")
    intervals = normal_intervals(beats)
    reason = _reason(length_ns, len(beats), intervals, good_fraction)
    if reason:
        return Hrv(start_ns, length_ns, len(beats), intervals.corrected_pct, METHOD, None, reason)
    series = intervals.series()
    values, absent = metric_values(series, metrics)
    doubted = uncertain(beats, intervals, series, values, metrics)
    return Hrv(start_ns, length_ns, len(beats), intervals.corrected_pct, METHOD, values, None, absent, doubted)


def metric_values(series: NnSeries, metrics: Sequence[type[Metric]]) -> tuple[dict[str, float | None], dict[str, str]]:
    """The value of each metric, None where it has none, and why it has none.

    By their definitions over the whole: the law of the metric says that feeding them one by one comes to the same.
    """
    values = {metric.name: metric.batch(series) for metric in metrics}
    return values, {metric.name: _why(metric, series) for metric in metrics if values[metric.name] is None}


def _why(metric: type[Metric], series: NnSeries) -> str:
    if series.n > metric.max_intervals:
        return "too_long"
    if series.n < metric.min_intervals:
        return "too_few_beats"
    if series.span_s < metric.min_span_s:
        return "too_short"
    return metric.absent


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
