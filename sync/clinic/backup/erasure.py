"""Who withdrew has no key any more: then no backup says anything of them, however old it is.

What has to be erased is written down in the transaction of the withdrawal, and struck out when the key is gone: a
process that is killed in between, or a disk that is away, delays it and loses nothing.
"""

from __future__ import annotations

import sys
from datetime import date

from sync.clinic.backup.key_store import KeyStore, Withdrawal
from sync.clinic.backup.keys_place import open_keys
from sync.clinic.clinic import Clinic
from sync.clinic.database.database import Database, Transaction
from sync.clinic.errors import ClinicError
from sync.clinic.tables.audit import DEVICE, Action, Audit
from sync.clinic.tables.keys_due import KeysDue


def finish_erasing(clinic: Clinic) -> None:
    """What is left to do when rows have been erased: first the keys, whatever becomes of the files."""
    erase_keys(clinic)
    flush_erased(clinic.database)


def erase_keys(clinic: Clinic) -> None:
    """What is due. Where it cannot be done now the operator is told, and it stays due."""
    try:
        with open_keys(clinic.folder, clinic.secrets.public.id) as keys:
            erase_due(clinic, keys)
    except ClinicError as problem:
        print(
            f"{problem}\nthe backup keys of who withdrew could not be erased. The withdrawal itself is stored; this is"
            " tried again with the next withdrawal or backup, and when the clinic is served again",
            file=sys.stderr,
            flush=True,
        )


def flush_erased(database: Database) -> None:
    """Out of the database's files too. Where it cannot be done now the operator is told: what was stored is stored."""
    try:
        database.flush_erased()
    except ClinicError as problem:
        print(
            f"{problem}\nwhat was erased may still be in the database's files. That it is erased is stored; this is"
            " tried again with the next withdrawal, and when the clinic is served again",
            file=sys.stderr,
            flush=True,
        )


def erase_due(clinic: Clinic, keys: KeyStore) -> None:
    """The keys of devices that withdrew, and of codes that are out no more. Raises ClinicStoreError."""
    database = clinic.database
    # The keys are locked first, so that no backup makes one while it is decided which go.
    with keys.transaction():
        with database.reading() as tx:
            due = KeysDue(tx).all()
            withdrawals = [found for each in due if (found := _withdrawal(tx, each.device)) is not None]
            out = {bytes(row[0]) for row in tx.all("SELECT token FROM pairings")}
        keys.erase({each.device for each in due})
        keys.erase(token for token in keys.tokens() if token not in out)
        for withdrawal in withdrawals:
            keys.remember(withdrawal)
    keys.flush()
    if due:
        with database.writing() as tx:
            for each in KeysDue(tx).done(due):
                audit = Audit(tx, clinic.secrets, clinic.clock)
                audit.add(DEVICE, Action.KEYS_ERASED, each.pseudonym)


def _withdrawal(tx: Transaction, device: bytes) -> Withdrawal | None:
    """None: it has come back since."""
    row = tx.one("SELECT sequence, day FROM withdrawn WHERE device = ?", (device,))
    if row is None:
        return None
    answered = tx.all(
        'SELECT length_days, "window", statistic, version FROM answered WHERE device = ?'
        ' ORDER BY length_days, "window", statistic, version',
        (device,),
    )
    return Withdrawal(device, row[0], date.fromisoformat(row[1]), tuple((a, b, c, d) for a, b, c, d in answered))
