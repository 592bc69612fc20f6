"""The clinic's database: what devices have sent, by days; no address, no user agent, no time finer than a day.

Each message is one transaction that is on the disk before its receipt exists. A device that withdrew leaves its id, the
number of its last message and the windows it has answered about: what refuses an old copy of it, and nothing else.
"""

from __future__ import annotations

import json
import secrets
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Self

from sync.clinic.errors import ClinicError, ClinicStoreError, UnknownPatientError
from sync.pairing import TOKEN_BYTES, base32
from sync.release import Answer
from sync.sqlite_file import SqliteFile

NAME = "clinic.db"
_VERSION = 1
_SCHEMA = (
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID",
    # token: SHA-256 of it
    """CREATE TABLE pairings (
        token BLOB PRIMARY KEY,
        pseudonym TEXT NOT NULL UNIQUE,
        label TEXT,
        last_day TEXT NOT NULL
    ) STRICT, WITHOUT ROWID""",
    # token: SHA-256 of the one it enrolled with; statistics: JSON, what the wearer agreed to, by version of the words
    """CREATE TABLE devices (
        id BLOB PRIMARY KEY CHECK (length(id) = 16),
        key BLOB NOT NULL CHECK (length(key) = 32),
        pseudonym TEXT NOT NULL UNIQUE,
        label TEXT,
        token BLOB NOT NULL,
        sequence INTEGER NOT NULL,
        statistics TEXT NOT NULL,
        enrolled TEXT NOT NULL
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE messages (
        device BLOB NOT NULL,
        id BLOB NOT NULL CHECK (length(id) = 16),
        digest BLOB NOT NULL CHECK (length(digest) = 32),
        PRIMARY KEY (device, id)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE answers (
        device BLOB NOT NULL,
        length_days INTEGER NOT NULL,
        window INTEGER NOT NULL,
        statistic TEXT NOT NULL,
        version INTEGER NOT NULL,
        value REAL NOT NULL,
        epsilon_milli INTEGER NOT NULL,
        received TEXT NOT NULL,
        PRIMARY KEY (device, length_days, window, statistic, version)
    ) STRICT, WITHOUT ROWID""",
    # outlives a withdrawal
    """CREATE TABLE answered (
        device BLOB NOT NULL,
        length_days INTEGER NOT NULL,
        window INTEGER NOT NULL,
        statistic TEXT NOT NULL,
        version INTEGER NOT NULL,
        PRIMARY KEY (device, length_days, window, statistic, version)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE withdrawn (
        device BLOB PRIMARY KEY CHECK (length(device) = 16),
        sequence INTEGER NOT NULL,
        day TEXT NOT NULL
    ) STRICT, WITHOUT ROWID""",
)


@dataclass(frozen=True, slots=True, repr=False)
class Pairing:
    """One that a code was given out for. `label`: what the clinic calls the patient; None: nothing."""

    token_hash: bytes
    pseudonym: str
    label: str | None


@dataclass(frozen=True, slots=True, repr=False)
class Device:
    id: bytes
    key: bytes
    pseudonym: str
    label: str | None
    token_hash: bytes
    sequence: int
    statistics: dict[str, int]
    enrolled: date


@dataclass(frozen=True, slots=True, repr=False)
class StoredAnswer:
    answer: Answer
    received: date


