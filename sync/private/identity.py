"""Who this device is to a clinic: an Ed25519 key of its own, made once, kept in the encrypted ledger."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.private.account import Account


def signing_key(account: Account) -> Ed25519PrivateKey:
    """Made at the first call. It is of this ledger: with another store the device is another one to its clinics."""
    with account.transaction() as db:
        row = db.execute("SELECT signing_key FROM identity").fetchone()
        if row is not None:
            return Ed25519PrivateKey.from_private_bytes(bytes(row[0]))
        key = Ed25519PrivateKey.generate()
        db.execute("INSERT INTO identity (one, signing_key) VALUES (1, ?)", (key.private_bytes_raw(),))
        return key
