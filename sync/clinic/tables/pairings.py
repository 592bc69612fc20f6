"""Codes that were given out and not used yet: of the token its hash alone, so the table pairs nobody."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import sha256

from sync.clinic.database.database import Transaction
from sync.pairing import TOKEN_BYTES, base32


@dataclass(frozen=True, slots=True, repr=False)
class Pairing:
    """`label`: what the clinic calls the patient; None: nothing. `last_day`: on which the code can still be used."""

    token_hash: bytes
    pseudonym: str
    label: str | None
    last_day: date


class Pairings:
    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def new(self, label: str | None, today: date, days: int) -> tuple[bytes, Pairing]:
        """The token, which is kept nowhere. Codes that are too old go."""
        token = secrets.token_bytes(TOKEN_BYTES)
        pseudonym = f"P-{base32(secrets.token_bytes(5))}"
        pairing = Pairing(token_hash(base32(token)), pseudonym, label, today + timedelta(days=days))
        self.drop_old(today)
        self._tx.execute(
            "INSERT INTO pairings (token, pseudonym, label, last_day) VALUES (?, ?, ?, ?)",
            (pairing.token_hash, pairing.pseudonym, pairing.label, pairing.last_day.isoformat()),
        )
        return token, pairing

    def drop_old(self, today: date) -> None:
        """Codes that pair nobody any more leave no label behind."""
        self._tx.execute("DELETE FROM pairings WHERE last_day < ?", (today.isoformat(),))

    def get(self, hashed: bytes, today: date) -> Pairing | None:
        row = self._tx.one(
            f"SELECT {_COLUMNS} FROM pairings WHERE token = ? AND last_day >= ?", (hashed, today.isoformat())
        )
        return None if row is None else _pairing(row)

    def use_up(self, pairing: Pairing) -> bool:
        """Whether it was still there: of two that come at once, one gets it."""
        return self._tx.execute("DELETE FROM pairings WHERE token = ?", (pairing.token_hash,)) == 1

    def all(self, today: date) -> list[Pairing]:
        """Those that can still be used, by their last day."""
        rows = self._tx.all(
            f"SELECT {_COLUMNS} FROM pairings WHERE last_day >= ? ORDER BY last_day, pseudonym", (today.isoformat(),)
        )
        return [_pairing(row) for row in rows]

    def revoke(self, pseudonym: str) -> bool:
        """Whether there was such a code."""
        return self._tx.execute("DELETE FROM pairings WHERE pseudonym = ?", (pseudonym,)) == 1


_COLUMNS = "token, pseudonym, label, last_day"


def token_hash(text: str) -> bytes:
    return sha256(b"vitalkeep token 1" + text.encode("utf-8", "surrogatepass")).digest()


def _pairing(row: tuple[bytes, str, str | None, str]) -> Pairing:
    return Pairing(row[0], row[1], row[2], date.fromisoformat(row[3]))