class ClinicStore:
    """Used by one thread at a time; other processes may have it open too."""

    def __init__(self, folder: Path, *, create: bool = False) -> None:
        """Raises ClinicError where there is none, ClinicStoreError."""
        self.path = folder / NAME
        if not create and not self.path.exists():
            raise ClinicError(f"{folder}: no clinic here; vitalkeep-clinic init makes one")
        self._file = SqliteFile(self.path, _SCHEMA, _VERSION, ClinicStoreError)
        self._db = self._file.db

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def transaction(self) -> AbstractContextManager[None]:
        """All of it or nothing; on the disk when it is left. Raises ClinicStoreError."""
        return self._file.transaction()

    # -- the clinic itself

    def set_meta(self, name: str, value: str) -> None:
        with self._file.told():
            self._db.execute("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)", (name, value))

    def meta(self, name: str) -> str | None:
        with self._file.told():
            row = self._db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    # -- pairings

    def new_pairing(self, label: str | None, today: date, days: int) -> tuple[bytes, str, date]:
        """A token, of which only the hash is kept; the pseudonym it will enrol under; its last day."""
        token, last_day = secrets.token_bytes(TOKEN_BYTES), today + timedelta(days=days)
        pseudonym = f"P-{base32(secrets.token_bytes(5))}"
        with self.transaction():
            self._db.execute("DELETE FROM pairings WHERE last_day < ?", (today.isoformat(),))
            self._db.execute(
                "INSERT INTO pairings (token, pseudonym, label, last_day) VALUES (?, ?, ?, ?)",
                (token_hash(base32(token)), pseudonym, label, last_day.isoformat()),
            )
        return token, pseudonym, last_day

    def pairing(self, hashed: bytes, today: date) -> Pairing | None:
        row = self._db.execute(
            "SELECT token, pseudonym, label FROM pairings WHERE token = ? AND last_day >= ?",
            (hashed, today.isoformat()),
        ).fetchone()
        return None if row is None else Pairing(*row)

    # -- devices and what they say; within a transaction

    def device(self, id_: bytes) -> Device | None:
        row = self._db.execute(f"SELECT {_DEVICE} FROM devices WHERE id = ?", (id_,)).fetchone()
        return None if row is None else _device(row)

    def withdrawn_at(self, id_: bytes) -> int | None:
        """The number of the last message of a device that withdrew."""
        row = self._db.execute("SELECT sequence FROM withdrawn WHERE device = ?", (id_,)).fetchone()
        return None if row is None else int(row[0])

    def enrol(self, id_: bytes, key: bytes, pairing: Pairing, statistics: dict[str, int], today: date) -> None:
        """Uses the pairing up. The newest one says what a device is called."""
        self._db.execute("DELETE FROM pairings WHERE token = ?", (pairing.token_hash,))
        self._db.execute("DELETE FROM withdrawn WHERE device = ?", (id_,))
        self._db.execute(
            "INSERT INTO devices (id, key, pseudonym, label, token, sequence, statistics, enrolled)"
            " VALUES (?, ?, ?, ?, ?, 0, ?, ?) ON CONFLICT (id) DO UPDATE SET pseudonym = excluded.pseudonym,"
            " label = excluded.label, token = excluded.token",
            (id_, key, pairing.pseudonym, pairing.label, pairing.token_hash, "{}", today.isoformat()),
        )
        self.agreed(id_, statistics)

    def agreed(self, id_: bytes, statistics: dict[str, int]) -> None:
        self._db.execute("UPDATE devices SET statistics = ? WHERE id = ?", (json.dumps(statistics), id_))

    def digest(self, device: bytes, id_: bytes) -> bytes | None:
        row = self._db.execute("SELECT digest FROM messages WHERE device = ? AND id = ?", (device, id_)).fetchone()
        return None if row is None else bytes(row[0])

    def remember(self, device: bytes, id_: bytes, digest: bytes, sequence: int) -> None:
        self._db.execute("INSERT INTO messages (device, id, digest) VALUES (?, ?, ?)", (device, id_, digest))
        self._db.execute("UPDATE devices SET sequence = ? WHERE id = ?", (sequence, device))

    def is_answered(self, device: bytes, answer: Answer) -> bool:
        """Also where the answer itself has been erased."""
        row = self._db.execute(f"SELECT 1 FROM answered WHERE {_QUESTION}", (device, *_question(answer))).fetchone()
        return row is not None

    def holds(self, device: bytes, answer: Answer) -> bool:
        """Whether this very answer is stored."""
        row = self._db.execute(
            f"SELECT 1 FROM answers WHERE {_QUESTION} AND value = ? AND epsilon_milli = ?",
            (device, *_question(answer), answer.value, answer.epsilon_milli),
        ).fetchone()
        return row is not None

    def add_answer(self, device: bytes, answer: Answer, today: date) -> None:
        question = (device, *_question(answer))
        self._db.execute("INSERT INTO answered VALUES (?, ?, ?, ?, ?)", question)
        self._db.execute(
            "INSERT INTO answers VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (*question, answer.value, answer.epsilon_milli, today.isoformat()),
        )

    def erase(self, device: bytes, sequence: int, today: date) -> None:
        for table, column in (("devices", "id"), ("messages", "device"), ("answers", "device")):
            self._db.execute(f"DELETE FROM {table} WHERE {column} = ?", (device,))
        self._db.execute("INSERT INTO withdrawn VALUES (?, ?, ?)", (device, sequence, today.isoformat()))

    def flush_erased(self) -> None:
        """Erased rows also leave the write-ahead log: now, or where a reader is in the way, when it is served again."""
        self._file.flush()

    # -- for those who read

    def devices(self) -> list[Device]:
        with self._file.told():
            return [_device(row) for row in self._db.execute(f"SELECT {_DEVICE} FROM devices ORDER BY pseudonym")]

    def patient(self, pseudonym: str) -> Device:
        """Raises UnknownPatientError."""
        with self._file.told():
            row = self._db.execute(
                f"SELECT {_DEVICE} FROM devices WHERE pseudonym = ?", (pseudonym.strip().upper(),)
            ).fetchone()
        if row is None:
            raise UnknownPatientError("no device is enrolled under this pseudonym; vitalkeep-clinic patients lists all")
        return _device(row)

    def answers(self, device: bytes) -> list[StoredAnswer]:
        """The newest window first."""
        with self._file.told():
            rows = self._db.execute(
                "SELECT statistic, version, length_days, window, value, epsilon_milli, received FROM answers"
                " WHERE device = ? ORDER BY (window + 1) * length_days DESC, length_days, statistic, version",
                (device,),
            ).fetchall()
        return [StoredAnswer(Answer(*row[:6]), date.fromisoformat(row[6])) for row in rows]


_DEVICE = "id, key, pseudonym, label, token, sequence, statistics, enrolled"
_QUESTION = "device = ? AND length_days = ? AND window = ? AND statistic = ? AND version = ?"


def token_hash(text: str) -> bytes:
    return sha256(b"vitalkeep token 1" + text.encode("utf-8", "surrogatepass")).digest()


def _question(answer: Answer) -> tuple[int, int, str, int]:
    return answer.length_days, answer.window, answer.statistic, answer.version


def _device(row: tuple[bytes, bytes, str, str | None, bytes, int, str, str]) -> Device:
    return Device(*row[:6], json.loads(row[6]), date.fromisoformat(row[7]))
