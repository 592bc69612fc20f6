"""Makes a backup: one state of the whole database, each patient's rows under a key that a withdrawal erases."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from sync.clinic.backup.erasure import erase_due, flush_erased
from sync.clinic.backup.file import ID_BYTES, BackupWriter
from sync.clinic.backup.key_store import DEVICE_BYTES, KeyStore
from sync.clinic.backup.sealed_frame import HEADER, MAGIC, Marks, SectionKey
from sync.clinic.backup.table import OF_A_CODE, OF_A_DEVICE, OF_THE_CLINIC
from sync.clinic.clinic import Clinic
from sync.clinic.database.database import Transaction
from sync.clinic.database.schema import MIGRATIONS
from sync.clinic.new_file import new_file

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Backup:
    """What was written. `codes`: that are out, not used yet."""

    day: date
    devices: int
    codes: int
    bytes: int


def make_backup(clinic: Clinic, keys: KeyStore, path: Path) -> Backup:
    """Raises ClinicError where `path` is there already, ClinicStoreError."""
    database, today = clinic.database, clinic.clock.today()
    erase_due(clinic, keys)
    with ExitStack() as stack:
        file = stack.enter_context(new_file(path))
        # The state of the database and the keys for it are taken under one lock: who withdraws from then on has a key
        # that is there to be erased, and who withdrew before gets none.
        with keys.transaction():
            tx = stack.enter_context(database.reading())
            subjects = _subjects(tx)
            found = keys.require_keys(subjects)
        keys.flush()
        header = HEADER.pack(MAGIC, clinic.secrets.public.id, secrets.token_bytes(ID_BYTES))
        marks = Marks(header, keys.clinic_key)
        own = SectionKey(header, marks.of(keys.clinic_key.id), keys.clinic_key)
        writer = BackupWriter(file, header)
        writer.section(own, _own_lines(tx, today))
        # by their marks: in another order each time
        for mark, subject in sorted((marks.of(found[subject].id), subject) for subject in subjects):
            writer.section(SectionKey(header, mark, found[subject]), _lines(tx, subject))
        size = writer.end(own)
    # what was erased meanwhile had to stay in the files, for the one state that was read here
    flush_erased(database)
    devices = sum(len(subject) == DEVICE_BYTES for subject in subjects)
    return Backup(today, devices, len(subjects) - devices, size)


def _subjects(tx: Transaction) -> list[bytes]:
    """The ids of devices, the hashes of the codes that are out."""
    both = "SELECT id FROM devices", "SELECT token FROM pairings"
    return [bytes(row[0]) for query in both for row in tx.all(query)]


def _own_lines(tx: Transaction, today: date) -> Iterator[bytes]:
    about = {"format": FORMAT, "schema": len(MIGRATIONS), "day": today.isoformat()}
    yield json.dumps(["backup", about]).encode("ascii") + b"\n"
    for table in OF_THE_CLINIC:
        yield from map(table.line, table.rows(tx))


def _lines(tx: Transaction, subject: bytes) -> Iterator[bytes]:
    for table in OF_A_DEVICE if len(subject) == DEVICE_BYTES else OF_A_CODE:
        yield from map(table.line, table.rows(tx, subject))
