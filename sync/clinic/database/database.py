"""A database as the clinic uses it: transactions, and SQL that SQLite and PostgreSQL both understand.

Placeholders are `?`, so no statement has one within a literal; `"window"` is quoted, being a word of PostgreSQL's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

Value = str | int | float | bytes | None
Row = tuple[Any, ...]


class Transaction(Protocol):
    """Used by the one thread that opened it. Raises ClinicStoreError."""

    def execute(self, sql: str, parameters: Sequence[Value] = ()) -> int:
        """How many rows it touched."""

    def all(self, sql: str, parameters: Sequence[Value] = ()) -> list[Row]: ...

    def one(self, sql: str, parameters: Sequence[Value] = ()) -> Row | None:
        """The first row."""

    def many(self, sql: str, rows: Sequence[Sequence[Value]]) -> None:
        """The same statement for each of the rows."""

    def lock(self, *names: bytes) -> None:
        """Nobody else holds a lock of these names until the transaction ends. Who locks several sorts them before."""


class Database(Protocol):
    """Used by many threads at once; other processes may have it open too."""

    @property
    def kind(self) -> str:
        """`sqlite` or `postgresql`."""

    def writing(self) -> AbstractContextManager[Transaction]:
        """All of it or nothing; on the disk when it is left. Raises ClinicStoreError."""

    def reading(self) -> AbstractContextManager[Transaction]:
        """Sees one state of the database, whatever is written meanwhile. Raises ClinicStoreError."""

    def flush_erased(self) -> None:
        """What was erased also leaves the files: now, or where a reader is in the way, when it is asked for again."""

    def connections(self) -> dict[str, int]:
        """How many there are in each state; empty where none are lent out to the threads that ask."""

    def close(self) -> None: ...
