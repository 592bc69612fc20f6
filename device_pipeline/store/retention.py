"""Raw data is kept for a stated number of days, what was found in it for good.

Old is what both was measured and came into the store before the moment given: a recording of years ago that was
replayed today stays as long as one of today. What a clock that was not right stamped (a Pi without a clock starts in
the past) says nothing of its age: it is at least as old as the next live session whose clock was right.
"""

from __future__ import annotations

from dataclasses import dataclass

from device_pipeline.store.connection import driver_errors
from device_pipeline.store.writer import StoreWriter

DAY_NS = 86_400_000_000_000
_PAGES_AT_ONCE = 1024

# When a session was in the store at the latest; NULL where nobody knows yet.
_ARRIVED_NS = """CASE
    WHEN synchronised_from_ns IS NULL THEN (
        SELECT min(later.opened_ns) FROM sessions AS later
        WHERE later.id > sessions.id AND later.kind = 'live' AND later.synchronised_from_ns = 0
    )
    ELSE max(opened_ns, synchronised_from_ns)
END"""


@dataclass(frozen=True, slots=True)
class Removed:
    blocks: int
    readings: int
    gaps: int


def keep_raw_days(writer: StoreWriter, days: int, now_ns: int) -> Removed:
    """Removes raw data that is more than `days` days old and gives its pages back to the disk."""
    if days < 1:
        raise ValueError(f"{days} days, expected 1 or more")
    return remove_raw_before(writer, now_ns - days * DAY_NS)


def remove_raw_before(writer: StoreWriter, before_ns: int) -> Removed:
    """Removes the blocks that ended, and the readings and gaps that were, before `before_ns`; nothing derived."""
    counts = {}
    with writer.transaction():
        for table, moment in (("samples", "end_ns"), ("readings", "t_ns"), ("gaps", "end_ns")):
            cursor = writer.db.conn.execute(
                f"DELETE FROM {table} WHERE session_id IN (SELECT id FROM sessions WHERE {_ARRIVED_NS} < ?"
                f" AND ({moment} < ? OR synchronised_from_ns IS NULL))",
                (before_ns, before_ns),
            )
            counts[table] = int(cursor.rowcount)
    # In small steps, each its own transaction, so that the log stays small.
    with driver_errors(writer.path):
        while (free := _free_pages(writer)) > 0:
            writer.db.conn.execute(f"PRAGMA incremental_vacuum({_PAGES_AT_ONCE})").fetchall()
            if _free_pages(writer) >= free:
                break
    return Removed(counts["samples"], counts["readings"], counts["gaps"])


def _free_pages(writer: StoreWriter) -> int:
    return int(writer.db.conn.execute("PRAGMA freelist_count").fetchone()[0])
