"""What many patients have in common: nothing of fewer than 100, and no figure without an interval that holds the noise.

Made from cards, so it stays what cards are: each single day of a patient is hidden with the ε of the figure, the
patient is not. A patient counts once a window. Values go in as they were sent, also those below 0 or above 28: clamped
ones would pull the mean inwards.

The mean: the noise of each device has mean 0 and is drawn apart from all others, so the values of n patients spread by
what sets the patients apart and by the noise; t · s / √n with their own spread s therefore holds the mean of these very
patients 95 times of 100 or more, whatever the patients are. As a random sample of others it holds theirs as often where
no few patients stand far out; else less (92 of 100, where 1 of 50 has all days and the rest none, n = 100).

The share of patients with T days or more: the noise is known, and its convolution has an inverse of three points. With
c = a / (1 - a)², the share of values at T or above, plus c times the share at T exactly, less c times the share at
T - 1, is right on average, whatever the true numbers are. Its interval counts one value more at each of those two
points than were seen, so that none are not taken for certainty; simulated cohorts were held 95 times of 100 or more.

Medians: quartiles of what may be shown, with the ranks between which the binomial distribution puts the true ones, and
half a step of the grid to either side. The noise of a median is small beside how people differ, and not taken out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sync.clinic.binomial import quantile
from sync.clinic.catalogue import Question
from sync.count_noise import noise_variance

LEAST = 100
SELECTED = (
    "Only patients who wore the sensor on most days of the quarter are in it: the noisy worn days of its three months"
    " sum to 60 or more. Others may differ."
)
_NORMAL_95 = 1.959964
_QUARTILES = (0.25, 0.5, 0.75)

# A value and how many patients have it.
Tally = Iterable[tuple[float, int]]


@dataclass(frozen=True, slots=True)
class TooFew:
    """Nothing is told of so few."""

    patients: int

    @property
    def missing(self) -> int:
        return LEAST - self.patients


@dataclass(frozen=True, slots=True)
class Estimate:
    """`interval`: 95 %."""

    value: float
    interval: tuple[float, float]


@dataclass(frozen=True, slots=True)
class CohortCount:
    """Of a count of days. `noise_within`: half the width that the interval would have by noise alone, had all patients
    the same true number; `noise_of_width`: that as a part of the width there is. `share`: of patients whose true number
    is `threshold` or more; None where none was asked for."""

    patients: int
    mean: Estimate
    noise_within: float
    noise_of_width: float
    threshold: int | None
    share: Estimate | None


@dataclass(frozen=True, slots=True)
class CohortMedian:
    """Of the medians of a quarter. `left_out`: patients who answered, and whose median may not be shown."""

    patients: int
    left_out: int
    lower_quartile: Estimate
    median: Estimate
    upper_quartile: Estimate


def cohort_count(asked: Question, tally: Tally, threshold: int | None = None) -> CohortCount | TooFew:
    """`tally`: of one window. Raises ValueError for a question whose answers are no counts."""
    if asked.grid:
        raise ValueError(f"{asked.name} is no count")
    values = _sorted(tally)
    n = sum(count for _, count in values)
    if n < LEAST:
        return TooFew(n)
    epsilon = asked.epsilon_milli / 1000
    mean = math.fsum(value * count for value, count in values) / n
    variance = math.fsum(count * (value - mean) ** 2 for value, count in values) / (n - 1)
    t = _student_t(n - 1)
    within = t * math.sqrt(variance / n)
    noise = t * math.sqrt(noise_variance(epsilon) / n)
    return CohortCount(
        n,
        _held(mean, within, asked.low, asked.high),
        noise,
        min(noise / within, 1.0) if within > 0 else 1.0,
        threshold,
        None if threshold is None else _share(values, n, threshold, epsilon),
    )


def cohort_median(asked: Question, shown: Tally, left_out: int) -> CohortMedian | TooFew:
    """`shown`: the medians of one quarter that may be shown. Raises ValueError for a question without a grid."""
    if not asked.grid:
        raise ValueError(f"{asked.name} has no grid")
    values = _sorted(shown)
    n = sum(count for _, count in values)
    if n < LEAST:
        return TooFew(n)
    lower, median, upper = (_quantile(asked.grid, values, n, q) for q in _QUARTILES)
    return CohortMedian(n, left_out, lower, median, upper)


def _share(values: Sequence[tuple[float, int]], n: int, threshold: int, epsilon: float) -> Estimate:
    a = math.exp(-epsilon)
    c = a / (1 - a) ** 2
    above = sum(count for value, count in values if value > threshold)
    at = sum(count for value, count in values if value == threshold)
    below = sum(count for value, count in values if value == threshold - 1)
    estimate = (above + (1 + c) * at - c * below) / n
    square = (above + (1 + c) ** 2 * (at + 1) + c**2 * (below + 1)) / n
    within = _NORMAL_95 * math.sqrt(max(square - estimate**2, 0.0) / n)
    return _held(estimate, within, 0.0, 1.0)


def _held(estimate: float, within: float, low: float, high: float) -> Estimate:
    """What lies outside of the bounds is moved there first: that brings it nearer to the truth, wherever that is."""
    held = min(max(estimate, low), high)
    return Estimate(held, (max(held - within, low), min(held + within, high)))


def _quantile(grid: Sequence[float], values: Sequence[tuple[float, int]], n: int, q: float) -> Estimate:
    """The ranks hold whatever the distribution: so many of n lie below the true quantile, each with chance q."""
    low = _at_rank(values, max(quantile(n, q, 0.025), 1))
    high = _at_rank(values, min(quantile(n, q, 0.975) + 1, n))
    return Estimate(_at_rank(values, math.ceil(q * n)), (_between(grid, low, -1), _between(grid, high, 1)))


def _at_rank(values: Sequence[tuple[float, int]], rank: int) -> float:
    """Counted from 1 on."""
    for value, count in values:
        rank -= count
        if rank <= 0:
            return value
    return values[-1][0]


def _between(grid: Sequence[float], point: float, side: int) -> float:
    """Halfway to the next point of the grid: what is nearer to `point` was told as `point`."""
    at = grid.index(point)
    return (point + grid[at + side]) / 2 if 0 <= at + side < len(grid) else point


def _sorted(tally: Tally) -> list[tuple[float, int]]:
    return sorted((value, count) for value, count in tally if count > 0)


def _student_t(freedom: int) -> float:
    """The 97.5 % point for 99 or more degrees of freedom (Abramowitz and Stegun 26.7.5), to 10^-5."""
    z = _NORMAL_95
    return z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
