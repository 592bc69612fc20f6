"""A clinic that is open: its keys, its database, what day it is there, and what wearers see it called."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sync.clinic.clock import ClinicClock
from sync.clinic.counters import Counters
from sync.clinic.database.database import Database
from sync.clinic.database.opened import open_database
from sync.clinic.errors import ClinicError, ClinicStoreError
from sync.clinic.secrets_file import ClinicSecrets, load_secrets
from sync.clinic.tables.meta import RESTORING, Meta

MOST_NAME = 100  # what devices take


@dataclass(frozen=True, slots=True)
class Clinic:
    """Handed to whatever answers a request or a command. `url`: where devices reach it, where that has been said."""

    folder: Path
    secrets: ClinicSecrets = field(repr=False)
    database: Database = field(repr=False)
    clock: ClinicClock = field(repr=False)
    name: str = "clinic"
    url: str | None = None
    counters: Counters = field(default_factory=Counters, repr=False)


def require_name(name: str) -> None:
    """Raises ClinicError for a name that devices would not take."""
    if not name.strip() or not name.isprintable() or len(name) > MOST_NAME:
        raise ClinicError(f"a name of {len(name)} letters; 1 to {MOST_NAME} that can be printed are expected")


@contextmanager
def open_clinic(folder: Path, clock: ClinicClock, database_url: str | None = None) -> Iterator[Clinic]:
    """Closed when it is left. Raises ClinicError where there is none, ClinicStoreError."""
    keys = load_secrets(folder)
    database = open_database(folder, database_url)
    try:
        with database.reading() as tx:
            if Meta(tx).get(RESTORING) is not None:
                raise ClinicStoreError("a backup was being put back here, and it was cut short: do it again")
            name, url = Meta(tx).get("name"), Meta(tx).get("url")
        yield Clinic(folder, keys, database, clock, name or "clinic", url)
    finally:
        database.close()
