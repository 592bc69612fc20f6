"""Raw data is kept for a stated number of days, what was found in it for good.

Old is what both was measured and came into the store before the moment given: a recording of years ago that was
replayed today stays as long as one of today. What a clock that was not right stamped (a Pi without a clock starts in
the past) says nothing of its age: it is at least as old as the next live session whose clock was right.

It goes in steps, each a transaction of its own: whoever holds a link takes one now and then and stalls nothing, and one
that is interrupted has removed the oldest and goes on the next time.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from device_pipeline.store.connection import driver_errors
from device_pipeline.store.writer import StoreWriter

DAY_NS = 86_400_000_000_000
_LAST_NS = (1 << 63) - 1
# Of a step beside a link: about half a megabyte, some tens of milliseconds. Blocks are large, others small.
SMALL_STEP = 128
_LARGE_STEP = 65_536
_SMALL_ROWS = 4

# When a session was in the store at the latest; NULL where nobody knows yet.
_ARRIVED_NS = """CASE
    WHEN synchronised_from_ns IS NULL THEN (
        SELECT min(later.opened_ns) FROM sessions AS later
        WHERE later.id > sessions.id AND later.kind = 'live' AND later.synchronised_from_ns = 0
    )
    ELSE max(opened_ns, synchronised_from_ns)
END"""

# Each with the moment at which a row was over, which has an index, and what makes a row of it unique there.
_TABLES = (
    ("samples", "end_ns", "rowid"),
    ("readings", "t_ns", "session_id, seq"),
    ("gaps", "end_ns", "session_id, seq"),
)


@dataclass(frozen=True, slots=True)
class Removed:
    blocks: int = 0
    readings: int = 0
    gaps: int = 0

    def __add__(self, other: Removed) -> Removed:
        return Removed(self.blocks + other.blocks, self.readings + other.readings, self.gaps + other.gaps)


def keep_raw_days(writer: StoreWriter, days: int, now_ns: int) -> Removed:
    """Removes raw data that is more than `days` days old and gives its pages back to the disk, all of it now."""
    return sum(keeping_raw_days(writer, days, now_ns, _LARGE_STEP), Removed())


def keeping_raw_days(writer: StoreWriter, days: int, now_ns: int, step: int = SMALL_STEP) -> Iterator[Removed]:
    """The same in steps of at most `step` blocks or pages; what each step removed. Raises StoreError."""
    if days < 1:
        raise ValueError(f"{days} days, expected 1 or more")
    return _removing(writer, now_ns - days * DAY_NS, step)


def _removing(writer: StoreWriter, before_ns: int, step: int) -> Iterator[Removed]:
    """The blocks that ended, and the readings and gaps that were, before `before_ns`; nothing derived."""
    arrived = writer.db.conn.execute(
        f"SELECT id, synchronised_from_ns IS NULL FROM sessions WHERE {_ARRIVED_NS} < ?", (before_ns,)
    ).fetchall()
    dated = {int(session) for session, undated in arrived if not undated}
    for table, moment, unique in _TABLES:
        rows = step if table == "samples" else step * _SMALL_ROWS
        for count in _removing_dated(writer, table, moment, unique, dated, before_ns, rows):
            yield _removed(table, count)
        for session in [int(session) for session, undated in arrived if undated]:
            while (count := _remove_of(writer, table, session, rows)) > 0:
                yield _removed(table, count)
    for moment_ns, sessions in (
        (before_ns, dated),
        (_LAST_NS, {int(session) for session, undated in arrived if undated}),
    ):
        while _remove_shadow_scores(writer, sessions, moment_ns, step * _SMALL_ROWS) > 0:
            yield Removed()
    with driver_errors(writer.path):
        while (free := _free_pages(writer)) > 0:
            writer.db.conn.execute(f"PRAGMA incremental_vacuum({step})").fetchall()
            if _free_pages(writer) >= free:
                break
            yield Removed()


def _removing_dated(
    writer: StoreWriter, table: str, moment: str, unique: str, sessions: set[int], before_ns: int, rows: int
) -> Iterator[int]:
    """Goes through what is old by its moment, and takes what belongs to `sessions`; what stays is passed once."""
    last: tuple[int, ...] | None = None
    width = 1 + unique.count(",") + 1
    while True:
        after = "" if last is None else f"AND ({moment}, {unique}) > ({', '.join('?' * width)})"
        with driver_errors(writer.path):
            old = writer.db.conn.execute(
                f"SELECT session_id, seq, {moment}, {unique} FROM {table} WHERE {moment} < ? {after}"
                f" ORDER BY {moment}, {unique} LIMIT ?",
                (before_ns, *(last or ()), rows),
            ).fetchall()
        if not old:
            return
        last = tuple(old[-1][2:])
        taken = [(session, seq) for session, seq, *_ in old if session in sessions]
        if taken:
            with writer.transaction():
                writer.db.conn.executemany(f"DELETE FROM {table} WHERE session_id = ? AND seq = ?", taken)
        yield len(taken)


def _remove_of(writer: StoreWriter, table: str, session: int, rows: int) -> int:
    with writer.transaction():
        cursor = writer.db.conn.execute(
            f"DELETE FROM {table} WHERE session_id = ? AND seq IN"
            f" (SELECT seq FROM {table} WHERE session_id = ? ORDER BY seq LIMIT ?)",
            (session, session, rows),
        )
        return int(cursor.rowcount)


def _remove_shadow_scores(writer: StoreWriter, sessions: set[int], before_ns: int, rows: int) -> int:
    """What a model in shadow said is kept no longer than the raw data that it said it of."""
    if not sessions:
        return 0
    with writer.transaction():
        cursor = writer.db.conn.execute(
            "DELETE FROM shadow_scores WHERE id IN (SELECT id FROM shadow_scores WHERE t_ns < ?"
            " AND session_id IN (SELECT value FROM json_each(?)) ORDER BY t_ns LIMIT ?)",
            (before_ns, json.dumps(sorted(sessions)), rows),
        )
        return int(cursor.rowcount)


def _removed(table: str, count: int) -> Removed:
    return Removed(**{"blocks" if table == "samples" else table: count})


def _free_pages(writer: StoreWriter) -> int:
    return int(writer.db.conn.execute("PRAGMA freelist_count").fetchone()[0])
