"""The outbox: an SQLite file of its own that holds sealed Releases and control messages of the same size.

It is all that the sending process may open, and this module imports nothing that sees the wearer. A message stays until
the clinic's receipt for it has come; the same bytes are sent however often that takes. The envelopes of a clinic are
encrypted under a key in a file of its own (outbox_key.py): with it destroyed, they are gone wherever the disk still has
copies of their pages.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from sync.outbox_key import OutboxKey, destroy_key, load_key, require_key
from sync.release import ENVELOPE_BYTES, Release
from sync.sqlite_file import SqliteFile

NAME = "outbox.db"
_VERSION = 1
_NONCE_BYTES = 12
_TAG_BYTES = 16
_SCHEMA = (
    """CREATE TABLE clinics (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    name TEXT NOT NULL,
    url TEXT NOT NULL,
    sealing BLOB NOT NULL CHECK (length(sealing) = 32),
    signing BLOB NOT NULL CHECK (length(signing) = 32)
) STRICT""",
    """CREATE TABLE messages (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    clinic BLOB NOT NULL REFERENCES clinics (id),
    sequence INTEGER NOT NULL,
    key BLOB NOT NULL CHECK (length(key) = 16),
    encrypted BLOB NOT NULL CHECK (length(encrypted) = 1052),
    not_before_ns INTEGER NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0,
    next_ns INTEGER NOT NULL DEFAULT 0,
    refused TEXT,
    UNIQUE (clinic, sequence)
) STRICT""",
)


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
        self._folder = folder
        self.path = folder / NAME
        self._file = SqliteFile(self.path, _SCHEMA, _VERSION, OutboxError)
        self._db = self._file.db

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def know(self, peer: Peer) -> None:
        """The address may change, the keys of an id cannot."""
        with self._file.transaction():
            self._db.execute(
                "INSERT INTO clinics (id, name, url, sealing, signing) VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT (id) DO UPDATE SET name = excluded.name, url = excluded.url",
                (peer.id, peer.name, peer.url, peer.sealing, peer.signing),
            )

    def peers(self) -> list[Peer]:
        with self._file.told():
            rows = self._db.execute("SELECT id, name, url, sealing, signing FROM clinics ORDER BY name, id")
            return [Peer(*row) for row in rows]

    def put(self, clinic: bytes, release: Release, not_before_ns: int) -> None:
        """Once, however often it is put: what has its id already is the same message."""
        with self._file.transaction():
            key = require_key(self._folder, clinic)
            # of a drop that was cut short after the key had gone
            self._db.execute("DELETE FROM messages WHERE clinic = ? AND key != ?", (clinic, key.id))
            self._db.execute(
                "INSERT INTO messages (id, clinic, sequence, key, encrypted, not_before_ns) VALUES (?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (id) DO NOTHING",
                (release.id, clinic, release.sequence, key.id, _encrypted(key, clinic, release), not_before_ns),
            )

    def due(self, now_ns: int) -> list[Message]:
        """What may be sent now, each clinic's oldest first; what a clinic refused for good is not sent again."""
        return [m for m in self.messages() if m.refused is None and max(m.not_before_ns, m.next_ns) <= now_ns]

    def messages(self) -> list[Message]:
        """What was dropped is not among them, even where the one who dropped it was killed half-way."""
        with self._file.told():
            rows = self._db.execute(
                "SELECT id, clinic, sequence, key, encrypted, not_before_ns, tries, next_ns, refused FROM messages"
                " ORDER BY clinic, sequence"
            ).fetchall()
            keys = {clinic: load_key(self._folder, clinic) for clinic in {row[1] for row in rows}}
            found = []
            for id_, clinic, sequence, key_id, encrypted, *rest in rows:
                key = keys[clinic]
                if key is not None and key.id == key_id:
                    found.append(Message(id_, clinic, sequence, self._envelope(key, clinic, id_, encrypted), *rest))
            return found

    def tried(self, id_: bytes, next_ns: int) -> None:
        """It did not arrive, or nobody knows; it may be tried again from `next_ns` on."""
        with self._file.transaction():
            self._db.execute("UPDATE messages SET tries = tries + 1, next_ns = ? WHERE id = ?", (next_ns, id_))

    def refused(self, id_: bytes, why: str) -> None:
        """The clinic will never take it. It is kept, so that the wearer sees it."""
        with self._file.transaction():
            self._db.execute("UPDATE messages SET tries = tries + 1, refused = ? WHERE id = ?", (why, id_))

    def arrived(self, id_: bytes) -> None:
        with self._file.transaction():
            self._db.execute("DELETE FROM messages WHERE id = ?", (id_,))

    def forget_refused(self, clinic: bytes) -> None:
        """What the clinic will never take, once that is settled otherwise."""
        with self._file.transaction():
            self._db.execute("DELETE FROM messages WHERE clinic = ? AND refused IS NOT NULL", (clinic,))

    def drop(self, clinic: bytes) -> int:
        """Erases every message to the clinic: first its key, for good, then the rows; gives how many there were."""
        with self._file.transaction():
            destroy_key(self._folder, clinic)
            dropped = self._db.execute("DELETE FROM messages WHERE clinic = ?", (clinic,)).rowcount
        self._file.flush()
        return dropped

    def _envelope(self, key: OutboxKey, clinic: bytes, id_: bytes, encrypted: bytes) -> bytes:
        nonce, sealed = encrypted[:_NONCE_BYTES], encrypted[_NONCE_BYTES:]
        try:
            return ChaCha20Poly1305(key.key).decrypt(nonce, sealed, clinic + id_)
        except InvalidTag:
            raise OutboxError(f"{self.path}: a message in it is damaged") from None


def _encrypted(key: OutboxKey, clinic: bytes, release: Release) -> bytes:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + ChaCha20Poly1305(key.key).encrypt(nonce, release.encode(), clinic + release.id)


assert _NONCE_BYTES + ENVELOPE_BYTES + _TAG_BYTES == 1052, "the schema says so too"
