"""The median over the days of a quarter, picked from a public grid."""

from __future__ import annotations

import math
import statistics
from bisect import bisect_left
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from device_pipeline.day_summary import DaySummary
from sync.private.noise import noisy_median
from sync.private.window import QUARTER_DAYS


@dataclass(frozen=True, slots=True)
class DayMedian:
    """A Statistic. Where no day has a value the result is a point of the grid by chance, as likely as any other."""

    name: str
    meaning: str
    unit: str
    grid: tuple[float, ...]
    value: Callable[[DaySummary], float | None]
    version: int = 1
    epsilon_milli: int = 500

    @property
    def length_days(self) -> int:
        return QUARTER_DAYS

    @property
    def bounds(self) -> tuple[float, float]:
        return self.grid[0], self.grid[-1]

    def true_value(self, days: Iterable[DaySummary | None]) -> float | None:
        values = self._values(days)
        return statistics.median(values) if values else None

    def draw(self, days: Iterable[DaySummary | None]) -> float:
        """Each day goes in at the nearest point of the grid.

        Days between two points would leave every point equally far from the median in rank: 84 days of 61.3 bpm gave
        any rate from 40 to 100.
        """
        nearest = [self._nearest(value) for value in self._values(days)]
        return noisy_median(self.epsilon_milli / 1000, self.grid)(nearest)

    def _values(self, days: Iterable[DaySummary | None]) -> list[float]:
        """At most one for each day, inside the bounds; what is no number counts as no day."""
        low, high = self.bounds
        found = [self.value(day) for day in days if day is not None]
        return [min(max(value, low), high) for value in found if value is not None and not math.isnan(value)]

    def _nearest(self, value: float) -> float:
        at = bisect_left(self.grid, value)
        return min(self.grid[max(0, at - 1) : at + 1], key=lambda point: abs(point - value))
