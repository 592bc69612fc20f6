"""The numbers of one day, from the windows that the store already holds: one each, or the reason why there is none.

A number stands on at least three hours of five-minute stretches of its night in which it could be told (steps: on eight
hours of the date), so that a sensor worn for a moment tells nothing of a day. How it was made is part of it: numbers
made in two ways are not comparable. Only sessions whose clock was right belong to a day.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from sqlite_utils import Database

from device_pipeline.baseline.wearer_day import WearerDay

STRETCH_NS = 300_000_000_000
LEAST_STRETCHES = 36
LEAST_STEP_STRETCHES = 96
_PART_NS = 30_000_000_000
_LEAST_PARTS = 5  # of the ten half minutes of a stretch, where windows are shorter than it
_LOWEST = 0.1  # share of the night below the resting heart rate: five-minute means scatter less than single windows


@dataclass(frozen=True, slots=True, repr=False)
class DayNumber:
    """`value` None where it cannot be told, and then `reason`: "no_data", "too_little_wear" or "not_over" (the day).

    `method` says how it was made, its version last; None where nothing was. `stretches`: of five minutes, that it is
    made of.
    """

    name: str
    value: float | None
    method: str | None
    stretches: int
    reason: str | None

    def __repr__(self) -> str:
        return f"<DayNumber {self.name} stretches={self.stretches} reason={self.reason}>"


@dataclass(frozen=True, slots=True)
class _Source:
    """Of one number: the table, the column, and an SQL expression of how it was made; `parts`: how many half minutes
    of a stretch need a value; `version`: of how the night becomes one number."""

    table: str
    value: str
    made: str
    parts: int
    version: str


_LEADING = """(SELECT c.source FROM coverage AS c WHERE c.session_id = w.session_id AND c.start_ns >= w.start_ns
    AND c.start_ns < w.start_ns + w.length_ns GROUP BY c.source ORDER BY count(*) DESC LIMIT 1)"""

SOURCES: dict[str, _Source] = {
    "resting_hr_bpm": _Source(
        "heart_rate",
        "w.bpm",
        "w.source || ' windows of ' || (w.length_ns / 1000000000) || ' s'",
        _LEAST_PARTS,
        "tenth/1",
    ),
    "rmssd_ms": _Source(
        "hrv",
        "json_extract(w.metric_values, '$.rmssd_ms')",
        f"coalesce({_LEADING}, '?') || ' ' || w.method",
        1,
        "median/1",
    ),
    "respiration_bpm": _Source("respiration", "w.rate_bpm", "w.method", 1, "median/1"),
    "temperature_c": _Source("temperature", "w.temperature_c", "w.site", 1, "median/1"),
    "spo2_pct": _Source("spo2", "w.spo2_pct", "w.method", 1, "median/1"),
}
STEPS_METHOD = "steps of the date, sum/1"


def day_numbers(db: Database, day: WearerDay, now_ns: int) -> list[DayNumber]:
    """All that there can be. While the day goes on its steps are not told; before its morning, nothing is."""
    if now_ns < day.morning_ns:
        return [DayNumber(name, None, None, 0, "not_over") for name in (*SOURCES, "steps")]
    return [*(_night_number(db, name, source, day) for name, source in SOURCES.items()), _steps(db, day, now_ns)]


def _night_number(db: Database, name: str, source: _Source, day: WearerDay) -> DayNumber:
    """Where it was made in several ways, the one that more of the night has."""
    means: dict[str, dict[int, float]] = {}
    for session, from_ns in _sessions(db, day.night_ns, day.morning_ns):
        rows = db.conn.execute(
            f"""SELECT {source.made} AS made, w.start_ns / {STRETCH_NS} AS stretch, avg({source.value})
            FROM {source.table} AS w
            WHERE w.session_id = ? AND w.start_ns >= ? AND w.start_ns < ? AND {source.value} IS NOT NULL
            GROUP BY made, stretch HAVING count(DISTINCT w.start_ns / {_PART_NS}) >= ?""",
            (session, max(from_ns, day.night_ns), day.morning_ns, source.parts),
        )
        for made, stretch, mean in rows:  # of two sensors that measure alike, the first
            means.setdefault(made, {}).setdefault(stretch, mean)
    if not means:
        return DayNumber(name, None, None, 0, "no_data")
    made, values = max(means.items(), key=lambda item: (len(item[1]), item[0]))
    method = f"{made}, {source.version}"
    if len(values) < LEAST_STRETCHES:
        return DayNumber(name, None, method, len(values), "too_little_wear")
    share = _LOWEST if name == "resting_hr_bpm" else 0.5
    return DayNumber(name, _quantile(sorted(values.values()), share), method, len(values), None)


def _steps(db: Database, day: WearerDay, now_ns: int) -> DayNumber:
    taken: dict[int, int] = {}
    for session, from_ns in _sessions(db, day.start_ns, day.end_ns):
        rows = db.conn.execute(
            "SELECT start_ns, steps FROM activity"
            " WHERE session_id = ? AND start_ns >= ? AND start_ns < ? AND steps IS NOT NULL",
            (session, max(from_ns, day.start_ns), day.end_ns),
        )
        for start_ns, steps in rows:  # two sensors of one body count the same steps
            taken[start_ns] = max(steps, taken.get(start_ns, 0))
    stretches = len({start_ns // STRETCH_NS for start_ns in taken})
    if not stretches:
        return DayNumber("steps", None, None, 0, "no_data")
    if now_ns < day.end_ns:
        return DayNumber("steps", None, STEPS_METHOD, stretches, "not_over")
    if stretches < LEAST_STEP_STRETCHES:
        return DayNumber("steps", None, STEPS_METHOD, stretches, "too_little_wear")
    return DayNumber("steps", float(sum(taken.values())), STEPS_METHOD, stretches, None)


def _sessions(db: Database, start_ns: int, end_ns: int) -> list[tuple[int, int]]:
    """Those that reach into [start_ns, end_ns), and from when on their clock was right."""
    rows = db.conn.execute(
        "SELECT id, synchronised_from_ns FROM sessions WHERE synchronised_from_ns IS NOT NULL"
        " AND started_ns < ? AND last_ns >= ? ORDER BY id",
        (end_ns, start_ns),
    )
    return [(int(session), int(from_ns)) for session, from_ns in rows]


def _quantile(ordered: list[float], share: float) -> float:
    at = share * (len(ordered) - 1)
    low = math.floor(at)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (at - low) * (ordered[high] - ordered[low])
