"""Cards, one after the other, read in small transactions: whoever takes them slowly keeps no old state alive."""

from __future__ import annotations

from collections.abc import Iterator

from sync.clinic.card import Card, make_card
from sync.clinic.database.database import Database
from sync.clinic.tables.answers import Answers
from sync.clinic.tables.devices import Device, Devices

BATCH = 100


def all_cards(database: Database) -> Iterator[tuple[Device, Card]]:
    """By pseudonym. Who withdraws meanwhile is in none of what is read after it. Raises ClinicStoreError."""
    with database.reading() as tx:
        ids = [device.id for device in Devices(tx).all()]
    return (card for begin in range(0, len(ids), BATCH) for card in _batch(database, ids[begin : begin + BATCH]))


def one_card(database: Database, pseudonym: str) -> tuple[Device, Card]:
    """Raises UnknownPatientError, ClinicStoreError."""
    with database.reading() as tx:
        device = Devices(tx).patient(pseudonym)
        return device, make_card(device, Answers(tx).of(device.id))


def _batch(database: Database, ids: list[bytes]) -> list[tuple[Device, Card]]:
    with database.reading() as tx:
        devices = [device for id_ in ids if (device := Devices(tx).get(id_)) is not None]
        return [(device, make_card(device, Answers(tx).of(device.id))) for device in devices]
