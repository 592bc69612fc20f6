"""The wearer's account of what was promised and answered: an encrypted database of its own, beside the store.

It has the key of the store. Everything in it is written in transactions that hold the one write lock from their first
statement on, and is on the disk when they return. Consents and answers are only ever added.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from device_pipeline.errors import StoreError
from device_pipeline.store.connection import connect, our_errors
from device_pipeline.store.vault import KEY_NAME, create_key, load_key
from sync.private.errors import LedgerError

NAME = "ledger.db"
_PATIENCE_MS = 60_000  # a day is worked out, or a window drawn, under the lock of another process
_VERSION = 1
_SCHEMA = (
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT",
    "CREATE TABLE identity (one INTEGER PRIMARY KEY CHECK (one = 1), signing_key BLOB NOT NULL) STRICT",
    """CREATE TABLE clinics (
        id BLOB PRIMARY KEY CHECK (length(id) = 16),
        name TEXT NOT NULL UNIQUE,
        url TEXT NOT NULL,
        sealing BLOB NOT NULL CHECK (length(sealing) = 32),
        signing BLOB NOT NULL CHECK (length(signing) = 32),
        paired_ns INTEGER NOT NULL,
        sequence INTEGER NOT NULL DEFAULT 0
    ) STRICT""",
    # day: the local day of the act; the newest row of a clinic and statistic is what holds
    """CREATE TABLE consents (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        clinic BLOB NOT NULL REFERENCES clinics (id),
        statistic TEXT NOT NULL,
        text_version INTEGER NOT NULL,
        granted INTEGER NOT NULL CHECK (granted IN (0, 1)),
        day TEXT NOT NULL,
        at_ns INTEGER NOT NULL
    ) STRICT""",
    # data: NULL where the day has none
    """CREATE TABLE summaries (
        day TEXT PRIMARY KEY,
        data TEXT,
        made_ns INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID""",
    # never the clinic: two clinics get one answer. from_day: days before it counted as no data
    """CREATE TABLE answers (
        length_days INTEGER NOT NULL,
        window INTEGER NOT NULL,
        statistic TEXT NOT NULL,
        version INTEGER NOT NULL,
        epsilon_milli INTEGER NOT NULL CHECK (epsilon_milli > 0),
        value REAL NOT NULL,
        from_day TEXT NOT NULL,
        drawn_ns INTEGER NOT NULL,
        PRIMARY KEY (length_days, window, statistic, version)
    ) STRICT, WITHOUT ROWID""",
    # windows that a lost part of the ledger answered, with what they cost: nothing more is answered about them
    """CREATE TABLE burned (
        length_days INTEGER NOT NULL,
        window INTEGER NOT NULL,
        epsilon_milli INTEGER NOT NULL,
        at_ns INTEGER NOT NULL,
        PRIMARY KEY (length_days, window)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE releases (
        id BLOB PRIMARY KEY CHECK (length(id) = 16),
        clinic BLOB NOT NULL REFERENCES clinics (id),
        sequence INTEGER NOT NULL,
        length_days INTEGER,
        window INTEGER,
        statistic TEXT,
        version INTEGER,
        envelope BLOB NOT NULL,
        not_before_ns INTEGER NOT NULL,
        handed_over INTEGER NOT NULL DEFAULT 0 CHECK (handed_over IN (0, 1)),
        UNIQUE (clinic, sequence),
        UNIQUE (clinic, length_days, window, statistic, version)
    ) STRICT""",
)
_APPEND_ONLY = ("consents", "answers", "burned")


class Account:
    """Opened by several processes at once; each write waits for the other."""

    def __init__(self, folder: Path) -> None:
        """Makes it where there is none; with the key of the store in `folder`. Raises LedgerError."""
        self.path = folder / NAME
        with told(self.path):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            key = load_key(folder) if (folder / KEY_NAME).exists() else create_key(folder)
            self._db = connect(self.path, key, read_only=False).conn
            self._db.execute(f"PRAGMA busy_timeout = {_PATIENCE_MS}")
        with self.transaction() as db:
            (version,) = db.execute("PRAGMA user_version").fetchone()
            if version == 0:
                for statement in _SCHEMA:
                    db.execute(statement)
                for table in _APPEND_ONLY:
                    for act in ("UPDATE", "DELETE"):
                        db.execute(
                            f"CREATE TRIGGER {table}_{act.lower()} BEFORE {act} ON {table}"
                            f" BEGIN SELECT RAISE(ABORT, 'only ever added to'); END"
                        )
                db.execute(f"PRAGMA user_version = {_VERSION}")
            elif version != _VERSION:
                raise LedgerError(f"{self.path}: version {version}, this program knows {_VERSION}: update it")

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        """All of it or nothing, and alone. Raises LedgerError."""
        with told(self.path):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def write(self, statement: str, values: tuple[Any, ...]) -> None:
        """One statement, in the transaction that is open, or in its own. Raises LedgerError."""
        with told(self.path):
            self._db.execute(statement, values)

    def rows(self, query: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        with told(self.path):
            return [tuple(row) for row in self._db.execute(query, values)]


@contextmanager
def told(path: Path) -> Iterator[None]:
    """What the driver, the key or the disk do wrong leaves as a LedgerError."""
    try:
        with our_errors(path):
            yield
    except StoreError as problem:
        raise LedgerError(str(problem)) from problem
