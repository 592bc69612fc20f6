"""A clinic in a folder, and devices that speak to it as paired ones do."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.clinic.backup.erasure import erase_keys
from sync.clinic.clinic import Clinic
from sync.clinic.database.database import Database
from sync.clinic.database.opened import open_database, remember
from sync.clinic.receiver import Receiver
from sync.clinic.secrets_file import ClinicSecrets, make_secrets
from sync.clinic.tables.answers import Answers, StoredAnswer
from sync.clinic.tables.devices import Device, Devices
from sync.clinic.tables.meta import Meta
from sync.clinic.tables.pairings import Pairings
from sync.pairing import base32
from sync.receipt import Reason, Receipt, Status, check
from sync.release import Answer, Content, Delete, Enrol, Release
from sync.sealing import ClinicKeys, device_id, seal

TODAY = date(2026, 5, 1)
MORNING = time(8, 30)
URL = "http://127.0.0.1:1"


class ManualClinicClock:
    def __init__(self) -> None:
        self.day = TODAY
        self.now_s = 0.0

    def today(self) -> date:
        return self.day

    def moment(self) -> datetime:
        return datetime.combine(self.day, MORNING, UTC) + timedelta(seconds=self.now_s)

    def monotonic_s(self) -> float:
        return self.now_s

    def pass_days(self, days: int) -> None:
        self.day += timedelta(days=days)


@dataclass
class FakeDevice:
    """Numbers its messages from 1 on, as the ledger does."""

    clinic: ClinicKeys
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    sequence: int = 0

    @property
    def id(self) -> bytes:
        return device_id(self.key.public_key().public_bytes_raw())

    def release(self, content: Content, *, id_: bytes | None = None, sequence: int | None = None) -> Release:
        if sequence is None:
            self.sequence += 1
            sequence = self.sequence
        return seal(content, id_ or secrets.token_bytes(16), sequence, self.key, self.clinic)

    def enrol(self, token: bytes, statistics: Mapping[str, int] | None = None) -> Release:
        key = self.key.public_key().public_bytes_raw().hex()
        return self.release(Enrol(base32(token), key, dict(statistics or {"af_days": 1, "worn_days": 1})))

    def delete(self) -> Release:
        return self.release(Delete())


class ClinicRig:
    """Receives in this process; `folder` is made. `url`: of a PostgreSQL that is empty; None: a file in the folder."""

    def __init__(self, folder: Path, url: str | None = None) -> None:
        self.folder = folder
        self.clock = ManualClinicClock()
        self.secrets: ClinicSecrets = make_secrets(folder)
        self.keys = self.secrets.public
        if url is not None:
            remember(folder, url)
        self.database: Database = open_database(folder, create=True)
        self.receiver = Receiver(self.secrets, self.database, self.clock, lambda: erase_keys(self.clinic))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.database.close()

    @property
    def clinic(self) -> Clinic:
        """As what answers requests is handed it."""
        return Clinic(self.folder, self.secrets, self.database, self.clock, "Heart clinic", URL)

    def set_meta(self, name: str, value: str) -> None:
        with self.database.writing() as tx:
            Meta(tx).put(name, value)

    def token(self, label: str | None = None, days: int = 14) -> bytes:
        with self.database.writing() as tx:
            return Pairings(tx).new(label, self.clock.today(), days)[0]

    def devices(self) -> list[Device]:
        with self.database.reading() as tx:
            return Devices(tx).all()

    def answers(self, device: bytes) -> list[StoredAnswer]:
        with self.database.reading() as tx:
            return Answers(tx).of(device)

    def device(self) -> FakeDevice:
        return FakeDevice(self.keys)

    def enrolled(self, label: str | None = None) -> FakeDevice:
        device = self.device()
        assert self.take(device.enrol(self.token(label))) is Status.STORED
        return device

    def receipt(self, release: Release) -> Receipt:
        receipt = Receipt.decode(self.receiver.take(release.encode()))
        check(receipt, release, self.keys.signing)
        return receipt

    def take(self, release: Release) -> Status | Reason:
        """What the receipt says: the status, or the reason of a refusal."""
        receipt = self.receipt(release)
        return receipt.reason if receipt.status is Status.REFUSED else receipt.status

    def rows(self, query: str) -> list[tuple[object, ...]]:
        """Read beside the server, as another process would."""
        return read_rows(self.folder, query)

    def columns(self) -> list[str]:
        """Of all tables, as TABLE.COLUMN."""
        tables = (
            "SELECT name FROM sqlite_master WHERE type = 'table'"
            if self.database.kind == "sqlite"
            else "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        )
        names = (
            "SELECT name FROM pragma_table_info(?)"
            if self.database.kind == "sqlite"
            else "SELECT column_name::text FROM information_schema.columns WHERE table_name = ?"
        )
        with self.database.reading() as tx:
            return [f"{table}.{row[0]}" for (table,) in tx.all(tables) for row in tx.all(names, (table,))]


def read_rows(folder: Path, query: str) -> list[tuple[object, ...]]:
    database = open_database(folder)
    try:
        with database.reading() as tx:
            return list(tx.all(query))
    finally:
        database.close()


def af_days(window: int = 27, value: float = 3.0) -> Answer:
    return Answer("af_days", 1, 28, window, value, 500)


def worn_days(window: int = 27, value: float = 25.0) -> Answer:
    return Answer("worn_days", 1, 28, window, value, 500)


def resting_hr(window: int = 9, value: float = 61.0) -> Answer:
    return Answer("resting_hr_median", 1, 84, window, value, 500)


def rmssd(window: int = 9, value: float = 33.45) -> Answer:
    return Answer("rmssd_median", 1, 84, window, value, 500)
