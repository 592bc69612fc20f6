"""Who may sign in; of a password what Argon2id made of it, and nothing where the proxy says who somebody is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any

from sync.clinic.database.database import Transaction
from sync.clinic.errors import StaffExistsError, StaffNameError, UnknownStaffError

# As a proxy can pass them in a header, an address included; the audit log has its own words for who is not staff.
_NAME = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,63}")
_NOT_STAFF = ("device", "unknown")


@dataclass(frozen=True, slots=True, repr=False)
class StaffMember:
    """`password`: empty: signs in through the proxy alone."""

    name: str
    password: str
    added: date

    @property
    def credential(self) -> str:
        """Another one when the password was changed; tells nothing of it."""
        return sha256(b"vitalkeep credential 1" + self.password.encode()).hexdigest()


class Staff:
    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def get(self, name: str) -> StaffMember | None:
        row = self._tx.one("SELECT name, password, added FROM staff WHERE name = ?", (name,))
        return None if row is None else _member(row)

    def all(self) -> list[StaffMember]:
        return [_member(row) for row in self._tx.all("SELECT name, password, added FROM staff ORDER BY name")]

    def add(self, name: str, password: str, today: date) -> None:
        """Raises StaffExistsError."""
        touched = self._tx.execute(
            "INSERT INTO staff (name, password, added) VALUES (?, ?, ?) ON CONFLICT (name) DO NOTHING",
            (name, password, today.isoformat()),
        )
        if touched != 1:
            raise StaffExistsError(f"{name} is on the staff already; staff password changes the password")

    def set_password(self, name: str, password: str) -> None:
        """Raises UnknownStaffError."""
        if self._tx.execute("UPDATE staff SET password = ? WHERE name = ?", (password, name)) != 1:
            raise UnknownStaffError(f"{name} is not on the staff; staff list shows who is")

    def replace_password(self, name: str, old: str, new: str) -> None:
        """Unless it was changed meanwhile."""
        self._tx.execute("UPDATE staff SET password = ? WHERE name = ? AND password = ?", (new, name, old))

    def remove(self, name: str) -> None:
        """Raises UnknownStaffError."""
        if self._tx.execute("DELETE FROM staff WHERE name = ?", (name,)) != 1:
            raise UnknownStaffError(f"{name} is not on the staff; staff list shows who is")


def staff_name(typed: str) -> str:
    """As it is kept: without regard to case. Raises StaffNameError."""
    name = typed.strip().lower()
    if _NAME.fullmatch(name) is None or name in _NOT_STAFF:
        raise StaffNameError(
            "a name of staff has 1 to 64 letters a to z, digits and . _ @ + -, begins with a letter or a digit,"
            " and is neither device nor unknown"
        )
    return name


def _member(row: tuple[Any, ...]) -> StaffMember:
    return StaffMember(row[0], row[1], date.fromisoformat(row[2]))
