"""The keys of backups: a file of their own, in no backup and in no database, so that one deletion reaches every copy.

One key for the clinic's own rows, one for each device and each code that is out. A key that is erased is overwritten
in the file; its id stays, and of a device that withdrew what the clinic keeps of it anyway: its id, the number of its
last message, the day, the windows it had answered about. So a clinic put back from an old backup knows of withdrawals
that came after it.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Self

from sync.clinic.errors import ClinicError, ClinicStoreError
from sync.clinic.sqlite_version import sqlite_version
from sync.sqlite_file import SqliteFile

NAME = "backup-keys.db"
ID_BYTES = 16
KEY_BYTES = 32
_VERSION = 1
_SCHEMA = (
    "CREATE TABLE clinic (clinic BLOB NOT NULL, id BLOB NOT NULL, key BLOB NOT NULL) STRICT",
    # subject: the id of a device (16 bytes), or the SHA-256 of the token of a code that is out (32)
    """CREATE TABLE keys (
        id BLOB PRIMARY KEY CHECK (length(id) = 16),
        subject BLOB NOT NULL UNIQUE CHECK (length(subject) IN (16, 32)),
        key BLOB NOT NULL CHECK (length(key) = 32)
    ) STRICT, WITHOUT ROWID""",
    "CREATE TABLE erased (id BLOB PRIMARY KEY CHECK (length(id) = 16)) STRICT, WITHOUT ROWID",
    """CREATE TABLE withdrawn (
        device BLOB PRIMARY KEY CHECK (length(device) = 16),
        sequence INTEGER NOT NULL,
        day TEXT NOT NULL
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE answered (
        device BLOB NOT NULL,
        length_days INTEGER NOT NULL,
        window INTEGER NOT NULL,
        statistic TEXT NOT NULL,
        version INTEGER NOT NULL,
        PRIMARY KEY (device, length_days, window, statistic, version)
    ) STRICT, WITHOUT ROWID""",
)
DEVICE_BYTES = 16
TOKEN_HASH_BYTES = 32


@dataclass(frozen=True, slots=True, repr=False)
class BackupKey:
    """`id`: 16 bytes that name it, at random; of a device that comes back after its withdrawal there is another one."""

    id: bytes
    key: bytes


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """What outlives it. `answered`: length of the window, window, statistic, version."""

    device: bytes
    sequence: int
    day: date
    answered: tuple[tuple[int, int, str, int], ...]


class KeyStore:
    """Opened for one task and closed again, so that a disk that is away is missed only while it is needed."""

    def __init__(self, path: Path, clinic: bytes, *, create: bool = False) -> None:
        """`clinic`: ClinicKeys.id. Raises ClinicError where there is none, or another clinic's, ClinicStoreError."""
        self.path = path
        self.clinic = clinic
        if not create:
            _require_made(path)
        self._file = SqliteFile(path, _SCHEMA, _VERSION, ClinicStoreError)
        self._db = self._file.db
        try:
            with self.transaction():
                row = self._db.execute("SELECT clinic, id, key FROM clinic").fetchone()
                if row is None and not create:
                    raise _nothing_in(path)
                if row is None:
                    row = clinic, secrets.token_bytes(ID_BYTES), secrets.token_bytes(KEY_BYTES)
                    self._db.execute("INSERT INTO clinic (clinic, id, key) VALUES (?, ?, ?)", row)
            if row[0] != clinic:
                raise ClinicError(f"{path}: the keys of clinic {row[0].hex()}, this one is {clinic.hex()}")
        except BaseException:
            self._file.close()
            raise
        self.clinic_key = BackupKey(row[1], row[2])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._file.close()

    def transaction(self) -> AbstractContextManager[None]:
        """All of it or nothing, and alone; on the disk when it is left."""
        return self._file.transaction()

    def flush(self) -> None:
        """What was erased leaves the write-ahead log too."""
        self._file.flush()

    def copy_into(self, copy: sqlite3.Connection) -> None:
        """All of it, as it is now."""
        with self._file.told():
            self._db.backup(copy)

    def keys(self) -> dict[bytes, BackupKey]:
        """By subject."""
        with self._file.told():
            return {row[0]: BackupKey(row[1], row[2]) for row in self._db.execute("SELECT subject, id, key FROM keys")}

    def require_keys(self, subjects: Iterable[bytes]) -> dict[bytes, BackupKey]:
        """Those of all; made where there are none. Within a transaction; used after it."""
        found = self.keys()
        made = {
            subject: BackupKey(secrets.token_bytes(ID_BYTES), secrets.token_bytes(KEY_BYTES))
            for subject in subjects
            if subject not in found
        }
        self._db.executemany(
            "INSERT INTO keys (subject, id, key) VALUES (?, ?, ?)",
            ((subject, key.id, key.key) for subject, key in made.items()),
        )
        return found | made

    def erase(self, subjects: Iterable[bytes]) -> None:
        """Those that there are. Within a transaction; flush() afterwards."""
        for subject in subjects:
            for (id_,) in self._db.execute("DELETE FROM keys WHERE subject = ? RETURNING id", (subject,)).fetchall():
                self._db.execute("INSERT INTO erased (id) VALUES (?)", (id_,))

    def tokens(self) -> list[bytes]:
        """The subjects that are codes, not devices."""
        rows = self._db.execute("SELECT subject FROM keys WHERE length(subject) = ?", (TOKEN_HASH_BYTES,))
        return [row[0] for row in rows.fetchall()]

    def remember(self, withdrawal: Withdrawal) -> None:
        """Within a transaction."""
        self._db.execute(
            "INSERT INTO withdrawn (device, sequence, day) VALUES (?, ?, ?) ON CONFLICT (device) DO UPDATE"
            " SET sequence = excluded.sequence, day = excluded.day WHERE excluded.sequence >= sequence",
            (withdrawal.device, withdrawal.sequence, withdrawal.day.isoformat()),
        )
        self._db.executemany(
            "INSERT OR IGNORE INTO answered VALUES (?, ?, ?, ?, ?)",
            ((withdrawal.device, *window) for window in withdrawal.answered),
        )

    def erased(self) -> list[bytes]:
        """The ids of keys that there are no more."""
        with self._file.told():
            return [row[0] for row in self._db.execute("SELECT id FROM erased")]

    def withdrawals(self) -> Iterator[Withdrawal]:
        with self._file.told():
            for device, sequence, day in self._db.execute("SELECT device, sequence, day FROM withdrawn").fetchall():
                windows = self._db.execute(
                    "SELECT length_days, window, statistic, version FROM answered WHERE device = ?", (device,)
                ).fetchall()
                yield Withdrawal(device, sequence, date.fromisoformat(day), tuple(windows))


def _require_made(path: Path) -> None:
    """Nothing is written meanwhile. Raises ClinicError where there is none, ClinicStoreError."""
    version = sqlite_version(path)
    if version is None:
        raise ClinicError(f"{path}: the keys of backups are not here; is their disk there?")
    if version == 0:
        raise _nothing_in(path)


def _nothing_in(path: Path) -> ClinicError:
    return ClinicError(f"{path}: an empty file where the keys of backups are expected; is it the right disk?")
