"""How well HRV from the beats we find agrees with HRV from reference beats, window by window.

Bias and limits of agreement as J. M. Bland and D. G. Altman 1986 (Lancet 327:307) define them. A window counts where
both sides have a value; where one abstains it is counted as missed, never as an error of nothing.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from device_pipeline.hrv import Hrv

METRICS = ("mean_hr_bpm", "sdnn_ms", "rmssd_ms")
# The two ends of a record are rarely one moment: the last windows of both sides are still one window this far apart.
_SAME_END_S = 5.0
_LIMITS = 1.96  # standard deviations: 95 % of normally distributed differences


@dataclass(frozen=True, slots=True, repr=False)
class Pair:
    """One metric of one window from both sides."""

    reference: float
    test: float

    def __repr__(self) -> str:
        return "<Pair>"


@dataclass(frozen=True, slots=True, repr=False)
class Agreement:
    """Of one metric, test minus reference, over `n` windows.

    `bias` and the limits of agreement `low` and `high` are in the metric's unit; `median_error_pct` is the median of
    |test / reference - 1|, in percent. None where there are too few windows: one for a median, two for limits.
    """

    n: int
    bias: float | None
    low: float | None
    high: float | None
    median_error_pct: float | None

    def __repr__(self) -> str:
        return f"<Agreement n={self.n}>"


@dataclass(frozen=True, slots=True, repr=False)
class Compared:
    """The pairs of one record by metric; `windows` of the reference have values, `missed` of them have none of ours."""

    windows: int
    missed: int
    pairs: dict[str, list[Pair]]

    def __repr__(self) -> str:
        return f"<Compared windows={self.windows}>"


def compare(reference: Sequence[Hrv], test: Sequence[Hrv]) -> Compared:
    """The windows of both that begin together and end within 5 s of each other."""
    ours = {window.start_ns: window for window in test}
    windows = missed = 0
    pairs: dict[str, list[Pair]] = {name: [] for name in METRICS}
    for window in reference:
        if window.values is None:
            continue
        windows += 1
        other = ours.get(window.start_ns)
        if other is None or other.values is None or abs(other.length_ns - window.length_ns) > _SAME_END_S * 1e9:
            missed += 1
            continue
        for name in METRICS:
            expected, found = window.values[name], other.values[name]
            if expected is not None and found is not None:
                pairs[name].append(Pair(expected, found))
    return Compared(windows, missed, pairs)


def together(compared: Iterable[Compared]) -> Compared:
    """Every window of every record counts the same."""
    compared = list(compared)
    return Compared(
        sum(one.windows for one in compared),
        sum(one.missed for one in compared),
        {name: [pair for one in compared for pair in one.pairs[name]] for name in METRICS},
    )


def agreement(pairs: Sequence[Pair]) -> Agreement:
    if not pairs:
        return Agreement(0, None, None, None, None)
    differences = [pair.test - pair.reference for pair in pairs]
    bias = math.fsum(differences) / len(differences)
    low = high = None
    if len(differences) >= 2:
        reach = _LIMITS * statistics.stdev(differences)
        low, high = bias - reach, bias + reach
    errors_pct = [100.0 * abs(pair.test / pair.reference - 1.0) for pair in pairs if pair.reference > 0]
    return Agreement(len(pairs), bias, low, high, statistics.median(errors_pct) if errors_pct else None)
