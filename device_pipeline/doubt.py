"""Which values of a window may be off by more than 5 %, because of what was left out or could have been.

Two things are asked. Would the value be another if only what stands out far more were left out? And, of what is made of
differences: how well do those that are left stand for those that were lost?
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from device_pipeline.beat import Beat
from device_pipeline.intervals import IntervalKind, Intervals, Rule, normal_intervals
from device_pipeline.metrics.metric import Metric
from device_pipeline.nn_series import NnSeries

# Only what no sinus node does is left out. What this rule and the usual one do not agree on can be either.
LENIENT = Rule(alpha=7.0, least=0.16, most=0.4)
MOST_APART = 0.04  # of the value: the other rule's value and ours, with a little left of the 5 % for what both miss
# A share; a difference of 4 % of a small one is nothing that anybody looks at.
LEAST_APART_PCT = 1.0
# Standard error of what is left beside what was there, in percent of the value: 2.8 of it are 5 %.
MOST_ERROR_PCT = 1.8
_KEPT = frozenset({IntervalKind.NORMAL, IntervalKind.ABSENT})
OF_DIFFERENCES = frozenset({"rmssd_ms", "sdsd_ms", "sd1_ms"})


def uncertain(
    beats: Sequence[Beat],
    intervals: Intervals,
    series: NnSeries,
    values: Mapping[str, float | None],
    metrics: Sequence[type[Metric]],
) -> tuple[str, ...]:
    """The names of the metrics that are uncertain, in their order."""
    doubted: set[str] = set()
    # where the usual rule leaves nothing out, the lenient one does not either
    if any(kind not in _KEPT for kind in intervals.kinds):
        other = normal_intervals(beats, LENIENT)
        if other.kinds != intervals.kinds:
            other_series = other.series()
            doubted |= {metric.name for metric in metrics if _apart(metric, values[metric.name], other_series)}
    if standard_error_pct(intervals, series) > MOST_ERROR_PCT:
        doubted |= OF_DIFFERENCES
    return tuple(metric.name for metric in metrics if metric.name in doubted and values[metric.name] is not None)


def standard_error_pct(intervals: Intervals, series: NnSeries) -> float:
    """Of RMSSD, in percent of it, as a sample without replacement of the differences that there would have been.

    W. G. Cochran, Sampling Techniques, 3rd ed. 1977, eq. 2.8 (finite population), of the mean of squares; its root has
    half the relative error.
    """
    n = len(series.differences_ms)
    formed = [kind is not IntervalKind.ABSENT for kind in intervals.kinds]
    lost = sum(one and other for one, other in pairwise(formed)) - n
    if n < 2 or lost <= 0:
        return 0.0
    squares = series.differences_ms**2
    mean = float(np.mean(squares))
    if mean <= 0:
        return 0.0
    return float(50.0 * np.std(squares, ddof=1) / mean * np.sqrt(1 / n - 1 / (n + lost)))


def _apart(metric: type[Metric], value: float | None, other: NnSeries) -> bool:
    if value is None:
        return False
    found = metric.batch(other)
    if found is None:
        return True
    apart = abs(found - value)
    return apart > MOST_APART * abs(value) and (metric.unit != "%" or apart > LEAST_APART_PCT)
