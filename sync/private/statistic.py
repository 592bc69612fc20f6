"""A statistic is one question about a window of days, with all that is public about it: bounds, grid, ε, length.

It sees days one by one, never the time between them, and clamps whatever it is given: hostile or broken values move a
result no further than the bounds allow. To add one: a file in statistics/, and a line in the registry.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from device_pipeline.day_summary import DaySummary


class Statistic(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def version(self) -> int:
        """Another one is another question, and costs anew."""

    @property
    def length_days(self) -> int: ...

    @property
    def epsilon_milli(self) -> int:
        """What one calendar day costs, in thousandths of ε (unit: one day replaced by any other, or by no data)."""

    @property
    def meaning(self) -> str:
        """What it tells, in plain words."""

    @property
    def unit(self) -> str: ...

    @property
    def bounds(self) -> tuple[float, float]:
        """Public, never derived from the wearer."""

    def true_value(self, days: Iterable[DaySummary | None]) -> float | None:
        """Without noise, for the wearer's own eyes; None where there is nothing to tell. None among `days`: no data."""

    def draw(self, days: Iterable[DaySummary | None]) -> float:
        """With noise: the one way a value becomes public. Raises PrivacyError where the mechanism breaks its claim."""
