"""What a backup holds of each table: all its columns, and whose key its rows are under.

A row is a line of JSON: the table's name, then the values in the order of the columns, bytes as hexadecimal. Where the
rows of a table are about a patient, the column that says about whom is not in the line: it is the section that says so,
and so no section can hold a row about somebody else.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from sync.clinic.backup.errors import BackupError
from sync.clinic.database.database import Row, Transaction, Value

Kind = Literal["bytes", "int", "real", "text", "text or null"]
_PAGE = 1000  # rows read at a time


@dataclass(frozen=True, slots=True)
class Table:
    """`key`: how many of the columns, from the first on, are its primary key. `subject`: the column that names a device
    or a code that is out; None: the rows are the clinic's own and outlive a withdrawal."""

    name: str
    columns: tuple[tuple[str, Kind], ...]
    key: int = 1
    subject: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.columns)

    @property
    def listed(self) -> str:
        """The columns for SQL."""
        return ", ".join(f'"{name}"' for name in self.names)

    def rows(self, tx: Transaction, subject: bytes | None = None) -> Iterator[Row]:
        """In the order of the key, a page at a time. `subject`: of this one alone."""
        where, parameters = ("", ()) if subject is None else (f'WHERE "{self.subject}" = ?', (subject,))
        key = ", ".join(f'"{name}"' for name in self.names[: self.key])
        first = f"SELECT {self.listed} FROM {self.name} {where} ORDER BY {key} LIMIT {_PAGE}"
        marks = ", ".join("?" * self.key)
        later = (
            f"SELECT {self.listed} FROM {self.name} {where or 'WHERE TRUE'} AND ({key}) > ({marks})"
            f" ORDER BY {key} LIMIT {_PAGE}"
        )
        page = tx.all(first, parameters)
        yield from page
        while len(page) == _PAGE:
            page = tx.all(later, (*parameters, *page[-1][: self.key]))
            yield from page

    def line(self, row: Row) -> bytes:
        values = [
            value.hex() if isinstance(value, bytes | memoryview) else value
            for (name, _), value in zip(self.columns, row, strict=True)
            if name != self.subject
        ]
        return json.dumps([self.name, *values], separators=(",", ":"), allow_nan=False).encode("ascii") + b"\n"

    def row(self, values: Sequence[object], subject: bytes | None) -> tuple[Value, ...]:
        """Of the values of a line. Raises BackupError."""
        if (subject is None) != (self.subject is None):
            raise BackupError(f"a row of {self.name} where none can be")
        columns = [column for column in self.columns if column[0] != self.subject]
        if len(values) != len(columns):
            raise BackupError(f"a row of {self.name} with {len(values)} values, expected {len(columns)}")
        read = iter(values)
        return tuple(
            subject if name == self.subject else _read(self.name, name, kind, next(read)) for name, kind in self.columns
        )


_QUESTION: tuple[tuple[str, Kind], ...] = (
    ("device", "bytes"),
    ("length_days", "int"),
    ("window", "int"),
    ("statistic", "text"),
    ("version", "int"),
)
OF_THE_CLINIC = (
    Table("meta", (("name", "text"), ("value", "text"))),
    Table("staff", (("name", "text"), ("password", "text"), ("added", "text"))),
    Table("api_tokens", (("digest", "bytes"), ("name", "text"), ("scope", "text"), ("added", "text"))),
    Table(
        "audit",
        (
            ("number", "int"),
            ("moment", "text"),
            ("who", "text"),
            ("action", "text"),
            ("subject", "text or null"),
            ("detail", "text or null"),
            ("mac", "bytes"),
        ),
    ),
    Table("withdrawn", (("device", "bytes"), ("sequence", "int"), ("day", "text"))),
    Table("answered", _QUESTION, 5),
)
OF_A_DEVICE = (
    Table(
        "devices",
        (
            ("id", "bytes"),
            ("key", "bytes"),
            ("pseudonym", "text"),
            ("label", "text or null"),
            ("token", "bytes"),
            ("sequence", "int"),
            ("statistics", "text"),
            ("enrolled", "text"),
            ("agreed", "text or null"),
        ),
        subject="id",
    ),
    Table("messages", (("device", "bytes"), ("id", "bytes"), ("digest", "bytes")), 2, "device"),
    Table(
        "answers",
        (*_QUESTION, ("value", "real"), ("epsilon_milli", "int"), ("received", "text")),
        5,
        "device",
    ),
)
OF_A_CODE = (
    Table(
        "pairings",
        (("token", "bytes"), ("pseudonym", "text"), ("label", "text or null"), ("last_day", "text")),
        subject="token",
    ),
)
TABLES = {table.name: table for table in (*OF_THE_CLINIC, *OF_A_DEVICE, *OF_A_CODE)}


def read_line(line: bytes, subject: bytes | None) -> tuple[Table, tuple[Value, ...]]:
    """Raises BackupError."""
    name, *values = parsed(line)
    table = TABLES.get(name) if isinstance(name, str) else None
    if table is None:
        raise BackupError("rows of a table that this program does not know")
    return table, table.row(values, subject)


def parsed(line: bytes) -> list[object]:
    """At least one value. Raises BackupError."""
    try:
        found = json.loads(line)
    except ValueError:
        raise BackupError("a line that is no row") from None
    if not isinstance(found, list) or not found:
        raise BackupError("a line that is no row")
    return found


def _read(table: str, name: str, kind: Kind, value: object) -> Value:
    if kind == "bytes" and isinstance(value, str):
        try:
            return bytes.fromhex(value)
        except ValueError:
            pass
    elif kind == "int" and isinstance(value, int) and not isinstance(value, bool):
        return value
    elif kind == "real" and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    elif kind.startswith("text") and isinstance(value, str):
        return value
    elif kind == "text or null" and value is None:
        return None
    raise BackupError(f"a row of {table} whose {name} is no {kind}")
