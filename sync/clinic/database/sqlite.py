"""The clinic's database in a file: one who writes, others who read meanwhile; what was erased is overwritten."""

from __future__ import annotations

import os
import sqlite3
import threading
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sync.clinic.database.database import Row, Transaction, Value
from sync.clinic.database.schema import MIGRATIONS, SQLITE, statements
from sync.clinic.errors import ClinicError, ClinicStoreError
from sync.clinic.sqlite_version import sqlite_version

NAME = "clinic.db"
_PATIENCE_S = 30.0
_FLUSH_PATIENCE_S = 2.0


class SqliteDatabase:
    kind = "sqlite"

    def __init__(self, path: Path, *, create: bool = False) -> None:
        """Raises ClinicError where there is none, ClinicStoreError."""
        self.path = path
        if not create:
            _require_made(path)
        self._open: list[sqlite3.Connection] = []
        weakref.finalize(self, _close, self._open)
        self._lock = threading.Lock()
        self._readers: list[sqlite3.Connection] = []
        self._flush_due = False
        with self._told():
            descriptor = os.open(path, os.O_RDWR | (os.O_CREAT if create else 0) | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            os.close(descriptor)
            self._writer = self._connect()
        self._migrate()

    def connections(self) -> dict[str, int]:
        return {}

    def close(self) -> None:
        with self._lock:
            _close(self._open)
            self._readers.clear()

    @contextmanager
    def writing(self) -> Iterator[Transaction]:
        with self._lock, self._told():
            yield from _transaction(self._writer, "BEGIN IMMEDIATE")
            if self._flush_due:
                # what was written is written, whatever becomes of this
                with suppress(sqlite3.Error):
                    self._checkpoint(0.0)

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        with self._told():
            try:
                connection = self._readers.pop()  # a list's pop is one step: no other thread gets the same
            except IndexError:
                connection = self._connect()
                connection.execute("PRAGMA query_only = ON")
            try:
                yield from _transaction(connection, "BEGIN")
            finally:
                self._readers.append(connection)

    def flush_erased(self) -> None:
        with self._lock, self._told():
            # while this waits nobody writes; a backup reads for longer than that, and asks again when it is done
            self._checkpoint(_FLUSH_PATIENCE_S)

    def _checkpoint(self, patience_s: float) -> None:
        """Where a reader is in the way it is due again after the next transaction that writes."""
        self._flush_due = True
        self._writer.execute(f"PRAGMA busy_timeout = {int(patience_s * 1000)}")
        try:
            (busy, _, _) = self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            self._flush_due = bool(busy)
        finally:
            self._writer.execute(f"PRAGMA busy_timeout = {int(_PATIENCE_S * 1000)}")

    def _connect(self) -> sqlite3.Connection:
        # Whatever thread has need of it uses it, one at a time; and whatever thread lets go of it closes it.
        connection = sqlite3.connect(self.path, timeout=_PATIENCE_S, isolation_level=None, check_same_thread=False)
        self._open.append(connection)
        for setting in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "secure_delete = ON"):
            connection.execute(f"PRAGMA {setting}")
        return connection

    def _migrate(self) -> None:
        known = len(MIGRATIONS)
        with self.writing() as tx:
            row = tx.one("PRAGMA user_version")
            assert row is not None
            if row[0] > known:
                raise ClinicStoreError(f"{self.path}: version {row[0]}, this program knows {known}: update it")
            for version in range(row[0] + 1, known + 1):
                for statement in statements(version, SQLITE):
                    tx.execute(statement)
                tx.execute(f"PRAGMA user_version = {version}")

    @contextmanager
    def _told(self) -> Iterator[None]:
        """What SQLite or the disk do wrong within is raised as ours."""
        try:
            yield
        except sqlite3.Error as problem:
            raise ClinicStoreError(f"{self.path}: {problem}") from None
        except OSError as problem:
            raise ClinicStoreError(f"{self.path}: {problem.strerror}") from None


class _Transaction:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def execute(self, sql: str, parameters: Sequence[Value] = ()) -> int:
        return self._connection.execute(sql, parameters).rowcount

    def all(self, sql: str, parameters: Sequence[Value] = ()) -> list[Row]:
        return self._connection.execute(sql, parameters).fetchall()

    def one(self, sql: str, parameters: Sequence[Value] = ()) -> Row | None:
        cursor = self._connection.execute(sql, parameters)
        row: tuple[Any, ...] | None = cursor.fetchone()
        cursor.close()
        return row

    def many(self, sql: str, rows: Sequence[Sequence[Value]]) -> None:
        self._connection.executemany(sql, rows)

    def lock(self, *names: bytes) -> None:
        """Whoever writes is alone anyway."""


def _transaction(connection: sqlite3.Connection, begin: str) -> Iterator[Transaction]:
    connection.execute(begin)
    try:
        yield _Transaction(connection)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _close(connections: list[sqlite3.Connection]) -> None:
    while connections:
        connections.pop().close()


def _require_made(path: Path) -> None:
    """Nothing is written meanwhile. Raises ClinicError where there is none, ClinicStoreError."""
    version = sqlite_version(path)
    if version is None:
        raise ClinicError(f"{path.parent}: no clinic here; vitalkeep-clinic init makes one")
    if version == 0:
        raise ClinicError(f"{path}: an empty file where the clinic's database is expected; is it the right disk?")
