"""The numbers of the wearer's days and what was said of them, as they were when the day was judged; kept for good."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date

from sqlite_utils import Database

from device_pipeline.baseline.day_number import DayNumber
from device_pipeline.baseline.day_verdict import DayVerdict, NumberSaid, Said
from device_pipeline.baseline.wearer_day import WearerDay
from device_pipeline.store.writer import StoreWriter


def stored_numbers(db: Database) -> dict[date, list[DayNumber]]:
    """Of every day that was over when its numbers were stored, and that nothing has been added to since."""
    added = db.conn.execute(
        "SELECT started_ns, last_ns, stored_ns FROM sessions"
        " WHERE synchronised_from_ns IS NOT NULL AND last_ns IS NOT NULL"
    ).fetchall()
    days: dict[date, list[DayNumber]] = {}
    measured: dict[date, int] = {}
    for day, measured_ns, *values in db.conn.execute(
        "SELECT day, measured_ns, number, value, method, stretches, reason FROM day_numbers ORDER BY day, number"
    ):
        one = date.fromisoformat(day)
        days.setdefault(one, []).append(DayNumber(*values))
        measured[one] = measured_ns
    for one, measured_ns in measured.items():
        bounds = WearerDay.of(one)
        if any(
            started_ns < bounds.end_ns and last_ns >= bounds.night_ns and stored_ns > measured_ns
            for started_ns, last_ns, stored_ns in added
        ):
            del days[one]
    return days


def store_numbers(writer: StoreWriter, days: dict[date, list[DayNumber]], now_ns: int) -> None:
    """Raises StoreError."""
    rows = [
        (day.isoformat(), n.name, n.value, n.method, n.stretches, n.reason, now_ns)
        for day, numbers in days.items()
        for n in numbers
    ]
    with writer.transaction():
        writer.db.conn.executemany(
            "INSERT OR REPLACE INTO day_numbers (day, number, value, method, stretches, reason, measured_ns)"
            " VALUES (?,?,?,?,?,?,?)",
            rows,
        )


def store_verdict(writer: StoreWriter, verdict: DayVerdict) -> None:
    """The later word on a day replaces the earlier one. Raises StoreError."""
    v = verdict
    numbers = json.dumps([asdict(number) for number in v.numbers], allow_nan=False)
    with writer.transaction():
        writer.db.execute(
            "INSERT OR REPLACE INTO day_verdicts (day, said, probability, nights, reason, whole, model, numbers)"
            " VALUES (?,?,?,?,?,?,?,?)",
            (v.day.isoformat(), v.said.value, v.probability, v.nights, v.reason, int(v.whole), v.model, numbers),
        )


def latest_verdict(db: Database) -> DayVerdict | None:
    row = db.conn.execute(
        "SELECT day, said, probability, nights, reason, whole, model, numbers FROM day_verdicts"
        " ORDER BY day DESC LIMIT 1"
    ).fetchone()
    if row is None:
        return None
    day, said, probability, nights, reason, whole, model, numbers = row
    told = tuple(NumberSaid(**number) for number in json.loads(numbers))
    return DayVerdict(date.fromisoformat(day), Said(said), probability, nights, reason, bool(whole), model, told)
