"""Many messages at once are as one after the other: each is stored once, and has its receipt after the commit alone."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

import pytest

from sync.clinic.database.database import Transaction
from sync.clinic.errors import ClinicStoreError
from sync.clinic.inbox import Inbox
from sync.receipt import Reason, Receipt, Status, check
from sync.release import Release, ReleaseError
from tests.rigs.clinic import ClinicRig, af_days, resting_hr, worn_days

T = TypeVar("T")
AT_ONCE_S = 30.0


def _at_once(calls: Sequence[Callable[[], T]]) -> list[T]:
    """Each in a thread of its own, all let go at the same moment."""
    start = threading.Barrier(len(calls))

    def run(call: Callable[[], T]) -> T:
        start.wait(AT_ONCE_S)
        return call()

    with ThreadPoolExecutor(len(calls)) as threads:
        return [done.result(AT_ONCE_S) for done in [threads.submit(run, call) for call in calls]]


def _said(clinic: ClinicRig, release: Release, receipt: bytes | BaseException) -> Status | Reason | BaseException:
    if isinstance(receipt, BaseException):
        return receipt
    decoded = Receipt.decode(receipt)
    check(decoded, release, clinic.keys.signing)
    return decoded.reason if decoded.status is Status.REFUSED else decoded.status


def _through_inbox(clinic: ClinicRig, releases: Sequence[Release]) -> list[Status | Reason | BaseException]:
    """All handed in before the first is answered."""

    async def hand_in() -> list[bytes | BaseException]:
        inbox = Inbox(clinic.receiver, clinic.database.kind)
        return await asyncio.gather(*(inbox.receipt(release.encode()) for release in releases), return_exceptions=True)

    return [_said(clinic, release, got) for release, got in zip(releases, asyncio.run(hand_in()), strict=True)]


# -- side by side


def test_of_two_devices_with_one_token_one_is_enrolled(clinic: ClinicRig) -> None:
    for _ in range(12):
        token = clinic.token()
        releases = [clinic.device().enrol(token) for _ in range(2)]
        said = _at_once([lambda release=each: clinic.take(release) for each in releases])  # type: ignore[misc]
        assert Counter(said) == {Status.STORED: 1, Reason.TOKEN: 1}
    assert len(clinic.devices()) == 12


def test_one_message_many_times_at_once_is_stored_once(clinic: ClinicRig) -> None:
    device = clinic.device()
    for release in (device.enrol(clinic.token()), device.release(af_days()), device.release(worn_days())):
        said = _at_once([lambda: clinic.take(release)] * 8)  # noqa: B023
        assert Counter(said) == {Status.STORED: 1, Status.DUPLICATE: 7}
    assert len(clinic.answers(device.id)) == 2
    assert len(clinic.rows("SELECT id FROM messages")) == 3


def test_of_two_answers_to_one_question_at_once_one_is_stored(clinic: ClinicRig) -> None:
    device = clinic.enrolled()
    releases = [device.release(af_days(value=float(value))) for value in range(8)]
    said = Counter(_at_once([lambda release=each: clinic.take(release) for each in releases]))  # type: ignore[misc]
    assert said[Status.STORED] == 1
    assert said[Reason.ANSWERED] + said[Reason.SEQUENCE] == 7
    assert len(clinic.answers(device.id)) == 1


def test_a_withdrawal_beside_answers_leaves_no_answer(clinic: ClinicRig) -> None:
    for _ in range(6):
        device = clinic.enrolled()
        releases = [device.release(af_days()), device.release(worn_days()), device.delete()]
        said = _at_once([lambda release=each: clinic.take(release) for each in releases])  # type: ignore[misc]
        assert said[2] is Status.STORED
        assert clinic.answers(device.id) == []
    assert clinic.devices() == []


def test_many_at_once_of_many_devices_do_not_wait_for_each_other_for_ever(clinic: ClinicRig) -> None:
    """Each of several who store together locks the same devices."""
    devices = [clinic.enrolled() for _ in range(8)]
    for window in range(10, 14):
        releases = [device.release(af_days(window)) for device in devices]
        orders = [releases, releases[::-1], releases[4:] + releases[:4], releases[::2] + releases[1::2]]
        results = _at_once([lambda order=each: clinic.receiver.take_all(order) for each in orders])  # type: ignore[misc]
        said = Counter(
            _said(clinic, release, receipt)
            for order, receipts in zip(orders, results, strict=True)
            for release, receipt in zip(order, receipts, strict=True)
        )
        assert said == {Status.STORED: 8, Status.DUPLICATE: 24}


# -- together


def test_all_that_wait_are_answered_each_for_itself(clinic: ClinicRig) -> None:
    token, known = clinic.token(), clinic.enrolled()
    one, other = clinic.device(), clinic.device()
    releases = [
        one.enrol(token),
        other.enrol(token),
        one.release(af_days()),
        other.release(af_days()),
        known.release(af_days(value=1e6)),
        known.release(resting_hr()),
    ]
    # on PostgreSQL they may come in any order: one after the other here, as one call stores them
    receipts = clinic.receiver.take_all(releases)
    assert [_said(clinic, release, receipt) for release, receipt in zip(releases, receipts, strict=True)] == [
        Status.STORED,
        Reason.TOKEN,
        Status.STORED,
        Reason.UNKNOWN_DEVICE,
        Reason.BOUNDS,
        Status.STORED,
    ]
    assert {stored.id for stored in clinic.devices()} == {one.id, known.id}
    assert len(clinic.answers(one.id)) == len(clinic.answers(known.id)) == 1


def test_of_what_is_refused_nothing_stays_where_others_are_stored(
    clinic: ClinicRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the refusal comes after something was written."""
    good, bad = clinic.enrolled(), clinic.device()
    refused = bad.enrol(clinic.token())
    verdict = clinic.receiver._taken

    def late(tx: Transaction, release: Release, told: list[Any]) -> tuple[Status, bool]:
        found = verdict(tx, release, told)
        if release.device == bad.id:
            verdict(tx, bad.release(af_days(value=1e6)), told)
        return found

    monkeypatch.setattr(clinic.receiver, "_taken", late)
    receipts = clinic.receiver.take_all([good.release(af_days()), refused, good.release(worn_days())])
    assert [type(receipt) for receipt in receipts] == [bytes] * 3
    assert [Receipt.decode(receipt).reason for receipt in receipts if isinstance(receipt, bytes)][1] is Reason.BOUNDS
    assert [stored.id for stored in clinic.devices()] == [good.id]
    assert len(clinic.answers(good.id)) == 2
    ((logged,),) = clinic.rows("SELECT subject FROM audit WHERE action = 'enrolled'")
    assert [logged] == [each.pseudonym for each in clinic.devices()]


