"""An SQLite file of one's own: private, of one schema, on the disk when a write returns, overwritten when erased.

Plain SQLite: what lies in it is sealed, or lies at a clinic. It sees no wearer and knows no network.
"""

from __future__ import annotations

import os
import sqlite3
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

_PATIENCE_S = 30.0


class SqliteFile:
    """Used by one thread at a time, while other processes may have it open too. `db`: the connection, in autocommit."""

    def __init__(self, path: Path, schema: Sequence[str], version: int, error: type[Exception]) -> None:
        """Makes the file where there is none. All that goes wrong with it, now and later, is raised as an `error`."""
        self.path = path
        self._error = error
        with self.told():
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            os.close(descriptor)
            # Whatever thread lets go of it closes it: from Python 3.13 on an open database is a warning.
            self.db = sqlite3.connect(path, timeout=_PATIENCE_S, isolation_level=None, check_same_thread=False)
            weakref.finalize(self, self.db.close)
            for setting in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "secure_delete = ON"):
                self.db.execute(f"PRAGMA {setting}")
            with self.transaction():
                (found,) = self.db.execute("PRAGMA user_version").fetchone()
                if found == 0:
                    for statement in schema:
                        self.db.execute(statement)
                    self.db.execute(f"PRAGMA user_version = {version}")
                elif found != version:
                    raise error(f"{path}: version {found}, this program knows {version}: update it")

    def close(self) -> None:
        self.db.close()

    def flush(self) -> None:
        """Nothing stays behind in the log."""
        with self.told():
            self.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    @contextmanager
    def told(self) -> Iterator[None]:
        """What SQLite or the disk do wrong within is raised as ours."""
        try:
            yield
        except sqlite3.Error as problem:
            raise self._error(f"{self.path}: {problem}") from None
        except OSError as problem:
            raise self._error(f"{self.path}: {problem.strerror}") from None

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it or nothing, and alone; on the disk when it is left."""
        with self.told():
            self.db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self.db.execute("COMMIT")
            except BaseException:
                if self.db.in_transaction:
                    self.db.execute("ROLLBACK")
                raise
