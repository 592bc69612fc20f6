"""Windows are counted from 2024-01-01 and never moved: every calendar day lies in exactly one of each length.

So what a day costs is known beforehand: once per length and statistic (parallel composition over windows, sequential
over statistics). A quarter of 84 days is three windows of 28.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

FIRST_DAY = date(2024, 1, 1)
MONTH_DAYS = 28
QUARTER_DAYS = 84
LENGTHS_DAYS = (MONTH_DAYS, QUARTER_DAYS)
# A window is sealed so many days after its last one: what was worn at its end has been stored by then.
SEALED_AFTER_DAYS = 2


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """`length_days` calendar days, the first of them `FIRST_DAY + index * length_days`; `index` from 0 on."""

    length_days: int
    index: int

    def __post_init__(self) -> None:
        if self.length_days not in LENGTHS_DAYS or self.index < 0:
            raise ValueError(
                f"window {self.index} of {self.length_days} days; lengths {LENGTHS_DAYS}, from 0 on expected"
            )

    @property
    def first_day(self) -> date:
        return FIRST_DAY + timedelta(days=self.index * self.length_days)

    @property
    def last_day(self) -> date:
        return self.first_day + timedelta(days=self.length_days - 1)

    @property
    def sealed_from(self) -> date:
        """The first day on which it may be sealed."""
        return self.last_day + timedelta(days=1 + SEALED_AFTER_DAYS)

    def __contains__(self, day: date) -> bool:
        return self.first_day <= day <= self.last_day

    def days(self) -> Iterator[date]:
        return (self.first_day + timedelta(days=k) for k in range(self.length_days))


def window_of(day: date, length_days: int) -> Window:
    """The window that holds `day`. Raises ValueError for a day before the first one."""
    if day < FIRST_DAY:
        raise ValueError(f"{day.isoformat()}, {FIRST_DAY.isoformat()} or later expected")
    return Window(length_days, (day - FIRST_DAY).days // length_days)


def sealable(today: date, length_days: int) -> Window | None:
    """The newest window that may be sealed on `today`; None before there is one."""
    newest = (today - FIRST_DAY).days - SEALED_AFTER_DAYS
    index = newest // length_days - 1
    return None if index < 0 else Window(length_days, index)
