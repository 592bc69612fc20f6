"""How far a noisy figure is from the true one, from public constants alone.

Of counts it follows from ε; of medians it is simulated: it depends on how many days were worn, and how they spread.
"""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from device_pipeline.day_summary import DaySummary
from sync.private.statistic import Statistic
from sync.private.window import FIRST_DAY

WORN_OF_QUARTER = (84, 56, 42, 28, 0)


@dataclass(frozen=True, slots=True)
class Expected:
    """`mean_error`: of the absolute one; `within`: what 95 % of the draws stay within, each way."""

    worn_days: int
    mean_error: float
    within: float


def expected(
    statistic: Statistic,
    day: Callable[[random.Random], DaySummary],
    worn_days: Sequence[int],
    draws: int,
    seed: int = 1,
) -> list[Expected]:
    """Simulated: of each number of `worn_days`, `draws` windows of days that `day` makes up, the rest without data."""
    chance = random.Random(seed)
    found = []
    for worn in worn_days:
        errors = []
        for _ in range(draws):
            days = [day(chance) if k < worn else None for k in range(statistic.length_days)]
            true = statistic.true_value(days)
            middle = sum(statistic.bounds) / 2 if true is None else true
            errors.append(abs(statistic.draw(days) - middle))
        errors.sort()
        found.append(Expected(worn, statistics.fmean(errors), errors[math.ceil(0.95 * draws) - 1]))
    return found


def made_up_day(chance: random.Random) -> DaySummary:
    """A day of somebody whose resting heart rate spreads by 3 bpm, and whose RMSSD by 15 %."""
    return DaySummary(FIRST_DAY, 0.0, chance.gauss(62.0, 3.0), 42.0 * math.exp(chance.gauss(0.0, 0.15)))
