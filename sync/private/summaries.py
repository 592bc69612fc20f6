"""Each day's summary is worked out once, when the day is over, and kept: raw data may be gone when its window closes.

Kept means kept: data that comes later changes no day, and a day looked at twice says the same.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import date, timedelta

from device_pipeline.day_summary import DaySummary
from sync.private.account import Account
from sync.private.window import SEALED_AFTER_DAYS, Window


class Summaries:
    """`work_out(day)`: the summary from the raw store, None for a day of which nothing is stored."""

    def __init__(self, account: Account, work_out: Callable[[date], DaySummary | None]) -> None:
        self._account = account
        self._work_out = work_out

    def keep(self, today: date, first_day: date, now_ns: int) -> int:
        """Works out the days from `first_day` on that are over as long as a window must be, and not kept yet.

        Gives how many. What is not over so long may still be stored: a link that was down brings its data late.
        """
        last_day = today - timedelta(days=SEALED_AFTER_DAYS)
        kept = {row[0] for row in self._account.rows("SELECT day FROM summaries")}
        days = [first_day + timedelta(days=k) for k in range((last_day - first_day).days)]
        wanted = [day for day in days if day.isoformat() not in kept]
        for day in wanted:
            summary = self._work_out(day)
            self._account.write(
                "INSERT INTO summaries (day, data, made_ns) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                (day.isoformat(), None if summary is None else _data(summary), now_ns),
            )
        return len(wanted)

    def days(self, window: Window, from_day: date) -> Sequence[DaySummary | None]:
        """Of each day of `window`; None for a day without data, one before `from_day`, and one not kept."""
        rows = self._account.rows(
            "SELECT day, data FROM summaries WHERE day BETWEEN ? AND ?",
            (max(window.first_day, from_day).isoformat(), window.last_day.isoformat()),
        )
        known = {day: data for day, data in rows if data is not None}
        return [_summary(day, known[day.isoformat()]) if day.isoformat() in known else None for day in window.days()]


def _data(summary: DaySummary) -> str:
    values = asdict(summary)
    del values["day"]
    return json.dumps(values, sort_keys=True, allow_nan=False)


def _summary(day: date, data: str) -> DaySummary:
    return DaySummary(day, **json.loads(data))
