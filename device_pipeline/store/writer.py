"""One writer. What it was given is on the disk within 10 s, in one transaction a batch, or the caller is told why not.

The pending batch lies in memory until its commit has succeeded, so a commit that failed loses nothing and is tried
again. Every batch also moves the session's last moment: a session whose writer was killed says how far it reaches.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

from sqlite_utils import Database

from device_pipeline.beat import Quality
from device_pipeline.clock import Clock
from device_pipeline.store.batch import Batch
from device_pipeline.store.connection import our_errors
from device_pipeline.store.finding_rows import Found
from device_pipeline.store.lock import WriterLock
from sensors.samples import Item

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
        self._batch: Batch | None = None  # of that session
        self._synchronised = False
        self._closed = False

    def beside(self) -> StoreWriter:
        """Another session of the same store and process, at the same time; closed before this one, and in this thread.

        Each has its own batch, and each commit is a transaction of its own.
        """
        return StoreWriter(self.db, self.path, None, self._clock)

    # -- a session

    @property
    def session(self) -> int | None:
        """The one that is open."""
        return self._session

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
        self._session, self._batch = session, Batch(session, self._clock, started_ns)
        return session

    def end_session(self, ended: Ended) -> None:
        """Commits what is pending and closes the session; an alert that is still open ends with it."""
        session = self._require_session()
        self.commit()
        with self.transaction():
            close_session(self.db, session, ended)
        self._session = self._batch = None

    # -- what arrives, and what was found in it

    def add_item(self, item: Item) -> None:
        """Raw: what the sensor sent, in the order it came. Raises StoreFullError: too much waits for the disk."""
        self._require_batch().add_item(item)

    def add_finding(self, finding: Found) -> None:
        """Anything the pipeline puts out but a Quality, which does not know its channel: see `add_quality`."""
        self._require_batch().add_finding(finding)

    def add_quality(self, quality: Quality, channel: str) -> None:
        self._require_batch().add_quality(quality, channel)

    # -- to the disk

    def commit_if_due(self, now_ns: int | None = None) -> bool:
        """Commits if the oldest pending thing is 5 s old, or 4 MiB are pending. `now_ns`: of the monotonic clock.

        Raises StoreFullError (or another StoreError) if it failed; the batch is kept and becomes due again 5 s later.
        """
        if self._batch is None or self._batch.due_ns is None:
            return False
        now_ns = self._clock.monotonic_ns() if now_ns is None else now_ns
        if now_ns < self._batch.due_ns:
            return False
        self.commit()
        return True

    def commit(self) -> None:
        """Commits what is pending, now. On an error everything pending is kept."""
        batch = self._batch
        if batch is None or batch.due_ns is None:
            return
        session = self._require_session()
        batch.try_again_later()  # if this attempt fails
        statements = batch.statements()
        now_ns = self._clock.now_ns()
        became_right = self._clock_became_right(now_ns, batch.last_ns)
        with self.transaction():
            for statement, rows in statements:
                self.db.conn.executemany(statement, rows)
            self.db.execute(
                "UPDATE sessions SET stored_ns = ?, started_ns = ?, last_ns = ? WHERE id = ?",
                (now_ns, batch.first_ns, batch.last_ns, session),
            )
            if became_right:
                self.db.execute("UPDATE sessions SET synchronised_from_ns = ? WHERE id = ?", (batch.last_ns, session))
        self._synchronised = self._synchronised or became_right
        batch.stored()

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
            self._session = self._batch = None
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

    def _clock_became_right(self, now_ns: int, last_ns: int | None) -> bool:
        """The host's clock has been set, and the newest data has its time from it.

        Data follows a clock that is set forward only after a while, one that is set back not at all, since its times
        may not fall: such a session stays unsynchronised to its end.
        """
        if self._synchronised or last_ns is None or not self._clock.is_synchronised():
            return False
        return abs(now_ns - last_ns) <= CLOCKS_AGREE_NS

    def _require_session(self) -> int:
        if self._session is None:
            raise RuntimeError("no session is open, expected begin_session first")
        return self._session

    def _require_batch(self) -> Batch:
        if self._batch is None:
            raise RuntimeError("no session is open, expected begin_session first")
        return self._batch


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
