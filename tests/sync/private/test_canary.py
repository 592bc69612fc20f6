"""A canary in the raw data is found in nothing that leaves: not in the outbox, not in what was sealed, once opened."""

from __future__ import annotations

import struct
from datetime import date, timedelta
from pathlib import Path

import pytest

from device_pipeline.clock import ManualClock
from device_pipeline.day_reader import bounds_ns, stored_day
from device_pipeline.store.store import open_store
from device_pipeline.store.writer import SessionKind
from sensors.samples import Quantity, Reading
from sync.pairing import base32
from sync.private.clinics import pair
from sync.private.registry import STATISTICS
from sync.private.window import FIRST_DAY
from sync.receipt import Receipt, Status
from sync.release import Answer, Enrol, Release, pack
from sync.sealing import unseal
from tests.rigs.clinic import URL, ClinicRig
from tests.sync.private.room import Room, at

NAME = "CANARY-7319 of the kitchen"
RR_MS = 731.9375
DAY = date(2024, 2, 1)


@pytest.fixture
def canary_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Room:
    monkeypatch.setenv("TZ", "UTC")
    clock = ManualClock(now_ns=at(date(2024, 7, 1)))
    store = open_store(tmp_path / "store", clock)
    with store.writer() as writer:
        writer.begin_session(SessionKind.LIVE, NAME, "0")
        for k in range(1500):
            writer.add_item(Reading(Quantity.RR, "rr", at(DAY) + round(k * RR_MS * 1e6), RR_MS))
    with store.reader() as db:
        kept = {DAY + timedelta(days=k) for k in range(-1, 2)}
        days = {day: stored_day(db, day, Room.zone()) for day in kept}
    assert days[DAY] is not None
    return Room(tmp_path, clock, lambda day, zone: days.get(day))


def test_a_canary_is_in_the_store_and_in_nothing_that_leaves(canary_room: Room, tmp_path: Path) -> None:
    room = canary_room
    with ClinicRig(tmp_path / "clinic") as rig:
        publisher = room.publisher
        clinic = pair(publisher.account, "practice", URL, rig.keys, room.clock.now_ns())
        for statistic in STATISTICS:
            publisher.consents.grant(clinic.id, statistic, FIRST_DAY, room.clock.now_ns())
        agreed = {statistic.name: 1 for statistic in STATISTICS}
        publisher.ledger.control(Enrol(base32(rig.token()), publisher.device_key.hex(), agreed), clinic)
        publisher.publish(room.outbox)
        messages = room.outbox.messages()
        contents = [unseal(Release.decode(m.envelope), rig.secrets.sealing, rig.keys) for m in messages]
        assert sum(isinstance(content, Answer) for content in contents) > 8
        written = b"".join(path.read_bytes() for path in (room.folder / "outbox").iterdir())
        for message in messages:
            assert Receipt.decode(rig.receiver.take(message.envelope)).status is Status.STORED
    tables = b"".join(path.read_bytes() for path in (tmp_path / "clinic").iterdir())
    assert publisher.device_key in tables  # it is the very file that rows lie in
    envelopes = b"".join(message.envelope for message in messages)
    everything = written + envelopes + b"".join(map(pack, contents)) + tables
    start_ns, _ = bounds_ns(DAY, Room.zone())
    for sign in (NAME, "kitchen", str(RR_MS), f"{60_000 / RR_MS:.3f}", DAY.isoformat(), str(start_ns)):
        assert sign.encode() not in everything
    for number in (RR_MS, RR_MS / 1000, 60_000 / RR_MS):
        assert struct.pack("<d", number) not in everything
        assert struct.pack(">d", number) not in everything
