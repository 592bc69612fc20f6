"""Devices that are enrolled, which messages have come of them, and what is left of those that withdrew.

A device that withdrew leaves its id, the number of its last message and the windows it has answered about (answers.py):
what refuses an old copy of it, and nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sync.clinic.database.database import Transaction
from sync.clinic.errors import UnknownPatientError
from sync.clinic.tables.pairings import Pairing


@dataclass(frozen=True, slots=True, repr=False)
class Device:
    """`agreed_on`: the day on which what is agreed to was last changed."""

    id: bytes
    key: bytes
    pseudonym: str
    label: str | None
    token_hash: bytes
    sequence: int
    statistics: dict[str, int]
    enrolled: date
    agreed_on: date


class Devices:
    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def get(self, id_: bytes) -> Device | None:
        row = self._tx.one(f"SELECT {_COLUMNS} FROM devices WHERE id = ?", (id_,))
        return None if row is None else _device(row)

    def all(self) -> list[Device]:
        return [_device(row) for row in self._tx.all(f"SELECT {_COLUMNS} FROM devices ORDER BY pseudonym")]

    def count(self) -> int:
        row = self._tx.one("SELECT COUNT(*) FROM devices")
        assert row is not None
        return int(row[0])

    def pseudonyms(self, after: str, most: int) -> list[str]:
        """The next ones, by pseudonym; `after` an empty one: the first."""
        rows = self._tx.all(
            "SELECT pseudonym FROM devices WHERE pseudonym > ? ORDER BY pseudonym LIMIT ?", (after, most)
        )
        return [str(row[0]) for row in rows]

    def find(self, pseudonym: str) -> Device | None:
        """Letter for letter."""
        row = self._tx.one(f"SELECT {_COLUMNS} FROM devices WHERE pseudonym = ?", (pseudonym,))
        return None if row is None else _device(row)

    def patient(self, pseudonym: str) -> Device:
        """Raises UnknownPatientError."""
        row = self._tx.one(f"SELECT {_COLUMNS} FROM devices WHERE pseudonym = ?", (pseudonym.strip().upper(),))
        if row is None:
            raise UnknownPatientError("no device is enrolled under this pseudonym; vitalkeep-clinic patients lists all")
        return _device(row)

    def enrolled(self, pseudonyms: Sequence[str]) -> frozenset[str]:
        """Those of them, some hundreds at most, that somebody is enrolled under."""
        if not pseudonyms:
            return frozenset()
        marks = ", ".join("?" * len(pseudonyms))
        rows = self._tx.all(f"SELECT pseudonym FROM devices WHERE pseudonym IN ({marks})", pseudonyms)
        return frozenset(row[0] for row in rows)

    def enrol(self, id_: bytes, key: bytes, pairing: Pairing, statistics: dict[str, int], today: date) -> None:
        """The newest pairing says what a device is called."""
        self._tx.execute("DELETE FROM withdrawn WHERE device = ?", (id_,))
        self._tx.execute(
            "INSERT INTO devices (id, key, pseudonym, label, token, sequence, statistics, enrolled)"
            " VALUES (?, ?, ?, ?, ?, 0, ?, ?) ON CONFLICT (id) DO UPDATE SET pseudonym = excluded.pseudonym,"
            " label = excluded.label, token = excluded.token",
            (id_, key, pairing.pseudonym, pairing.label, pairing.token_hash, "{}", today.isoformat()),
        )
        self.agreed(id_, statistics, today)

    def agreed(self, id_: bytes, statistics: dict[str, int], today: date) -> None:
        """What is agreed to from now on; the day of it where that is something else than before."""
        text = json.dumps(statistics, sort_keys=True)
        self._tx.execute(
            "UPDATE devices SET statistics = ?, agreed = ? WHERE id = ? AND statistics <> ?",
            (text, today.isoformat(), id_, text),
        )

    def relabel(self, pseudonym: str, label: str | None) -> bool:
        """Whether there is such a patient."""
        return self._tx.execute("UPDATE devices SET label = ? WHERE pseudonym = ?", (label, pseudonym)) == 1

    # -- messages

    def digest(self, device: bytes, id_: bytes) -> bytes | None:
        """Of the message with this id, where it has come."""
        row = self._tx.one("SELECT digest FROM messages WHERE device = ? AND id = ?", (device, id_))
        return None if row is None else bytes(row[0])

    def remember(self, device: bytes, id_: bytes, digest: bytes, sequence: int) -> None:
        self._tx.execute("INSERT INTO messages (device, id, digest) VALUES (?, ?, ?)", (device, id_, digest))
        self._tx.execute("UPDATE devices SET sequence = ? WHERE id = ?", (sequence, device))

    # -- withdrawal

    def withdrawn_at(self, id_: bytes) -> int | None:
        """The number of the last message of a device that withdrew."""
        row = self._tx.one("SELECT sequence FROM withdrawn WHERE device = ?", (id_,))
        return None if row is None else int(row[0])

    def erase(self, device: bytes, sequence: int, today: date) -> None:
        """All but what refuses an old copy."""
        for table, column in (("devices", "id"), ("messages", "device"), ("answers", "device")):
            self._tx.execute(f"DELETE FROM {table} WHERE {column} = ?", (device,))
        self._tx.execute(
            "INSERT INTO withdrawn (device, sequence, day) VALUES (?, ?, ?)", (device, sequence, today.isoformat())
        )


_COLUMNS = "id, key, pseudonym, label, token, sequence, statistics, enrolled, COALESCE(agreed, enrolled)"


def _device(row: tuple[Any, ...]) -> Device:
    id_, key, pseudonym, label, token, sequence, statistics, *days = row
    enrolled, agreed_on = (date.fromisoformat(day) for day in days)
    return Device(id_, key, pseudonym, label, token, sequence, json.loads(statistics), enrolled, agreed_on)
