"""Devices that withdrew and whose backup key has not been erased yet: each withdrawal is written down for itself."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from sync.clinic.database.database import Transaction


@dataclass(frozen=True, slots=True)
class KeyDue:
    """`id`: of this very withdrawal, 16 bytes at random. `pseudonym`: of the patient, for the audit log."""

    id: bytes
    device: bytes
    pseudonym: str


class KeysDue:
    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def add(self, device: bytes, pseudonym: str) -> None:
        self._tx.execute(
            "INSERT INTO keys_due (id, device, pseudonym) VALUES (?, ?, ?)",
            (secrets.token_bytes(16), device, pseudonym),
        )

    def all(self) -> list[KeyDue]:
        return [KeyDue(*row) for row in self._tx.all("SELECT id, device, pseudonym FROM keys_due ORDER BY id")]

    def done(self, due: Sequence[KeyDue]) -> list[KeyDue]:
        """Those alone: a withdrawal that came meanwhile stays. Which of them nobody else had struck out before."""
        return [each for each in due if self._tx.execute("DELETE FROM keys_due WHERE id = ?", (each.id,))]
