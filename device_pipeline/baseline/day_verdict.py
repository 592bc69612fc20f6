"""What is said of one day: usual or unusual, by which numbers, or why nothing can be said.

Only days whose number was made in the same way are compared: a change of the method, the sensor or a model begins a new
baseline for that number, and is said. Where the old way comes back, its own days count again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from device_pipeline.baseline.day_number import DayNumber
from models import baseline


class Said(StrEnum):
    USUAL = "usual"
    UNUSUAL = "unusual"
    LEARNING = "learning"  # fewer than LEAST_DAYS days to compare with
    NOTHING = "nothing"  # this day has no numbers


@dataclass(frozen=True, slots=True, repr=False)
class NumberSaid:
    """One number of the day. `side` "above", "below", "within" the usual range from `low` to `high`, which `days` days
    made; None while there are fewer than LEAST_DAYS. `share` of what sets the day apart. `changed`: how it was made
    before, where that is another way than now."""

    name: str
    value: float | None
    method: str | None
    reason: str | None
    days: int = 0
    side: str | None = None
    low: float | None = None
    high: float | None = None
    share: float | None = None
    changed: str | None = None

    def __repr__(self) -> str:
        return f"<NumberSaid {self.name} days={self.days}>"


@dataclass(frozen=True, slots=True, repr=False)
class DayVerdict:
    """`probability`: the share of ordinary days that lie less far out, None where nothing is compared. `nights`: of
    the number that has most days before, at most LEAST_DAYS; `reason` where nothing can be said. `whole`: the date is
    over, so its steps count. `numbers`: those that set it apart most first."""

    day: date
    said: Said
    probability: float | None
    nights: int
    reason: str | None
    whole: bool
    model: str
    numbers: tuple[NumberSaid, ...]

    def __repr__(self) -> str:
        return f"<DayVerdict {self.day} nights={self.nights}>"


def day_verdict(
    day: date, numbers: Sequence[DayNumber], before: Mapping[date, Sequence[DayNumber]], whole: bool
) -> DayVerdict:
    """`before`: the numbers of earlier days, by date. Raises ModelError where the model cannot be used."""
    dates = [other for other in sorted(before) if 0 < (day - other).days <= baseline.LOOK_BACK]
    made = {number.name: number.method for number in numbers if number.value is not None}
    rows = [
        {
            number.name: number.value
            for number in before[other]
            if number.value is not None and made.get(number.name) == number.method
        }
        for other in dates
    ]
    today = {number.name: number.value for number in numbers if number.value is not None}
    changed = {name: _way_before(name, method, dates, before) for name, method in made.items()}
    table = baseline.weights()
    model = f"{table.name} {table.version}"
    found = baseline.judged(today, rows) if today else {}
    have = found if isinstance(found, dict) else found.waiting
    placed = {} if isinstance(found, dict) else {number.name: number for number in found.numbers}
    told = []
    for number in numbers:
        place = placed.get(number.name)
        told.append(
            NumberSaid(
                number.name,
                number.value,
                number.method,
                number.reason,
                days=have.get(number.name, 0) if place is None else place.days,
                side=None if place is None else place.side,
                low=None if place is None else place.low,
                high=None if place is None else place.high,
                share=None if place is None else place.share,
                changed=changed.get(number.name),
            )
        )
    told.sort(key=lambda number: (number.value is None, -(number.share or 0.0)))
    nights = min(baseline.LEAST_DAYS, max((number.days for number in told), default=0))
    if not today:
        # worn, but too little, is another reason than not worn at all
        worn = any(number.reason == "too_little_wear" for number in numbers)
        reason = "not_over" if numbers and numbers[0].reason == "not_over" else "too_little_wear" if worn else "no_data"
        return DayVerdict(day, Said.NOTHING, None, nights, reason, whole, model, tuple(told))
    if isinstance(found, dict):
        return DayVerdict(day, Said.LEARNING, None, nights, "too_few_days", whole, model, tuple(told))
    said = Said(found.score.label)
    return DayVerdict(day, said, found.score.probability, nights, None, whole, model, tuple(told))


def _way_before(
    name: str, method: str | None, dates: Sequence[date], before: Mapping[date, Sequence[DayNumber]]
) -> str | None:
    """How the number was last made, where that is another way."""
    for other in reversed(dates):
        for number in before[other]:
            if number.name == name and number.value is not None:
                return number.method if number.method != method else None
    return None
