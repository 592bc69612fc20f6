"""What is due is sent in its slot and in order, again until a valid receipt has come; and it is there once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.outbox import Outbox, Peer
from sync.receipt import RECEIPT_BYTES, Reason, Status, issue
from sync.release import Release
from sync.uplink.drain import FIRST_WAIT_S, MOST_WAIT_S, SECOND_NS, Drain, Outcome, Sent, wait_ns
from sync.uplink.transport import TransportError
from tests.rigs.clinic import URL, ClinicRig, FakeDevice, af_days, resting_hr, worn_days

NOW_NS = 1_800_000_000 * SECOND_NS
DAY_NS = 86_400 * SECOND_NS


class FakeUplinkClock:
    def __init__(self) -> None:
        self.time_ns = NOW_NS
        self.sleeps_left = 0

    def now_ns(self) -> int:
        return self.time_ns

    def sleep_s(self, seconds: float) -> bool:
        self.sleeps_left -= 1
        self.time_ns += round(seconds * SECOND_NS)
        return self.sleeps_left >= 0


class ClinicTransport:
    """Hands a message to the clinic in this process; `spoil` decides what becomes of the answer."""

    def __init__(self, clinic: ClinicRig) -> None:
        self._clinic = clinic
        self.sent: list[Release] = []
        self.urls: set[str] = set()
        self.spoil: Callable[[bytes], bytes] = lambda answer: answer

    def post(self, url: str, data: bytes, most_bytes: int) -> bytes:
        assert most_bytes == RECEIPT_BYTES
        self.urls.add(url)
        self.sent.append(Release.decode(data))
        return self.spoil(self._clinic.receiver.take(data))

    def get(self, url: str, most_bytes: int) -> bytes:
        raise NotImplementedError


class Room:
    def __init__(self, clinic: ClinicRig, folder: Path) -> None:
        self.clinic = clinic
        self.clock = FakeUplinkClock()
        self.transport = ClinicTransport(clinic)
        folder.mkdir()
        self.outbox = Outbox(folder)
        keys = clinic.keys
        self.outbox.know(Peer(keys.id, "clinic", URL, keys.sealing, keys.signing))
        self.device: FakeDevice = clinic.device()

    def put(self, release: Release, slot_ns: int = 0) -> Release:
        self.outbox.put(self.clinic.keys.id, release, slot_ns)
        return release

    def drain(self) -> list[Sent]:
        return list(Drain(self.outbox, self.transport, self.clock).due_once())

    def fail(self, _: bytes) -> bytes:
        raise TransportError("ReadTimeout")


@pytest.fixture
def room(clinic: ClinicRig, tmp_path: Path) -> Iterator[Room]:
    room = Room(clinic, tmp_path / "outbox")
    with room.outbox:
        yield room


def test_what_is_due_arrives_in_order_and_goes(room: Room) -> None:
    messages = [room.put(room.device.enrol(room.clinic.token())), room.put(room.device.release(af_days()))]
    assert [sent.outcome for sent in room.drain()] == [Outcome.ARRIVED] * 2
    assert room.transport.sent == messages
    assert room.transport.urls == {f"{URL}/v1/messages"}
    assert room.outbox.messages() == []


def test_nothing_is_sent_before_its_slot(room: Room) -> None:
    room.put(room.device.enrol(room.clinic.token()), NOW_NS + 1)
    assert room.drain() == []
    room.clock.time_ns += 1
    assert len(room.drain()) == 1


def test_who_waits_lets_all_behind_it_wait(room: Room) -> None:
    """The clinic refuses a number below the newest: out of order would be lost."""
    room.put(room.device.enrol(room.clinic.token()))
    room.put(room.device.release(af_days()), NOW_NS + DAY_NS)
    room.put(room.device.release(worn_days()), NOW_NS + 1)
    assert len(room.drain()) == 1
    room.clock.time_ns += DAY_NS
    assert [sent.sequence for sent in room.drain()] == [2, 3]


@pytest.mark.parametrize("lost", ["the message", "the answer"])
def test_a_lost_message_or_answer_is_there_once_after_the_next_try(room: Room, lost: str) -> None:
    room.put(room.device.enrol(room.clinic.token()))
    room.put(room.device.release(af_days()))
    send = room.transport.post
    room.transport.spoil = room.fail
    if lost == "the message":
        room.transport.post = lambda *_: room.fail(b"")  # type: ignore[method-assign]
    assert [sent.outcome for sent in room.drain()] == [Outcome.FAILED]
    room.transport.post, room.transport.spoil = send, lambda data: data  # type: ignore[method-assign]
    assert room.drain() == []
    room.clock.time_ns += 2 * FIRST_WAIT_S * SECOND_NS
    first, second = room.drain()
    assert (first.outcome, second.outcome) == (Outcome.ARRIVED, Outcome.ARRIVED)
    assert first.why == ("stored" if lost == "the message" else "duplicate")
    assert len(room.clinic.answers(room.device.id)) == 1


@pytest.mark.parametrize(
    "forged",
    [
        lambda data: b"",
        lambda data: data[:-1],
        lambda data: data[:-64] + bytes(64),
        lambda data: bytes(len(data)),
    ],
)
def test_without_a_valid_receipt_nothing_goes(room: Room, forged: Callable[[bytes], bytes]) -> None:
    room.put(room.device.enrol(room.clinic.token()))
    room.transport.spoil = forged
    assert [sent.outcome for sent in room.drain()] == [Outcome.FAILED]
    (message,) = room.outbox.messages()
    assert message.tries == 1
    assert message.refused is None


def test_a_receipt_of_another_key_or_another_message_takes_nothing_away(room: Room) -> None:
    release = room.put(room.device.enrol(room.clinic.token()))
    other = room.device.release(af_days())
    room.transport.spoil = lambda _: issue(release, Status.STORED, Reason.NONE, Ed25519PrivateKey.generate()).encode()
    assert "not signed" in room.drain()[0].why
    room.clock.time_ns += DAY_NS
    room.transport.spoil = lambda _: issue(other, Status.STORED, Reason.NONE, room.clinic.secrets.signing).encode()
    assert "another message" in room.drain()[0].why
    assert len(room.outbox.messages()) == 1


def test_what_the_clinic_refuses_for_good_stays_is_told_and_holds_up_nothing(room: Room) -> None:
    room.put(room.device.enrol(room.clinic.token()))
    refused = room.put(room.device.release(af_days(value=1e6)))
    room.put(room.device.release(worn_days()))
    assert [sent.outcome for sent in room.drain()] == [Outcome.ARRIVED, Outcome.REFUSED, Outcome.ARRIVED]
    (message,) = room.outbox.messages()
    assert message.id == refused.id
    assert message.refused == Reason.BOUNDS.words
    room.clock.time_ns += 365 * DAY_NS
    assert room.drain() == []


def test_what_is_dropped_between_two_messages_is_not_sent(room: Room) -> None:
    """Withdrawal stops at once, also while the outbox is being drained."""
    room.put(room.device.enrol(room.clinic.token()))
    room.put(room.device.release(af_days()))
    tries = Drain(room.outbox, room.transport, room.clock).due_once()
    next(tries)
    room.outbox.drop(room.clinic.keys.id)
    assert list(tries) == []
    assert len(room.transport.sent) == 1


def test_one_clinic_out_of_reach_does_not_hold_up_another(room: Room, tmp_path: Path) -> None:
    with ClinicRig(tmp_path / "other") as other:
        room.outbox.know(Peer(other.keys.id, "other", "http://127.0.0.1:2", other.keys.sealing, other.keys.signing))
        room.put(room.device.enrol(room.clinic.token()))
        device = FakeDevice(other.keys)
        room.outbox.put(other.keys.id, device.enrol(other.token()), 0)
        take = room.transport.post

        def post(url: str, data: bytes, most_bytes: int) -> bytes:
            return take(url, data, most_bytes) if url.startswith(URL + "/") else room.fail(data)

        room.transport.post = post  # type: ignore[method-assign]
        assert {sent.clinic: sent.outcome for sent in room.drain()} == {
            "clinic": Outcome.ARRIVED,
            "other": Outcome.FAILED,
        }


def test_weeks_offline_cost_few_tries_and_lose_nothing(room: Room) -> None:
    room.put(room.device.enrol(room.clinic.token(days=60)))
    for window in range(3):
        room.put(room.device.release(af_days(27 + window)))
    room.put(room.device.release(resting_hr()))
    send = room.transport.post
    tries = []

    def offline(url: str, data: bytes, most_bytes: int) -> bytes:
        tries.append(room.clock.time_ns)
        raise TransportError("ConnectError")

    room.transport.post = offline  # type: ignore[method-assign]
    end_ns = NOW_NS + 28 * DAY_NS
    while room.clock.time_ns < end_ns:
        room.drain()
        room.clock.time_ns += 3600 * SECOND_NS
    assert 28 * 24 / 10 < len(tries) < 28 * 8 + 12
    room.transport.post = send  # type: ignore[method-assign]
    room.clock.time_ns += 2 * MOST_WAIT_S * SECOND_NS
    assert [sent.outcome for sent in room.drain()] == [Outcome.ARRIVED] * 5
    assert room.outbox.messages() == []


def test_waits_grow_to_hours_and_are_spread_by_chance() -> None:
    for tries in range(0, 2000, 7):
        most = min(FIRST_WAIT_S * 2 ** min(tries, 30), MOST_WAIT_S) * SECOND_NS
        waits = [wait_ns(tries) for _ in range(20)]
        assert most / 2 <= min(waits) and max(waits) <= most * 1.5
        assert len(set(waits)) > 1


def test_a_wait_that_a_wrong_clock_set_is_not_waited_for(room: Room) -> None:
    """A clock years ahead when it was tried, set right after: it is not silent for years."""
    room.put(room.device.enrol(room.clinic.token()))
    room.clock.time_ns += 3650 * DAY_NS
    room.transport.spoil = room.fail
    room.drain()
    room.clock.time_ns -= 3650 * DAY_NS
    room.transport.spoil = lambda data: data
    assert [sent.outcome for sent in room.drain()] == [Outcome.ARRIVED]


def test_it_looks_again_until_it_is_told_to_stop(room: Room) -> None:
    room.put(room.device.enrol(room.clinic.token()), NOW_NS + 300 * SECOND_NS)
    room.clock.sleeps_left = 10
    assert [sent.outcome for sent in Drain(room.outbox, room.transport, room.clock).run()] == [Outcome.ARRIVED]
    assert room.clock.sleeps_left == -1


def test_when_it_sends_does_not_depend_on_what_it_sends(room: Room) -> None:
    """Same slots, other contents: the same moments."""
    moments = []
    for value in (0.0, 28.0):
        device = room.clinic.enrolled()
        room.put(device.release(af_days(value=value)), NOW_NS + 120 * SECOND_NS)
        room.clock.time_ns = NOW_NS
        room.clock.sleeps_left = 5
        list(Drain(room.outbox, room.transport, room.clock).run())
        moments.append([len(release.encode()) for release in room.transport.sent])
        room.transport.sent.clear()
    assert moments[0] == moments[1] == [1024]
