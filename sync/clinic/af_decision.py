"""What a noisy count of AF-days can decide: how often noise alone flags a person, and how often it hides one.

All of it is in closed form, from ε alone: no card is looked at, so it costs no privacy. A person is flagged where the
noisy count of a window reaches the threshold, which is the clinic's share of the window's 28 days in whole days,
rounded up: the share is met from that many days on. How rare a figure would be without a single such day is not how
likely it is that there was none; the one follows from the noise, the other is told only beside what it assumes.

A share of the days *worn* is not told. Both counts are noisy, and an AF-day (half an hour) need not be a worn day
(three hours): with 12 and 20 days seen, what holds 95 times of 100 would run from 15 % of them to more than all.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from sync.clinic.binomial import quantile
from sync.clinic.catalogue import MONTH_DAYS
from sync.count_noise import noise_at_least

EPSILON = 0.5  # of af_days, version 1
WINDOWS_OF_A_YEAR = 13
LEAST_PRACTICE = 10
TRUE_DAYS = (0, 1, 2, 3, 5, 7, 10, 14, 20, 28)
THRESHOLDS = (3, 5, 7, 10, 14)
PRIOR = "if any number of days from 0 to 28 was as likely as any other beforehand"


def threshold_days(share: Fraction) -> int:
    """The least whole number of days that is `share` of a window of 28 or more. Raises ValueError outside of 0 to 1."""
    if not 0 < share <= 1:
        raise ValueError(f"a share of {share}, more than 0 and at most 1 expected")
    return math.ceil(share * MONTH_DAYS)


def flagged(true_days: int, threshold: int, epsilon: float = EPSILON) -> float:
    """How likely a person with so many true days is flagged: P(true_days + noise >= threshold)."""
    return noise_at_least(threshold - _held(true_days), epsilon)


def false_positive(true_days: int, threshold: int, epsilon: float = EPSILON) -> float:
    """Flagged, though below: a^(threshold - true_days) / (1 + a). Raises ValueError for who is not below."""
    if not _held(true_days) < threshold:
        raise ValueError(f"{true_days} true days, fewer than {threshold} expected")
    return noise_at_least(threshold - true_days, epsilon)


def false_negative(true_days: int, threshold: int, epsilon: float = EPSILON) -> float:
    """Not flagged, though at the threshold or above: a^(true_days - threshold + 1) / (1 + a).

    Raises ValueError for who is below.
    """
    if not _held(true_days) >= threshold:
        raise ValueError(f"{true_days} true days, {threshold} or more expected")
    return noise_at_least(true_days - threshold + 1, epsilon)


def flagged_twice(true_days: tuple[int, int], threshold: int, epsilon: float = EPSILON) -> float:
    """In both of two windows: their noise was drawn apart, so the chances multiply."""
    return math.prod(flagged(days, threshold, epsilon) for days in true_days)


def flagged_once(true_days: int, threshold: int, windows: int, epsilon: float = EPSILON) -> float:
    """In at least one of so many windows, each with as many true days."""
    return -math.expm1(windows * math.log1p(-flagged(true_days, threshold, epsilon)))


def false_flags(patients: int, threshold: int, epsilon: float = EPSILON) -> tuple[float, int, int]:
    """Of so many patients without a single such day: how many noise flags in one window on average, and from how many
    to how many it flags 95 times of 100 (2.5 % at most beyond each end)."""
    p = flagged(0, threshold, epsilon)
    return patients * p, quantile(patients, p, 0.025), quantile(patients, p, 0.975)


@dataclass(frozen=True, slots=True)
class Decision:
    """What one noisy count says. `from_none`: how often noise alone gives as much or more to a person without a single
    such day; `from_just_below`: to one a day below the threshold; `at_or_above`: how likely the true number is at the
    threshold or above, under PRIOR."""

    seen: int
    threshold: int
    epsilon: float
    from_none: float
    from_just_below: float
    at_or_above: float

    @property
    def is_flagged(self) -> bool:
        return self.seen >= self.threshold


def decide(seen: int, threshold: int, epsilon: float = EPSILON) -> Decision:
    """`seen`: as it was sent, also below 0 or above 28. Raises ValueError for a threshold outside of 1 to 28."""
    if not 1 <= threshold <= MONTH_DAYS:
        raise ValueError(f"a threshold of {threshold} days, 1 to {MONTH_DAYS} expected")
    return Decision(
        seen,
        threshold,
        epsilon,
        noise_at_least(seen, epsilon),
        noise_at_least(seen - (threshold - 1), epsilon),
        at_or_above(seen, threshold, epsilon),
    )


def at_or_above(seen: int, threshold: int, epsilon: float = EPSILON, prior: Sequence[float] | None = None) -> float:
    """How likely the true number of days is `threshold` or more. `prior`: the weights of 0 to 28 days; None: equal.

    Few people have many such days, so in most practices it is less than equal weights make it.
    """
    weights = [1.0] * (MONTH_DAYS + 1) if prior is None else prior
    if len(weights) != MONTH_DAYS + 1 or min(weights) < 0 or not 0 < math.fsum(weights) < math.inf:
        raise ValueError(f"{len(weights)} weights, {MONTH_DAYS + 1} of 0 or more expected, and not all 0")
    # The nearest number has exponent 0, so that nothing underflows however far away the seen one is.
    nearest = min(abs(seen - days) for days, weight in enumerate(weights) if weight > 0)
    mass = [
        weight * math.exp(-epsilon * (abs(seen - days) - nearest)) if weight > 0 else 0.0
        for days, weight in enumerate(weights)
    ]
    return math.fsum(mass[threshold:]) / math.fsum(mass)


@dataclass(frozen=True, slots=True)
class TwoInARow:
    """What the noisy counts of two windows, one after the other, say together.

    `from_none`: how often noise alone gives as much or more in each of the two to a person without a single such day in
    either; `from_just_below`: to one a day below the threshold in both. No probability of the true numbers is told: it
    would have to be assumed how one month goes with the next.
    """

    is_flagged: bool
    from_none: float
    from_just_below: float


def decide_two(first: Decision, second: Decision) -> TwoInARow:
    return TwoInARow(
        first.is_flagged and second.is_flagged,
        first.from_none * second.from_none,
        first.from_just_below * second.from_just_below,
    )


@dataclass(frozen=True, slots=True)
class DecisionTable:
    """`rows`: by the true number of days, how likely each of the `thresholds` flags; `twice`: in both of two windows;
    `in_a_year`: how likely each flags a person without such a day at least once in 13 windows, by noise alone."""

    epsilon: float
    thresholds: tuple[int, ...]
    rows: tuple[tuple[int, tuple[float, ...]], ...]
    twice: tuple[tuple[int, tuple[float, ...]], ...]
    in_a_year: tuple[float, ...]


def decision_table(
    thresholds: Sequence[int] = THRESHOLDS, true_days: Sequence[int] = TRUE_DAYS, epsilon: float = EPSILON
) -> DecisionTable:
    return DecisionTable(
        epsilon,
        tuple(thresholds),
        tuple((days, tuple(flagged(days, each, epsilon) for each in thresholds)) for days in true_days),
        tuple((days, tuple(flagged_twice((days, days), each, epsilon) for each in thresholds)) for days in true_days),
        tuple(flagged_once(0, each, WINDOWS_OF_A_YEAR, epsilon) for each in thresholds),
    )


# -- words for people


def noise_words(decision: Decision) -> str:
    """What `from_none` says, and what it does not."""
    return (
        f"Noise alone shows {_days(decision.seen)} or more for {of_people(decision.from_none)} without a single such"
        " day. How likely it is that this person has none is another question: that also depends on how common such"
        " days are."
    )


def just_below_words(decision: Decision) -> str:
    below = decision.threshold - 1
    return f"It shows as much for {of_people(decision.from_just_below)} with {_days(below)}, one below the threshold."


def posterior_words(decision: Decision) -> str:
    """`at_or_above`, with what it assumes."""
    return (
        f"The true number is {_days(decision.threshold)} or more with a probability of {percent(decision.at_or_above)},"
        f" {PRIOR}. Where few patients have such days it is less."
    )


def two_words(first: Decision, second: Decision) -> str:
    both = decide_two(first, second)
    return (
        f"In two periods in a row, noise alone shows {first.seen} or more and then {second.seen} or more for"
        f" {of_people(both.from_none)} without a single such day in either."
    )


def practice_words(patients: int, threshold: int, epsilon: float = EPSILON) -> str:
    """How many of a practice's patients stand on the list for nothing; of a handful there is nothing to say."""
    if patients < LEAST_PRACTICE:
        return ""
    mean, low, high = false_flags(patients, threshold, epsilon)
    return (
        f"Were all {patients} patients without a single such day, noise alone would flag about {mean:.2g} of them each"
        f" period (95 times of 100: {low} to {high})."
    )


def percent(p: float) -> str:
    """Never 0 % or 100 % of what can happen."""
    if 0 < p < 0.0001:
        return "less than 0.01 %"
    if 0.9999 < p < 1:
        return "more than 99.99 %"
    if 0.1 <= p <= 0.9 or p in {0.0, 1.0}:
        return f"{100 * p:.0f} %"
    return f"{100 * p:.1f} %" if 0.01 <= p <= 0.99 else f"{100 * p:.2f} %"


def of_people(p: float) -> str:
    """A frequency as people count: `5 of 100 people`, `1 of 330 people`."""
    if p >= 0.05:
        return f"{min(round(100 * p), 99)} of 100 people"
    if p < 1e-6:
        return "fewer than 1 of 1,000,000 people"
    n = 1 / p
    step = 10 ** max(0, math.floor(math.log10(n)) - 1)
    return f"1 of {round(n / step) * step:,} people"


def _days(days: int) -> str:
    return f"{days} day" if days == 1 else f"{days} days"


def _held(true_days: int) -> int:
    if not 0 <= true_days <= MONTH_DAYS:
        raise ValueError(f"{true_days} true days, 0 to {MONTH_DAYS} expected")
    return true_days
