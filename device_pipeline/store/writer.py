"""One writer. What it was given is on the disk within 10 s, in one transaction a batch, or the caller is told why not.

The pending batch lies in memory until its commit has succeeded, so a commit that failed loses nothing and is tried
again. Every batch also moves the session's last moment: a session whose writer was killed says how far it reaches.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

import numpy as np
from sqlite_utils import Database

from device_pipeline.alerts.alert import Alert
from device_pipeline.beat import Beat, Quality
from device_pipeline.clock import Clock
from device_pipeline.errors import StoreFullError
from device_pipeline.hrv import Hrv
from device_pipeline.rhythm import RhythmSpan
from device_pipeline.side import SideFinding
from device_pipeline.store.blocks import Step, encode
from device_pipeline.store.connection import our_errors
from device_pipeline.store.lock import WriterLock
from device_pipeline.store.side_tables import SIDE_INSERTS, SIDE_TABLES, side_row
from device_pipeline.track import Window
from device_pipeline.windows import HeartRate
from sensors.samples import Gap, Item, Reading, Samples

# Half the promise: the other half is for the caller's tick and the commit itself.
COMMIT_EVERY_NS = 5_000_000_000
COMMIT_BYTES = 4 << 20
# Beyond this nothing more is taken while the disk stays full; memory is bounded.
PENDING_LIMIT_BYTES = 64 << 20
_ROW_BYTES = 128
# How far the newest data may lie from a clock that is right and still have its time from it: intervals come 4 s late.
CLOCKS_AGREE_NS = 15_000_000_000


class SessionKind(StrEnum):
    LIVE = "live"
    REPLAY = "replay"
    IMPORT = "import"


class Ended(StrEnum):
    CLEAN = "clean"
    KILLED = "killed"  # its process died; found at the next start
    ERROR = "error"


_INSERT = {
    "samples": """INSERT INTO samples (session_id, seq, kind, channel, fs_hz, anchor_ns, step_ns, "offset", n, width,
        start_ns, end_ns, encoding, data) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)""",
    "readings": "INSERT INTO readings (session_id, seq, quantity, channel, t_ns, value) VALUES (?,?,?,?,?,?)",
    "gaps": "INSERT INTO gaps (session_id, seq, channel, start_ns, end_ns, reason) VALUES (?,?,?,?,?,?)",
    "absences": "INSERT INTO absences (session_id, channel, start_ns, end_ns, reason) VALUES (?,?,?,?,?)",
    # the later word on the same beat, window or alert replaces the earlier one
    "beats": "INSERT OR REPLACE INTO beats (session_id, t_ns, source, rr_s, label) VALUES (?,?,?,?,?)",
    "quality": """INSERT OR REPLACE INTO quality (session_id, channel, start_ns, end_ns, quality, good, reason)
        VALUES (?,?,?,?,?,?,?)""",
    "coverage": """INSERT OR REPLACE INTO coverage (session_id, start_ns, end_ns, source, good_ns, poor_ns, quality,
        reason) VALUES (?,?,?,?,?,?,?,?)""",
    "heart_rate": """INSERT OR REPLACE INTO heart_rate (session_id, start_ns, length_ns, source, bpm, quality, reason)
        VALUES (?,?,?,?,?,?,?)""",
    "hrv": """INSERT OR REPLACE INTO hrv (session_id, start_ns, length_ns, n_beats, corrected_pct, method, reason,
        metric_values) VALUES (?,?,?,?,?,?,?,?)""",
    "rhythm": "INSERT OR REPLACE INTO rhythm (session_id, start_ns, end_ns, kind) VALUES (?,?,?,?)",
    "alerts": """INSERT OR REPLACE INTO alerts (session_id, rule, start_ns, raised_ns, end_ns, text)
        VALUES (?,?,?,?,?,?)""",
    **SIDE_INSERTS,
}


class StoreWriter:
    """Made by `Store.writer()`. Call `commit_if_due` after every item, and at least once a second while none comes.

    As a context manager it closes the session as clean, or as an error if an exception passes through.
    """

    def __init__(self, db: Database, path: Path, lock: WriterLock | None, clock: Clock) -> None:
        self.db = db
        self.path = path
        self._lock = lock
        self._clock = clock
        self._session: int | None = None
        self._seq = 0
        self._open_blocks: dict[str, tuple[int, list[Samples]]] = {}
        self._rows: dict[str, list[tuple[object, ...]]] = {table: [] for table in _INSERT}
        self._steps: dict[str, Step] = {}
        self._first_ns: int | None = None
        self._last_ns: int | None = None
        self._synchronised = False
        self._pending_bytes = 0
        self._due_ns: int | None = None
        self._closed = False

    def beside(self) -> StoreWriter:
        """Another session of the same store and process, at the same time; closed before this one, and in this thread.

        Each has its own batch, and each commit is a transaction of its own.
        """
        return StoreWriter(self.db, self.path, None, self._clock)

    # -- a session

    def begin_session(self, kind: SessionKind, source: str, program: str, started_ns: int | None = None) -> int:
        """Starts and commits a session; returns its id.

        `source`: what the wearer calls the device or file. `program`: our version. `started_ns`: in the data's time,
        None to take it from the first item. Live data is tagged as unsynchronised until the host's clock is
        right: a Pi starts with the time at which it was last shut down.
        """
        if self._session is not None:
            raise RuntimeError(f"session {self._session} is still open, expected none")
        now_ns = self._clock.now_ns()
        # a recording and a file carry times of their own
        self._synchronised = kind is not SessionKind.LIVE or self._clock.is_synchronised()
        with self.transaction():
            cursor = self.db.execute(
                "INSERT INTO sessions (kind, source, program, opened_ns, stored_ns, started_ns, last_ns,"
                " synchronised_from_ns) VALUES (?,?,?,?,?,?,?,?)",
                (
                    SessionKind(kind).value,
                    source,
                    program,
                    now_ns,
                    now_ns,
                    started_ns,
                    started_ns,
                    0 if self._synchronised else None,
                ),
            )
            session = int(cursor.lastrowid or 0)
        self._session, self._seq = session, 0
        self._first_ns = self._last_ns = started_ns
        self._steps.clear()
        return session

    def end_session(self, ended: Ended) -> None:
        """Commits what is pending and closes the session; an alert that is still open ends with it."""
        session = self._require_session()
        self.commit()
        with self.transaction():
            close_session(self.db, session, ended)
        self._session = None

    # -- what arrives

    def add_item(self, item: Item) -> None:
        """Raw: what the sensor sent, in the order it came."""
        session = self._require_session()
        if isinstance(item, Samples):
            self._add_samples(item)
        elif isinstance(item, Reading):
            reading = (session, self._next_seq(), item.quantity.value, item.channel, item.t_ns, _number(item.value))
            self._add("readings", reading, item.t_ns, item.t_ns)
        else:
            for channel in [item.channel] if item.channel is not None else list(self._open_blocks):
                self._finish_block(channel)
            gap = (session, self._next_seq(), item.channel, item.start_ns, item.end_ns, item.reason.value)
            self._add("gaps", gap, item.start_ns, item.end_ns)

    # -- what was found

    def add_finding(
        self, finding: Beat | Quality | Gap | Window | HeartRate | Hrv | Alert | RhythmSpan | SideFinding
    ) -> None:
        """Anything the pipeline puts out but a Quality, which does not know its channel: see `add_quality`."""
        match finding:
            case Beat():
                self.add_beat(finding)
            case Window():
                self.add_coverage(finding)
            case Gap():
                self.add_absence(finding)
            case HeartRate():
                self.add_heart_rate(finding)
            case Hrv():
                self.add_hrv(finding)
            case Alert():
                self.add_alert(finding)
            case RhythmSpan():
                self.add_rhythm(finding)
            case Quality():
                raise TypeError("a Quality does not know its channel, expected add_quality(quality, channel)")
            case _:
                self._add(SIDE_TABLES[type(finding)], (self._require_session(), *side_row(finding)))

    def add_beat(self, beat: Beat) -> None:
        row = (self._require_session(), beat.t_ns, beat.source.value, _number(beat.rr_s), beat.label.value)
        self._add("beats", row, beat.t_ns, beat.t_ns)

    def add_absence(self, gap: Gap) -> None:
        """A gap among the findings: also those that the pipeline itself saw in the signal."""
        row = (self._require_session(), gap.channel, gap.start_ns, gap.end_ns, gap.reason.value)
        self._add("absences", row, gap.start_ns, gap.end_ns)

    def add_quality(self, quality: Quality, channel: str) -> None:
        q = quality
        row = (self._require_session(), channel, q.start_ns, q.end_ns, _number(q.index), int(q.good), q.reason)
        self._add("quality", row, q.start_ns, q.end_ns)

    def add_coverage(self, window: Window) -> None:
        """What could be read of a window of the source that leads; of the window itself only that is kept."""
        w = window
        session = self._require_session()
        row = (session, w.start_ns, w.end_ns, w.source.value, w.good_ns, w.poor_ns, _number(w.index), w.reason)
        self._add("coverage", row)

    def add_heart_rate(self, window: HeartRate) -> None:
        w = window
        row = (
            self._require_session(),
            w.start_ns,
            w.length_ns,
            w.source.value,
            _number(w.bpm),
            _number(w.quality),
            w.reason,
        )
        self._add("heart_rate", row)

    def add_hrv(self, window: Hrv) -> None:
        w = window
        values = None
        if w.values is not None:
            values = json.dumps({name: _number(value) for name, value in w.values.items()}, allow_nan=False)
        session = self._require_session()
        row = (session, w.start_ns, w.length_ns, w.n_beats, _number(w.corrected_pct), str(w.method), w.reason, values)
        self._add("hrv", row)

    def add_rhythm(self, span: RhythmSpan) -> None:
        self._add("rhythm", (self._require_session(), span.start_ns, span.end_ns, span.kind.value))

    def add_alert(self, alert: Alert) -> None:
        """Once when it is raised and once when it is over: rule and start name it."""
        a = alert
        self._add("alerts", (self._require_session(), a.rule, a.start_ns, a.raised_ns, a.end_ns, a.text))

    # -- to the disk

    def commit_if_due(self, now_ns: int | None = None) -> bool:
        """Commits if the oldest pending thing is 5 s old, or 4 MiB are pending. `now_ns`: of the monotonic clock.

        Raises StoreFullError (or another StoreError) if it failed; the batch is kept and becomes due again 5 s later.
        """
        if self._due_ns is None:
            return False
        now_ns = self._clock.monotonic_ns() if now_ns is None else now_ns
        if now_ns < self._due_ns:
            return False
        self.commit()
        return True

    def commit(self) -> None:
        """Commits what is pending, now. On an error everything pending is kept."""
        if self._due_ns is None:
            return
        session = self._require_session()
        self._due_ns = self._clock.monotonic_ns() + COMMIT_EVERY_NS  # if this attempt fails
        for channel in list(self._open_blocks):
            self._finish_block(channel)
        now_ns = self._clock.now_ns()
        became_right = self._clock_became_right(now_ns)
        with self.transaction():
            for table, rows in self._rows.items():
                if rows:
                    self.db.conn.executemany(_INSERT[table], rows)
            self.db.execute(
                "UPDATE sessions SET stored_ns = ?, started_ns = ?, last_ns = ? WHERE id = ?",
                (now_ns, self._first_ns, self._last_ns, session),
            )
            if became_right:
                self.db.execute("UPDATE sessions SET synchronised_from_ns = ? WHERE id = ?", (self._last_ns, session))
        self._synchronised = self._synchronised or became_right
        for rows in self._rows.values():
            rows.clear()
        self._pending_bytes = 0
        self._due_ns = None

    def close(self, reason: Ended = Ended.CLEAN) -> None:
        """Ends the session if one is open, and lets go of the store, whatever happens.

        Raises StoreError if the last batch could not be stored; the session is then closed at the next start.
        """
        if self._closed:
            return
        try:
            if self._session is not None:
                self.end_session(reason)
        finally:
            self._closed = True
            self._session = None
            if self._lock is not None:
                try:
                    with our_errors(self.path):
                        self.db.conn.close()
                finally:
                    self._lock.release()

    def __enter__(self) -> StoreWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.close(Ended.CLEAN if kind is None else Ended.ERROR)

    # -- inside

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with our_errors(self.path):
            self.db.conn.execute("BEGIN IMMEDIATE")
            try:
                yield
                self.db.conn.execute("COMMIT")
            except BaseException:
                if self.db.conn.in_transaction:  # a full disk may have rolled it back already
                    self.db.conn.execute("ROLLBACK")
                raise

    def _clock_became_right(self, now_ns: int) -> bool:
        """The host's clock has been set, and the newest data has its time from it.

        Data follows a clock that is set forward only after a while, one that is set back not at all, since its times
        may not fall: such a session stays unsynchronised to its end.
        """
        if self._synchronised or self._last_ns is None or not self._clock.is_synchronised():
            return False
        return abs(now_ns - self._last_ns) <= CLOCKS_AGREE_NS

    def _require_session(self) -> int:
        if self._session is None:
            raise RuntimeError("no session is open, expected begin_session first")
        return self._session

    def _next_seq(self) -> int:
        self._seq += 1
        return self._seq

    def _add(self, table: str, row: tuple[object, ...], start_ns: int | None = None, end_ns: int | None = None) -> None:
        self._take(_ROW_BYTES)
        if start_ns is not None and end_ns is not None:
            self._reach(start_ns, end_ns)
        self._rows[table].append(row)

    def _reach(self, start_ns: int, end_ns: int) -> None:
        self._first_ns = start_ns if self._first_ns is None else min(self._first_ns, start_ns)
        self._last_ns = end_ns if self._last_ns is None else max(self._last_ns, end_ns)

    def _take(self, n_bytes: int) -> None:
        if self._pending_bytes + n_bytes > PENDING_LIMIT_BYTES:
            raise StoreFullError(
                f"{self._pending_bytes} bytes wait to be stored, expected at most {PENDING_LIMIT_BYTES}"
            )
        if self._due_ns is None:
            self._due_ns = self._clock.monotonic_ns() + COMMIT_EVERY_NS
        if self._pending_bytes < COMMIT_BYTES <= self._pending_bytes + n_bytes:
            self._due_ns = self._clock.monotonic_ns()
        self._pending_bytes += n_bytes

    def _add_samples(self, block: Samples) -> None:
        if len(block) == 0:
            return
        self._take(block.values.nbytes + _ROW_BYTES)
        self._reach(block.start_ns, block.end_ns)
        _, blocks = self._open_blocks.get(block.channel, (0, []))
        if blocks and not _continues(blocks[-1], block):
            self._finish_block(block.channel)
            blocks = []
        if not blocks:
            self._open_blocks[block.channel] = (self._next_seq(), blocks)
        blocks.append(block)

    def _finish_block(self, channel: str) -> None:
        """Turns the blocks of a channel that follow on each other into one row."""
        if channel not in self._open_blocks:
            return
        seq, blocks = self._open_blocks.pop(channel)
        first = blocks[0]
        values = np.concatenate([block.values for block in blocks]) if len(blocks) > 1 else first.values
        encoded = encode(values, self._steps.get(channel))
        if encoded.step is not None:
            self._steps[channel] = encoded.step
        row = (
            self._require_session(),
            seq,
            first.kind.value,
            channel,
            float(first.fs_hz),
            first.anchor_ns,
            float(first.step_ns),
            first.offset,
            len(values),
            1 if values.ndim == 1 else values.shape[1],
            first.start_ns,
            blocks[-1].end_ns,
            encoded.encoding,
            encoded.data,
        )
        self._rows["samples"].append(row)


def close_killed_sessions(db: Database) -> None:
    """Closes the sessions whose writer died. Only under the writer's lock, inside a transaction."""
    for (session,) in db.execute("SELECT id FROM sessions WHERE ended IS NULL").fetchall():
        close_session(db, session, Ended.KILLED)


def close_session(db: Database, session: int, ended: Ended) -> None:
    db.execute(
        "UPDATE alerts SET end_ns = max(raised_ns, coalesce((SELECT last_ns FROM sessions WHERE id = session_id), 0))"
        " WHERE session_id = ? AND end_ns IS NULL",
        (session,),
    )
    db.execute("UPDATE sessions SET ended = ? WHERE id = ?", (ended.value, session))


def _continues(before: Samples, block: Samples) -> bool:
    return (
        block.offset == before.offset + len(before)
        and (block.anchor_ns, block.step_ns) == (before.anchor_ns, before.step_ns)
        and (block.kind, block.fs_hz) == (before.kind, before.fs_hz)
        and block.values.shape[1:] == before.values.shape[1:]
    )


def _number(value: float | None) -> float | None:
    """As the database takes it; a NaN would become NULL there and its whole batch could never be stored."""
    if value is None:
        return None
    if not math.isfinite(value):
        raise ValueError("a value is not finite, expected None and a reason")
    return float(value)
