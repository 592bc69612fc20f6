"""The outbox: an SQLite file of its own that holds sealed Releases and control messages of the same size.

It is all that the sending process may open, and this module imports nothing that sees the wearer. A message stays until
the clinic's receipt for it has come; the same bytes are sent however often that takes.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sync.release import ENVELOPE_BYTES, Release

NAME = "outbox.db"
_VERSION = 1
_SCHEMA = """
CREATE TABLE clinics (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    name TEXT NOT NULL,
    url TEXT NOT NULL,
    sealing BLOB NOT NULL CHECK (length(sealing) = 32),
    signing BLOB NOT NULL CHECK (length(signing) = 32)
) STRICT;
CREATE TABLE messages (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    clinic BLOB NOT NULL REFERENCES clinics (id),
    sequence INTEGER NOT NULL,
    envelope BLOB NOT NULL CHECK (length(envelope) = 1024),
    not_before_ns INTEGER NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0,
    next_ns INTEGER NOT NULL DEFAULT 0,
    refused TEXT,
    UNIQUE (clinic, sequence)
) STRICT;
"""


class OutboxError(Exception):
    """The outbox cannot be read, or is not one."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A clinic as the sending process knows it: where it is, and the keys it must answer with."""

    id: bytes
    name: str
    url: str
    sealing: bytes
    signing: bytes


@dataclass(frozen=True, slots=True)
class Message:
    """`not_before_ns`: its slot; `next_ns`: not tried again before; `refused`: what the clinic said, for ever."""

    id: bytes
    clinic: bytes
    sequence: int
    envelope: bytes
    not_before_ns: int
    tries: int
    next_ns: int
    refused: str | None


class Outbox:
    """Opened by the one who seals and by the one who sends, also at once. Times are the host's clock."""

    def __init__(self, folder: Path) -> None:
        """Makes the file where there is none. Raises OutboxError."""
        self.path = folder / NAME
        with _told(self.path):
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            os.close(descriptor)
            self._db = sqlite3.connect(self.path, timeout=30.0, isolation_level=None)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.execute("PRAGMA foreign_keys = ON")
            self._db.execute("PRAGMA secure_delete = ON")
            with self._transaction():
                (version,) = self._db.execute("PRAGMA user_version").fetchone()
                if version == 0:
                    for statement in _SCHEMA.split(";"):
                        self._db.execute(statement)
                    self._db.execute(f"PRAGMA user_version = {_VERSION}")
                elif version != _VERSION:
                    raise OutboxError(f"{self.path}: version {version}, expected {_VERSION}")

    def close(self) -> None:
        self._db.close()

    def know(self, peer: Peer) -> None:
        """The address may change, the keys of an id cannot."""
        with _told(self.path), self._transaction():
            self._db.execute(
                "INSERT INTO clinics (id, name, url, sealing, signing) VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT (id) DO UPDATE SET name = excluded.name, url = excluded.url",
                (peer.id, peer.name, peer.url, peer.sealing, peer.signing),
            )

    def peers(self) -> list[Peer]:
        with _told(self.path):
            rows = self._db.execute("SELECT id, name, url, sealing, signing FROM clinics ORDER BY name, id")
            return [Peer(*row) for row in rows]

    def put(self, clinic: bytes, release: Release, not_before_ns: int) -> None:
        """Once, however often it is put: what has its id already is the same message."""
        with _told(self.path), self._transaction():
            self._db.execute(
                "INSERT INTO messages (id, clinic, sequence, envelope, not_before_ns) VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT (id) DO NOTHING",
                (release.id, clinic, release.sequence, release.encode(), not_before_ns),
            )

    def due(self, now_ns: int) -> list[Message]:
        """What may be sent now, each clinic's oldest first; what a clinic refused for good is not sent again."""
        return [m for m in self.messages() if m.refused is None and max(m.not_before_ns, m.next_ns) <= now_ns]

    def messages(self) -> list[Message]:
        with _told(self.path):
            rows = self._db.execute(
                "SELECT id, clinic, sequence, envelope, not_before_ns, tries, next_ns, refused FROM messages"
                " ORDER BY clinic, sequence"
            )
            return [Message(*row) for row in rows]

    def tried(self, id_: bytes, next_ns: int) -> None:
        """It did not arrive, or nobody knows; it may be tried again from `next_ns` on."""
        with _told(self.path), self._transaction():
            self._db.execute("UPDATE messages SET tries = tries + 1, next_ns = ? WHERE id = ?", (next_ns, id_))

    def refused(self, id_: bytes, why: str) -> None:
        """The clinic will never take it. It is kept, so that the wearer sees it."""
        with _told(self.path), self._transaction():
            self._db.execute("UPDATE messages SET tries = tries + 1, refused = ? WHERE id = ?", (why, id_))

    def arrived(self, id_: bytes) -> None:
        with _told(self.path), self._transaction():
            self._db.execute("DELETE FROM messages WHERE id = ?", (id_,))

    def drop(self, clinic: bytes) -> int:
        """Takes every message to the clinic away, overwritten on the disk; gives how many there were."""
        with _told(self.path), self._transaction():
            dropped = self._db.execute("DELETE FROM messages WHERE clinic = ?", (clinic,)).rowcount
        with _told(self.path):
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return dropped

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as problem:
        raise OutboxError(f"{path}: {problem}") from problem


assert ENVELOPE_BYTES == 1024, "the schema says so too"
