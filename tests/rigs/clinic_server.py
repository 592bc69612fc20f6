"""A clinic whose story has been told, served at a port of this machine to whoever is signed in.

Devices enrol and send as they do anywhere, a day at a time, through the receiver; then staff sit down at the desk.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.clinic.app import make_app
from sync.clinic.desk.passwords import Passwords
from sync.clinic.tables.pairings import token_hash
from sync.clinic.tables.staff import Staff
from sync.pairing import TOKEN_BYTES, base32
from sync.receipt import Status
from sync.release import Release
from tests.rigs.clinic import ClinicRig, FakeDevice
from tests.rigs.clinic_story import TODAY, Event, Person
from tests.rigs.server_thread import ServerThread

PASSWORD = "seven quiet herons wade"
STAFF = ("doctor", "reception")
_CODE_DAYS = 14


def tell(rig: ClinicRig, people: Iterable[Person], events: Iterable[Event]) -> None:
    """`events`: in the order of their days. What is not stored is a fault of the story."""
    by_number = {person.number: person for person in people}
    devices: dict[int, FakeDevice] = {}
    for event in events:
        rig.clock.day = event.day
        if event.content is None:
            release = _enrol(rig, by_number[event.number], devices)
        else:
            release = devices[event.number].release(event.content)
        assert rig.take(release) is Status.STORED, f"{event.number} on {event.day}"


def _enrol(rig: ClinicRig, person: Person, devices: dict[int, FakeDevice]) -> Release:
    token = person.key_bytes[:TOKEN_BYTES]
    last_day = rig.clock.today() + timedelta(days=_CODE_DAYS)
    # Not by Pairings.new: the pseudonym has to be the same each time.
    with rig.database.writing() as tx:
        tx.execute(
            "INSERT INTO pairings (token, pseudonym, label, last_day) VALUES (?, ?, ?, ?)",
            (token_hash(base32(token)), person.pseudonym, person.label, last_day.isoformat()),
        )
    device = FakeDevice(rig.keys, Ed25519PrivateKey.from_private_bytes(person.key_bytes))
    devices[person.number] = device
    return device.enrol(token, dict.fromkeys(person.statistics, 1))


class ClinicServer:
    """Today is TODAY, the clinic is called so, and STAFF have PASSWORD."""

    def __init__(self, folder: Path, people: Iterable[Person], events: Iterable[Event]) -> None:
        self.rig = ClinicRig(folder)
        self.rig.set_meta("name", "Heart clinic")
        self.rig.set_meta("url", "https://clinic.example")
        tell(self.rig, people, events)
        self.rig.clock.day = TODAY
        stored = Passwords().hash(PASSWORD)
        with self.rig.database.writing() as tx:
            for name in STAFF:
                Staff(tx).add(name, stored, TODAY)
        self._server = ServerThread(make_app(self.rig.clinic, most_per_address=0))
        self.url = self._server.url

    def __enter__(self) -> Self:
        self._server.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.__exit__()
        self.rig.__exit__()
