"""Nobody who is on is called silent, on any day of a year; whoever is off is, once an answer is overdue."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from device_pipeline.clock import ManualClock
from device_pipeline.day_summary import DaySummary
from sync.clinic.catalogue import FIRST_DAY, MONTH_DAYS, QUARTER_DAYS
from sync.clinic.silence import (
    SEALED_AFTER_DAYS,
    SLOT_DAYS,
    TRIES_DAYS,
    Silence,
    expected_by,
    newest_due,
    silence,
)
from sync.private import ledger, window
from sync.private.registry import STATISTICS
from sync.receipt import Reason, Status, issue
from sync.release import Answer, Enrol, Release
from sync.uplink.drain import MOST_WAIT_S, Drain
from sync.uplink.transport import TransportError
from tests.sync.private.room import FalseClinic, Room

(AF_DAYS,) = (statistic for statistic in STATISTICS if statistic.name == "af_days")
ALL = ("af_days", "worn_days", "resting_hr_median", "rmssd_median")
HOUR_NS = 3600 * 10**9
DAY_NS = 24 * HOUR_NS


def _first(length_days: int, index: int) -> date:
    return FIRST_DAY + timedelta(days=length_days * index)


# -- against a device as it is


@dataclass
class _Practice:
    """Takes all that is sent to it, on the days (UTC) on which it is; now and then it cannot be reached."""

    clock: ManualClock
    device_key: bytes = b""
    clinic: FalseClinic = field(default_factory=lambda: FalseClinic("practice"))
    fails: random.Random | None = None
    failed: date = FIRST_DAY
    got: list[tuple[date, Answer]] = field(default_factory=list)
    agreed: tuple[tuple[str, ...], date] = ((), FIRST_DAY)

    def today(self) -> date:
        return datetime.fromtimestamp(self.clock.now_ns() / 1e9, UTC).date()

    def post(self, url: str, data: bytes, most_bytes: int) -> bytes:
        release = Release.decode(data)
        # once for the answers of a window, as the schedule allows for
        if self.fails is not None and (self.today() - self.failed).days > 14 and self.fails.random() < 0.5:
            self.failed = self.today()
            raise TransportError("no route")
        content = self.clinic.open(data, self.device_key)
        if isinstance(content, Enrol):
            self.agreed = tuple(content.statistics), self.today()
        else:
            assert isinstance(content, Answer)
            self.got.append((self.today(), content))
        return issue(release, Status.STORED, Reason.NONE, self.clinic.signing_key).encode()

    def get(self, url: str, most_bytes: int) -> bytes:
        raise NotImplementedError

    def newest(self) -> dict[int, int]:
        found: dict[int, int] = {}
        for _, answer in self.got:
            found[answer.length_days] = max(found.get(answer.length_days, 0), answer.window)
        return found


@dataclass
class _UplinkClock:
    clock: ManualClock

    def now_ns(self) -> int:
        return self.clock.now_ns()

    def sleep_s(self, seconds: float) -> bool:
        raise NotImplementedError


def _off(day: date, zone: object) -> DaySummary | None:
    """Never worn: the schedule is the same."""
    return None


class _Life:
    """A device whose timer goes once a day, at whatever moment of it; and a practice that looks at it every day."""

    def __init__(
        self, folder: Path, zone: str, agreed: Iterable[str], enrolled: date, monkeypatch: pytest.MonkeyPatch, seed: int
    ) -> None:
        monkeypatch.setenv("TZ", zone)
        self.chance = random.Random(seed)
        agreed = tuple(agreed)
        self.room = Room(folder, ManualClock(now_ns=_midnight_ns(enrolled)), days=_off)
        self.midnight_ns = _midnight_ns(enrolled)
        # Midnight of the zone: a whole number of hours from UTC's, for the zones that are tried.
        offset = datetime.fromtimestamp(self.midnight_ns / 1e9, self.room.publisher.zone).utcoffset()
        assert offset is not None
        self.midnight_ns -= round(offset.total_seconds()) * 10**9
        self.practice = _Practice(self.room.clock, self.room.publisher.device_key)
        self.drain = Drain(self.room.outbox, self.practice, _UplinkClock(self.room.clock))
        self._at(self.midnight_ns + self.chance.randrange(DAY_NS))
        self.practice.agreed = agreed, self.practice.today()
        self.known = self.room.pair(self.practice.clinic, self.room.publisher.today(), agreed)

    def day(self, *, on: bool = True) -> Silence | None:
        """Lets a day of the wearer go by; what the practice says at the end of its own."""
        if on:
            self._at(self.midnight_ns + self.chance.choice((0, self.chance.randrange(DAY_NS), DAY_NS - 10**9)))
            self.room.publisher.publish(self.room.outbox)
            list(self.drain.due_once())
        self.midnight_ns += DAY_NS
        self._at(self.midnight_ns)
        return silence(*self.practice.agreed, self.practice.newest(), self.practice.today())

    def _at(self, now_ns: int) -> None:
        self.room.clock.advance(max(0, now_ns - self.room.clock.now_ns()))


def _midnight_ns(day: date) -> int:
    return round(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 10**9


@pytest.mark.parametrize(
    ("zone", "agreed", "into"),
    [
        ("UTC", ALL, 0),
        ("Etc/GMT+12", ALL, 27),  # the last place on earth where a day ends
        ("Pacific/Kiritimati", ("worn_days",), 13),  # the first one
        ("Etc/GMT+12", ("resting_hr_median",), 40),
        ("Europe/Berlin", ("af_days", "rmssd_median"), 83),
    ],
)
@pytest.mark.parametrize("fails", [False, True], ids=["reached", "sometimes not"])
def test_who_is_on_is_never_called_silent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, zone: str, agreed: tuple[str, ...], into: int, fails: bool
) -> None:
    life = _Life(tmp_path, zone, agreed, _first(84, 9) + timedelta(days=into), monkeypatch, seed=into)
    life.practice.fails = random.Random(3) if fails else None
    for _ in range(120):
        assert life.day() is None
    months = 120 // MONTH_DAYS if set(agreed) & {"af_days", "worn_days"} else 0
    assert len(life.practice.got) >= max(months - 1, 1)
    for day, answer in life.practice.got:
        assert day <= expected_by(answer.length_days, answer.window)
        if not fails:
            assert day <= expected_by(answer.length_days, answer.window) - timedelta(days=TRIES_DAYS)


@pytest.mark.parametrize("zone", ["UTC", "Etc/GMT+12", "Pacific/Kiritimati"])
def test_who_is_on_is_not_called_silent_on_any_day_of_a_year(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, zone: str
) -> None:
    life = _Life(tmp_path, zone, ALL, _first(28, 30) + timedelta(days=20), monkeypatch, seed=5)
    life.practice.fails = random.Random(4)
    for _ in range(366 + 28):
        assert life.day() is None
    assert len(life.practice.got) >= 13 * 2 + 4 * 2


def test_who_goes_off_is_silent_once_the_next_answer_is_overdue_and_no_more_when_it_has_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    life = _Life(tmp_path, "UTC", ("af_days",), _first(28, 30), monkeypatch, seed=6)
    while not life.practice.got:
        assert life.day() is None
    overdue = expected_by(28, 31)
    while life.practice.today() < overdue:
        assert life.day(on=False) is None
    found = life.day(on=False)
    assert found == Silence(28, 1, _first(28, 31), _first(28, 32) - timedelta(days=1), overdue)
    for _ in range(56):
        found = life.day(on=False)
    assert found is not None
    assert (found.missing, found.since) == (3, overdue)
    for _ in range(4):
        life.day()
    assert life.day() is None


def test_who_took_the_months_back_is_silent_only_where_quarters_are_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    life = _Life(tmp_path, "UTC", ALL, _first(84, 10), monkeypatch, seed=7)
    for _ in range(84 + 8):
        assert life.day() is None
    life.room.publisher.ledger.withdraw(["af_days", "worn_days"], life.known, life.room.outbox)
    for _ in range(2 * 84):
        assert life.day() is None
    while (found := life.day(on=False)) is None:
        pass
    assert (found.length_days, found.missing) == (84, 1)


def test_who_agrees_to_the_months_later_is_not_missed_for_those_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    life = _Life(tmp_path, "UTC", ("rmssd_median",), _first(84, 10), monkeypatch, seed=8)
    for _ in range(84 + 70):
        assert life.day() is None
    publisher = life.room.publisher
    publisher.ledger.grant([AF_DAYS], life.known, life.room.outbox)
    for _ in range(120):
        assert life.day() is None
    assert len([answer for _, answer in life.practice.got if answer.statistic == "af_days"]) >= 4


# -- the schedule


def test_the_days_of_the_schedule_are_those_of_the_device() -> None:
    assert window.Window(28, 0).sealed_from == _first(28, 1) - timedelta(days=1) + timedelta(days=SEALED_AFTER_DAYS)
    assert ledger.SLOT_AFTER_NS + ledger.SLOT_SPREAD_NS == SLOT_DAYS * ledger.DAY_NS
    # the longest wait after a failure is over before the next day's look
    assert 1.5 * MOST_WAIT_S < TRIES_DAYS * 86_400


@pytest.mark.parametrize("length", [MONTH_DAYS, QUARTER_DAYS])
def test_a_window_is_due_from_the_day_after_the_last_possible_one(length: int) -> None:
    last = expected_by(length, 5)
    assert newest_due(length, last) == 4
    assert newest_due(length, last + timedelta(days=1)) == 5
    assert newest_due(length, FIRST_DAY) is None
    assert newest_due(length, expected_by(length, 0)) is None


# -- what is told


@pytest.mark.parametrize("into", range(28))
def test_who_enrols_in_a_window_is_not_missed_before_that_window_is_overdue(into: int) -> None:
    enrolled = _first(28, 30) + timedelta(days=into)
    first = 31 if into == 27 else 30  # on the last day: it may have been over where the wearer is
    overdue = expected_by(28, first)
    assert silence(["af_days"], enrolled, {}, overdue) is None
    found = silence(["af_days"], enrolled, {}, overdue + timedelta(days=1))
    assert found is not None
    assert (found.missing, found.first_day) == (1, _first(28, first))


def test_who_agreed_to_quarters_is_missed_after_a_quarter() -> None:
    enrolled, overdue = _first(84, 10), expected_by(84, 10)
    assert silence(["rmssd_median"], enrolled, {}, overdue) is None
    found = silence(["rmssd_median"], enrolled, {}, overdue + timedelta(days=1))
    assert found is not None
    assert (found.length_days, found.missing) == (84, 1)


@pytest.mark.parametrize("agreed", [(), ("unknown",)])
def test_who_agreed_to_nothing_is_awaited_never(agreed: tuple[str, ...]) -> None:
    assert silence(agreed, _first(28, 3), {}, _first(28, 30)) is None


def test_what_is_not_agreed_to_is_not_awaited() -> None:
    """Months came, and were taken back."""
    assert silence(["rmssd_median"], _first(84, 10), {28: 30}, expected_by(28, 32)) is None


def test_a_quarter_that_came_is_no_answer_about_its_months() -> None:
    """They leave before it: what did not come with it is missing."""
    assert silence(ALL, _first(84, 10), {28: 32, 84: 10}, expected_by(28, 33)) is None
    found = silence(ALL, _first(84, 10), {84: 10}, expected_by(28, 33))
    assert found is not None
    assert (found.length_days, found.missing, found.first_day) == (28, 3, _first(28, 30))


def test_more_is_missing_as_time_goes_by_and_since_stays() -> None:
    found = [silence(ALL, _first(28, 30), {28: 35}, _first(28, 37) + timedelta(days=d)) for d in range(200)]
    missing = [0 if one is None else one.missing for one in found]
    assert missing == sorted(missing)
    assert missing[-1] == 7
    assert {one.since for one in found if one is not None} == {expected_by(28, 36)}


def test_answers_from_a_clock_far_ahead_are_no_silence() -> None:
    assert silence(ALL, _first(28, 30), {28: 900}, _first(28, 40)) is None


def test_a_clinic_before_the_first_day_of_all_awaits_the_first_window() -> None:
    before = date(2023, 6, 1)
    assert silence(ALL, before, {}, before) is None