def test_every_message_of_many_that_come_at_once_has_its_receipt(clinic: ClinicRig) -> None:
    devices = [clinic.enrolled() for _ in range(40)]
    said = _through_inbox(clinic, [device.release(answer) for device in devices for answer in (af_days(),)])
    assert said == [Status.STORED] * 40
    assert len(clinic.rows("SELECT device FROM answers")) == 40


def test_what_is_no_message_holds_up_nobody(clinic: ClinicRig) -> None:
    device = clinic.enrolled()

    async def hand_in() -> list[bytes | BaseException]:
        inbox = Inbox(clinic.receiver, clinic.database.kind)
        bodies = [bytes(1024), device.release(af_days()).encode(), b""]
        return await asyncio.gather(*(inbox.receipt(body) for body in bodies), return_exceptions=True)

    got = asyncio.run(hand_in())
    assert [type(each) for each in got] == [ReleaseError, bytes, ReleaseError]


def test_a_mistake_of_ours_about_one_message_is_about_that_one(
    clinic: ClinicRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    devices = [clinic.enrolled() for _ in range(3)]
    verdict = clinic.receiver._taken

    def broken(tx: Transaction, release: Release, told: list[Any]) -> tuple[Status, bool]:
        if release.device == devices[1].id:
            raise RuntimeError("our mistake")
        return verdict(tx, release, told)

    monkeypatch.setattr(clinic.receiver, "_taken", broken)
    releases = [device.release(af_days()) for device in devices]
    said = [_said(clinic, *pair) for pair in zip(releases, clinic.receiver.take_all(releases), strict=True)]
    assert said[0] is said[2] is Status.STORED
    assert isinstance(said[1], RuntimeError)


def test_without_a_commit_there_is_no_receipt(clinic: ClinicRig, monkeypatch: pytest.MonkeyPatch) -> None:
    """And what comes again is stored then."""
    devices = [clinic.enrolled() for _ in range(5)]
    releases = [device.release(af_days()) for device in devices]
    writing = clinic.database.writing

    @contextmanager
    def full() -> Iterator[Transaction]:
        with writing() as tx:
            yield tx
            raise ClinicStoreError("disk full")

    monkeypatch.setattr(clinic.database, "writing", full)
    assert [type(each) for each in _through_inbox(clinic, releases)] == [ClinicStoreError] * 5
    assert clinic.rows("SELECT device FROM answers") == []
    monkeypatch.undo()
    assert _through_inbox(clinic, releases) == [Status.STORED] * 5


def test_who_asks_and_leaves_holds_up_nobody(clinic: ClinicRig) -> None:
    devices = [clinic.enrolled() for _ in range(4)]

    async def hand_in() -> list[bytes]:
        inbox = Inbox(clinic.receiver, clinic.database.kind)
        waits = [asyncio.create_task(inbox.receipt(device.release(af_days()).encode())) for device in devices]
        await asyncio.sleep(0)
        waits[0].cancel()
        return await asyncio.gather(*waits[1:])

    assert len(asyncio.run(hand_in())) == 3
