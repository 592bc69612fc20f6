"""A clinic with all kinds of rows in it, its backup, and what can be compared of two clinics."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sync.clinic.backup.backup import Backup, make_backup
from sync.clinic.backup.key_store import NAME, KeyStore
from sync.clinic.backup.restore import Contents, restore
from sync.clinic.backup.table import TABLES
from sync.clinic.database.database import Database, Row
from sync.clinic.database.opened import open_database
from sync.receipt import Status
from tests.rigs.clinic import ClinicRig, FakeDevice, af_days, resting_hr, rmssd, worn_days

LABELS = ("Patient 17", "Patient 18", 'Patient 19: é 💓\n"', "Patient 20")


def fill(clinic: ClinicRig) -> list[FakeDevice]:
    """Four devices, the last of which withdrew; a code that is out; a member of staff, a token."""
    devices = [clinic.enrolled(label) for label in LABELS]
    for n, device in enumerate(devices):
        for answer in (af_days(27, float(n)), worn_days(27, 25.0), resting_hr(), rmssd(), af_days(28, -1.0)):
            assert clinic.take(device.release(answer)) is Status.STORED
    assert clinic.take(devices[-1].delete()) is Status.STORED
    clinic.token("Patient 21, not enrolled")
    clinic.set_meta("name", "Heart clinic")
    with clinic.database.writing() as tx:
        tx.execute("INSERT INTO staff (name, password, added) VALUES ('reception', '$argon2id$x', '2026-05-01')")
        tx.execute("INSERT INTO api_tokens VALUES (?, 'export', 'read', '2026-05-01')", (bytes(range(32)),))
    return devices


def all_rows(database: Database) -> dict[str, list[Row]]:
    with database.reading() as tx:
        return {name: list(table.rows(tx)) for name, table in TABLES.items()}


def keys_of(clinic: ClinicRig) -> KeyStore:
    return KeyStore(clinic.folder / NAME, clinic.keys.id, create=True)


def back_up(clinic: ClinicRig, path: Path) -> Backup:
    with keys_of(clinic) as keys:
        return make_backup(clinic.clinic, keys, path)


@contextmanager
def restored(
    clinic: ClinicRig, path: Path, folder: Path, url: str | None = None
) -> Iterator[tuple[Database, Contents]]:
    """Into another folder, or a PostgreSQL without a row, with the keys that the clinic has now."""
    folder.mkdir(exist_ok=True)
    database = open_database(folder, url, create=True)
    try:
        with keys_of(clinic) as keys:
            contents = restore(path, clinic.keys.id, keys, database, lambda *_: None)
        yield database, contents
    finally:
        database.close()
