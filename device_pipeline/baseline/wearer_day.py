"""A day of the wearer's is a date in the local time zone: the night that ends on it, and the whole of that date.

The night is from 21:00 of the evening before to 9:00; whoever sleeps at other hours has other nights than these.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

NIGHT_FROM = time(21)
NIGHT_TO = time(9)


@dataclass(frozen=True, slots=True)
class WearerDay:
    """[night_ns, morning_ns) is its night, [start_ns, end_ns) the date itself; nanoseconds since the Unix epoch."""

    day: date
    night_ns: int
    morning_ns: int
    start_ns: int
    end_ns: int

    @classmethod
    def of(cls, day: date) -> WearerDay:
        before, after = day - timedelta(days=1), day + timedelta(days=1)
        return cls(
            day,
            _ns(datetime.combine(before, NIGHT_FROM)),
            _ns(datetime.combine(day, NIGHT_TO)),
            _ns(datetime.combine(day, time())),
            _ns(datetime.combine(after, time())),
        )


def date_of(t_ns: int) -> date:
    """The local date of a moment."""
    return datetime.fromtimestamp(t_ns // 1_000_000_000).date()


def _ns(moment: datetime) -> int:
    # .timestamp() of a naive moment minds the changes of the clocks
    return round(moment.timestamp()) * 1_000_000_000
