"""Puts a backup back into a clinic that holds nothing: all of it is checked before anything is written, and all or
nothing is written.

Whose key was erased is left out, and stays withdrawn; whose key is missing for another reason is not passed over in
silence. What the keys know of withdrawals that came after the backup is put back with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from sync.clinic.backup.backup import FORMAT
from sync.clinic.backup.erasure import flush_erased
from sync.clinic.backup.errors import BackupError
from sync.clinic.backup.file import BackupReader
from sync.clinic.backup.key_store import KeyStore
from sync.clinic.backup.table import TABLES, Table, parsed, read_line
from sync.clinic.database.database import Database, Transaction, Value
from sync.clinic.database.schema import MIGRATIONS
from sync.clinic.errors import ClinicError
from sync.clinic.tables.meta import RESTORING, Meta

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Contents:
    """What a backup holds. `left_out`: devices and codes whose key was erased; `missing`: whose key is not here."""

    day: date
    rows: dict[str, int]
    left_out: int
    missing: int


Written = Callable[[Transaction, Contents], None]


def verify_backup(path: Path, clinic: bytes, keys: KeyStore) -> Contents:
    """Reads all of it. `clinic`: ClinicKeys.id. Raises BackupError, ClinicStoreError."""
    reading = _Reading(path, clinic, keys)
    rows = Counter(table.name for table, _ in reading.rows())
    return Contents(reading.day, dict(rows), reading.left_out, reading.missing)


def require_keys(contents: Contents, keys: KeyStore) -> None:
    """Raises BackupError where patients would be left out who did not withdraw."""
    if contents.missing:
        raise BackupError(
            f"the keys of {contents.missing} patients or codes are not in {keys.path}: it is older than the backup."
            " Take its newest copy, or leave them out with --without-missing"
        )


def restore(path: Path, clinic: bytes, keys: KeyStore, database: Database, written: Written) -> Contents:
    """Raises ClinicError where the database holds something, BackupError, ClinicStoreError: then nothing was written.

    `written`: what else is done in the same transaction. To be called after verify_backup; what was changed in between
    is found out before anything is committed.
    """
    with database.writing() as tx:
        _require_empty(tx)
        Meta(tx).put(RESTORING, path.name)
    reading = _Reading(path, clinic, keys)
    rows: Counter[str] = Counter()
    with database.writing() as tx:
        _require_empty(tx)
        Meta(tx).take(RESTORING)
        inserts = _Inserts(tx)
        for table, row in reading.rows():
            inserts.add(table, row)
            rows[table.name] += 1
        inserts.flush()
        _know_withdrawals(tx, keys)
        contents = Contents(reading.day, dict(rows), reading.left_out, reading.missing)
        written(tx, contents)
    flush_erased(database)
    return contents


class _Reading:
    """A backup read once, row by row; what else is known of it, known at the end."""

    def __init__(self, path: Path, clinic: bytes, keys: KeyStore) -> None:
        self._path = path
        self._clinic = clinic
        self._keys = keys
        self.day = date.min
        self.left_out = self.missing = 0

    def rows(self) -> Iterator[tuple[Table, tuple[Value, ...]]]:
        try:
            with self._path.open("rb") as file:
                keys, erased = self._keys.keys(), self._keys.erased()
                reader = BackupReader(file, self._clinic, self._keys.clinic_key, keys, erased)
                lines = reader.lines()
                self._begin(next(lines).text)
                for line in lines:
                    yield read_line(line.text, line.subject)
        except OSError as problem:
            raise BackupError(f"{self._path}: {problem.strerror}") from None
        except BackupError as problem:
            raise BackupError(f"{self._path}: {problem}") from None
        self.left_out, self.missing = len(reader.left_out), len(reader.missing)

    def _begin(self, text: bytes) -> None:
        kind, about = (*parsed(text), None)[:2]
        if kind != "backup" or not isinstance(about, dict) or about.get("format") != FORMAT:
            raise BackupError(f"not a backup of format {FORMAT}, which is what this program knows")
        if about.get("schema") != len(MIGRATIONS):
            raise BackupError(
                f"made from tables of version {about.get('schema')}, this program knows {len(MIGRATIONS)}: use the"
                " program that made it"
            )
        self.day = date.fromisoformat(str(about.get("day")))


class _Inserts:
    """Many rows in one statement."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._waiting: dict[str, list[tuple[Value, ...]]] = {}

    def add(self, table: Table, row: tuple[Value, ...]) -> None:
        waiting = self._waiting.setdefault(table.name, [])
        waiting.append(row)
        if len(waiting) == _AT_ONCE:
            self._insert(table, waiting)
            waiting.clear()

    def flush(self) -> None:
        for name, waiting in self._waiting.items():
            if waiting:
                self._insert(TABLES[name], waiting)
        self._waiting.clear()

    def _insert(self, table: Table, rows: list[tuple[Value, ...]]) -> None:
        one = f"({', '.join('?' * len(table.columns))})"
        self._tx.execute(
            f"INSERT INTO {table.name} ({table.listed}) VALUES {', '.join([one] * len(rows))}",
            [value for row in rows for value in row],
        )


def _require_empty(tx: Transaction) -> None:
    for name in TABLES:
        where = f" WHERE name <> '{RESTORING}'" if name == "meta" else ""
        if tx.one(f"SELECT 1 FROM {name}{where} LIMIT 1") is not None:
            raise ClinicError("this clinic's database holds something; a backup is put back into an empty one")


def _know_withdrawals(tx: Transaction, keys: KeyStore) -> None:
    """Those that came after the backup."""
    for each in keys.withdrawals():
        tx.many(
            'INSERT INTO answered (device, length_days, "window", statistic, version) VALUES (?, ?, ?, ?, ?)'
            " ON CONFLICT DO NOTHING",
            [(each.device, *window) for window in each.answered],
        )
        if tx.one("SELECT 1 FROM devices WHERE id = ?", (each.device,)) is None:
            tx.execute(
                "INSERT INTO withdrawn (device, sequence, day) VALUES (?, ?, ?) ON CONFLICT (device) DO UPDATE"
                " SET sequence = excluded.sequence, day = excluded.day"
                " WHERE excluded.sequence > withdrawn.sequence",
                (each.device, each.sequence, each.day.isoformat()),
            )
