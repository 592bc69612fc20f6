"""The wearer's days up to now: their numbers from the store, measured once each day is over, and the newest judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from sqlite_utils import Database

from device_pipeline.baseline.day_number import DayNumber, day_numbers
from device_pipeline.baseline.day_verdict import DayVerdict, day_verdict
from device_pipeline.baseline.wearer_day import WearerDay, date_of
from models.baseline import LOOK_BACK


@dataclass(frozen=True, slots=True, repr=False)
class Days:
    """`verdict` of the day asked for; `numbers` of it and of the days before; `fresh`: those of days that are over
    and were not in the store."""

    verdict: DayVerdict
    numbers: dict[date, list[DayNumber]]
    fresh: dict[date, list[DayNumber]]

    def __repr__(self) -> str:
        return f"<Days {self.verdict.day} fresh={len(self.fresh)}>"


def days_up_to(
    db: Database, now_ns: int, stored: Mapping[date, list[DayNumber]], day: date | None = None
) -> Days | None:
    """`day` None: the newest that has numbers, or else on which anything was worn. None where the store holds nothing
    of any day. Raises ModelError."""
    first_ns = db.conn.execute(
        "SELECT min(started_ns) FROM sessions WHERE synchronised_from_ns IS NOT NULL AND last_ns IS NOT NULL"
    ).fetchone()[0]
    if first_ns is None:
        return None
    today = date_of(now_ns)
    last = today if day is None else min(day, today)
    first = max(date_of(first_ns), last - timedelta(days=LOOK_BACK))
    numbers: dict[date, list[DayNumber]] = {}
    fresh: dict[date, list[DayNumber]] = {}
    for back in range((last - first).days + 1):
        one = first + timedelta(days=back)
        bounds = WearerDay.of(one)
        if one in stored:
            numbers[one] = list(stored[one])
            continue
        numbers[one] = day_numbers(db, bounds, now_ns)
        if bounds.end_ns <= now_ns and any(number.method for number in numbers[one]):
            fresh[one] = numbers[one]
    chosen = last
    if day is None:
        newest = list(reversed(numbers))
        told = [one for one in newest if any(number.value is not None for number in numbers[one])]
        worn = [one for one in newest if any(number.method for number in numbers[one])]
        chosen = (told or worn or [last])[0]
    if chosen not in numbers:
        numbers[chosen] = day_numbers(db, WearerDay.of(chosen), now_ns)
    before = {one: held for one, held in numbers.items() if one < chosen}
    whole = WearerDay.of(chosen).end_ns <= now_ns
    return Days(day_verdict(chosen, numbers[chosen], before, whole), numbers, fresh)
