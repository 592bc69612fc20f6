"""The clinics that this device is paired with, each with the keys it showed then: pinned, never exchanged."""

from __future__ import annotations

from sync.private.account import Account
from sync.private.errors import PairingError
from sync.private.ledger import Clinic
from sync.sealing import ClinicKeys


def pair(account: Account, name: str, url: str, keys: ClinicKeys, now_ns: int) -> Clinic:
    """Pairing with the same keys again changes the name and the address alone. Raises PairingError for a taken name."""
    with account.transaction() as db:
        taken = db.execute("SELECT id FROM clinics WHERE name = ? AND id != ?", (name, keys.id)).fetchone()
        if taken is not None:
            raise PairingError(f"another clinic is paired as {name!r}: pick another name")
        db.execute(
            "INSERT INTO clinics (id, name, url, sealing, signing, paired_ns) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET name = excluded.name, url = excluded.url",
            (keys.id, name, url, keys.sealing, keys.signing, now_ns),
        )
    return Clinic(keys.id, name, url, keys)


def clinics(account: Account) -> list[Clinic]:
    """In order of their names."""
    rows = account.rows("SELECT id, name, url, sealing, signing FROM clinics ORDER BY name")
    return [Clinic(bytes(i), n, u, ClinicKeys(bytes(sealing), bytes(signing))) for i, n, u, sealing, signing in rows]


def clinic_named(account: Account, name: str) -> Clinic:
    """Raises PairingError where there is none, saying which there are."""
    found = clinics(account)
    for clinic in found:
        if clinic.name == name:
            return clinic
    have = ", ".join(clinic.name for clinic in found) or "none"
    raise PairingError(f"no clinic {name!r} is paired; paired: {have}")
