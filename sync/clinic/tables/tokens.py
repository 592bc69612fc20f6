"""Tokens by which programs read: of each its SHA-256 alone, so the table opens nothing.

A token has 256 bits of chance. It is compared with every one there is, each in the same time.
"""

from __future__ import annotations

import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import date
from hashlib import sha256

from sync.clinic.database.database import Transaction
from sync.clinic.errors import ClinicError

SCOPES = ("read", "metrics")
TOKEN_BYTES = 32
# So that whoever looks for secrets in files knows one when it stands there.
_PREFIX = "vkc_"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")


@dataclass(frozen=True, slots=True)
class TokenHolder:
    """`scope`: what it may read, one of SCOPES. `added`: the day."""

    name: str
    scope: str
    added: date


class Tokens:
    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def add(self, name: str, scope: str, today: date) -> str:
        """The token, which is kept nowhere. Raises ClinicError."""
        if _NAME.fullmatch(name) is None:
            raise ClinicError("a token's name has 1 to 40 letters, digits, dots, dashes or underscores")
        if scope not in SCOPES:
            raise ClinicError(f"a token's scope is one of {', '.join(SCOPES)}")
        token = _PREFIX + secrets.token_urlsafe(TOKEN_BYTES)
        added = self._tx.execute(
            "INSERT INTO api_tokens (digest, name, scope, added) VALUES (?, ?, ?, ?) ON CONFLICT (name) DO NOTHING",
            (_digest(token), name, scope, today.isoformat()),
        )
        if added != 1:
            raise ClinicError(f"there is a token named {name}; vitalkeep-clinic token list tells all")
        return token

    def holder(self, token: str) -> TokenHolder | None:
        """Whose token it is; None: nobody's."""
        asked = _digest(token)
        found = None
        for digest, name, scope, added in self._tx.all("SELECT digest, name, scope, added FROM api_tokens"):
            if hmac.compare_digest(bytes(digest), asked):
                found = TokenHolder(name, scope, date.fromisoformat(added))
        return found

    def all(self) -> list[TokenHolder]:
        rows = self._tx.all("SELECT name, scope, added FROM api_tokens ORDER BY name")
        return [TokenHolder(name, scope, date.fromisoformat(added)) for name, scope, added in rows]

    def remove(self, name: str) -> bool:
        """Whether there was one."""
        return self._tx.execute("DELETE FROM api_tokens WHERE name = ?", (name,)) == 1


def _digest(token: str) -> bytes:
    return sha256(b"vitalkeep api token 1" + token.encode("utf-8", "surrogatepass")).digest()
