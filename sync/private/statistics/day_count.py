"""In how many days of a month something held: a count that one day changes by at most 1."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from device_pipeline.day_summary import DaySummary
from sync.private.noise import noisy_count
from sync.private.window import MONTH_DAYS


@dataclass(frozen=True, slots=True)
class DayCount:
    """A Statistic. Sensitivity 1 under replacing one day, so discrete Laplace noise of scale 1/ε."""

    name: str
    meaning: str
    holds: Callable[[DaySummary], bool]
    version: int = 1
    epsilon_milli: int = 500

    @property
    def length_days(self) -> int:
        return MONTH_DAYS

    @property
    def unit(self) -> str:
        return "days"

    @property
    def bounds(self) -> tuple[float, float]:
        return 0.0, float(MONTH_DAYS)

    def true_value(self, days: Iterable[DaySummary | None]) -> float | None:
        return float(self._count(days))

    def draw(self, days: Iterable[DaySummary | None]) -> float:
        return float(noisy_count(self.epsilon_milli / 1000)(self._count(days)))

    def _count(self, days: Iterable[DaySummary | None]) -> int:
        return min(sum(day is not None and self.holds(day) for day in days), self.length_days)
