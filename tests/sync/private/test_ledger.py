"""No question is answered twice, no day costs more than its cap, and nothing that was answered is lost."""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from device_pipeline.clock import ManualClock
from sync.private.errors import BudgetError, ConsentError, LedgerError, NotDueError
from sync.private.ledger import CAP_MILLI, DAY_NS
from sync.private.publish import Publisher
from sync.private.registry import STATISTICS
from sync.private.statistics.af_days import AF_DAYS
from sync.private.statistics.day_count import DayCount
from sync.private.statistics.worn_days import WORN_DAYS
from sync.private.window import FIRST_DAY, MONTH_DAYS, QUARTER_DAYS, Window
from sync.release import ENVELOPE_BYTES, Answer, Delete, Enrol
from tests.sync.private.room import FalseClinic, Room, at

MONTH = Window(MONTH_DAYS, 0)
QUARTER = Window(QUARTER_DAYS, 0)
CLINIC = FalseClinic("practice")


def test_a_retry_gives_the_same_bytes(room: Room) -> None:
    clinic = room.pair(CLINIC, FIRST_DAY)
    first = room.publisher.ledger.answer(AF_DAYS, MONTH, clinic)
    again = room.open().ledger.answer(AF_DAYS, MONTH, clinic)
    assert first is not None
    assert again is not None
    assert first.encode() == again.encode()
    assert len(room.answers()) == 1


def test_two_clinics_get_one_value_sealed_to_each(room: Room) -> None:
    others = [FalseClinic("a"), FalseClinic("b")]
    told = []
    for other in others:
        clinic = room.pair(other, FIRST_DAY)
        release = room.publisher.ledger.answer(AF_DAYS, MONTH, clinic)
        assert release is not None
        content = other.open(release.encode(), room.publisher.device_key)
        assert isinstance(content, Answer)
        told.append(content.value)
    assert told[0] == told[1]
    assert room.publisher.ledger.spent_milli(FIRST_DAY) == AF_DAYS.epsilon_milli


def test_every_day_of_a_year_costs_what_the_arithmetic_says_and_no_more(room: Room) -> None:
    room.pair(CLINIC, FIRST_DAY)
    for _ in range(365 + 90):
        room.publisher.publish(room.outbox)
        room.clock.advance(DAY_NS)
    for k in range(4 * 84):
        assert room.publisher.ledger.spent_milli(FIRST_DAY + timedelta(days=k)) == CAP_MILLI


def test_past_the_cap_it_refuses_for_ever(room: Room) -> None:
    clinic = room.pair(CLINIC, FIRST_DAY)
    room.publisher.publish(room.outbox)
    another = DayCount("af_days", AF_DAYS.meaning, AF_DAYS.holds, version=2)
    with pytest.raises(BudgetError, match=r"would cost 2\.5, at most 2 "):
        room.publisher.ledger.answer(another, MONTH, clinic)
    room.clock.advance(1000 * DAY_NS)
    with pytest.raises(BudgetError):
        room.publisher.ledger.answer(another, MONTH, clinic)


def test_a_window_is_not_sealed_before_its_time(room: Room) -> None:
    clinic = room.pair(CLINIC, FIRST_DAY)
    early = ManualClock(now_ns=at(MONTH.sealed_from - timedelta(days=1)))
    publisher = Publisher(room.folder / "store", room.folder / "counter", early, room.days)
    with pytest.raises(NotDueError, match="sealed from 2024-01-31"):
        publisher.ledger.answer(AF_DAYS, MONTH, clinic)
    early.advance(DAY_NS)
    assert publisher.ledger.answer(AF_DAYS, MONTH, clinic) is not None


def test_a_clock_that_nobody_set_seals_nothing(room: Room) -> None:
    clinic = room.pair(CLINIC, FIRST_DAY)
    wrong = ManualClock(now_ns=at(date(2030, 1, 1)), synchronised=False)
    publisher = Publisher(room.folder / "store", room.folder / "counter", wrong, room.days)
    with pytest.raises(NotDueError, match="clock"):
        publisher.publish(room.outbox)
    with pytest.raises(NotDueError, match="clock"):
        publisher.ledger.answer(AF_DAYS, MONTH, clinic)
    assert room.answers() == []


def test_a_clock_put_back_buys_no_second_answer(room: Room) -> None:
    room.pair(CLINIC, FIRST_DAY)
    room.publisher.publish(room.outbox)
    before = room.answers()
    room.clock.set_right(at(date(2024, 3, 1)))
    room.publisher.publish(room.outbox)
    room.clock.set_right(at(date(2024, 7, 1)))
    room.publisher.publish(room.outbox)
    assert room.answers() == before


def test_days_before_consent_are_no_data(room: Room) -> None:
    seen = []
    room.publisher.ledger._days = lambda window, first: seen.append(first) or []  # type: ignore[func-returns-value]
    clinic = room.pair(CLINIC, date(2024, 1, 20))
    room.publisher.ledger.answer(WORN_DAYS, MONTH, clinic)
    assert seen == [date(2024, 1, 20)]


def test_a_second_clinic_learns_nothing_of_days_before_its_own_consent(room: Room) -> None:
    first = room.pair(CLINIC, FIRST_DAY)
    second = room.pair(FalseClinic("later"), date(2024, 2, 10))
    answer = room.publisher.ledger.answer
    following = Window(MONTH_DAYS, 1)  # holds 2024-02-10
    with pytest.raises(ConsentError):
        answer(AF_DAYS, MONTH, second)
    assert answer(AF_DAYS, following, first) is not None
    assert answer(AF_DAYS, following, second) is None
    assert answer(AF_DAYS, Window(MONTH_DAYS, 2), second) is not None


def test_nothing_is_answered_without_consent(room: Room) -> None:
    clinic = room.pair(CLINIC, FIRST_DAY, statistics=("worn_days",))
    with pytest.raises(ConsentError, match="af_days"):
        room.publisher.ledger.answer(AF_DAYS, MONTH, clinic)
    room.publisher.publish(room.outbox)
    assert {name for _, _, name, _ in room.answers()} == {"worn_days"}


def test_withdrawal_stops_at_once_and_asks_to_delete(room: Room) -> None:
    clinic = room.pair(CLINIC, FIRST_DAY)
    room.publisher.publish(room.outbox)
    assert len(room.outbox.messages()) > 1
    room.publisher.ledger.withdraw([statistic.name for statistic in STATISTICS], clinic, room.outbox)
    (only,) = room.outbox.messages()
    assert CLINIC.open(only.envelope, room.publisher.device_key) == Delete()
    room.clock.advance(200 * DAY_NS)
    room.publisher.publish(room.outbox)
    assert len(room.outbox.messages()) == 1


def test_withdrawing_one_statistic_leaves_the_others_waiting(room: Room) -> None:
    clinic = room.pair(CLINIC, FIRST_DAY)
    room.publisher.publish(room.outbox)
    before = {message.id for message in room.outbox.messages()}
    room.publisher.ledger.withdraw(["af_days"], clinic, room.outbox)
    left = room.outbox.messages()
    told = [CLINIC.open(message.envelope, room.publisher.device_key) for message in left]
    assert len({message.id for message in left} - before) == 1
    assert [content.statistics for content in told if isinstance(content, Enrol)] == [
        {"worn_days": 1, "resting_hr_median": 1, "rmssd_median": 1}
    ]
    assert {content.statistic for content in told if isinstance(content, Answer)} == {
        "worn_days",
        "resting_hr_median",
        "rmssd_median",
    }


def test_the_clinic_is_told_what_it_may_have_from_now_on(room: Room) -> None:
    """Also by an outbox that was made anew and knows no clinic."""
    clinic = room.pair(CLINIC, FIRST_DAY, ("af_days",))
    room.publisher.ledger.grant(STATISTICS[1:2], clinic, room.outbox)
    (told,) = room.outbox.messages()
    key = room.publisher.device_key
    assert CLINIC.open(told.envelope, key) == Enrol("", key.hex(), {"af_days": 1, STATISTICS[1].name: 1})


def test_a_partial_withdrawal_with_an_outbox_made_anew_is_told_too(room: Room) -> None:
    clinic = room.pair(CLINIC, FIRST_DAY, ("af_days", "worn_days"))
    room.publisher.ledger.withdraw(["af_days"], clinic, room.outbox)
    (told,) = room.outbox.messages()
    key = room.publisher.device_key
    assert CLINIC.open(told.envelope, key) == Enrol("", key.hex(), {"worn_days": 1})


def test_a_withdrawal_killed_half_way_loses_no_card_that_consent_holds_for(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    clinic = room.pair(CLINIC, FIRST_DAY)
    room.publisher.publish(room.outbox)
    before = {message.id for message in room.outbox.messages()}

    def dropped_and_killed(id_: bytes) -> int:
        room.outbox.drop(id_)
        raise KeyboardInterrupt

    fake = SimpleNamespace(messages=room.outbox.messages, drop=dropped_and_killed)
    with pytest.raises(KeyboardInterrupt):
        room.publisher.ledger.withdraw(["af_days"], clinic, fake)  # type: ignore[arg-type]
    assert room.publisher.consents.since(clinic.id, "af_days") is not None
    room.publisher.hand_over(room.outbox)
    assert {message.id for message in room.outbox.messages()} == before


def test_what_a_median_is_shown_by_leaves_before_it(room: Room) -> None:
    room.pair(CLINIC, FIRST_DAY)
    due = room.publisher.due(date(2024, 7, 1))
    quarter = [statistic.name for _, statistic, window in due if window.last_day == QUARTER.last_day]
    assert quarter == [statistic.name for statistic in STATISTICS]
    assert quarter.index("worn_days") < quarter.index("resting_hr_median")


def test_withdrawal_refunds_nothing(room: Room) -> None:
    clinic = room.pair(CLINIC, FIRST_DAY)
    room.publisher.publish(room.outbox)
    room.publisher.ledger.withdraw([statistic.name for statistic in STATISTICS], clinic, room.outbox)
    assert room.publisher.ledger.spent_milli(FIRST_DAY) == CAP_MILLI


def test_a_database_put_back_burns_what_it_forgot(room: Room, tmp_path: Path) -> None:
    clinic = room.pair(CLINIC, FIRST_DAY)
    room.publisher.account.write("PRAGMA wal_checkpoint(TRUNCATE)", ())
    shutil.copytree(room.folder / "store", tmp_path / "copy")
    room.publisher.publish(room.outbox)
    newest = max(m.sequence for m in room.outbox.messages())
    room.publisher.close()
    shutil.rmtree(room.folder / "store")
    shutil.copytree(tmp_path / "copy", room.folder / "store")

    room.publisher = room.open()
    with pytest.raises(BudgetError, match="lost"):
        room.publisher.ledger.answer(AF_DAYS, MONTH, clinic)
    done = room.publisher.publish(room.outbox)
    assert done.sealed == 0
    assert len(done.refused) > 4
    assert room.publisher.ledger.spent_milli(FIRST_DAY) == CAP_MILLI
    room.clock.advance(84 * DAY_NS)
    room.publisher.publish(room.outbox)
    assert room.answers()
    assert min(m.sequence for m in room.outbox.messages() if m.sequence > newest) == newest + 1


def test_a_ledger_without_its_counter_makes_it_anew(room: Room) -> None:
    room.pair(CLINIC, FIRST_DAY)
    room.publisher.publish(room.outbox)
    before = room.answers()
    shutil.rmtree(room.folder / "counter")
    room.open().publish(room.outbox)
    assert room.answers() == before
    assert (room.folder / "counter" / "ledger.counter").exists()


def test_a_counter_that_is_none_is_told(room: Room) -> None:
    room.pair(CLINIC, FIRST_DAY)
    room.publisher.publish(room.outbox)
    (room.folder / "counter" / "ledger.counter").write_text("[1, 2")
    with pytest.raises(LedgerError, match="not what was written"):
        room.open()


def test_what_was_committed_and_not_handed_over_is_handed_over_at_the_next_start(room: Room) -> None:
    clinic = room.pair(CLINIC, FIRST_DAY)
    release = room.publisher.ledger.answer(AF_DAYS, MONTH, clinic)
    assert release is not None
    assert room.outbox.messages() == []
    room.open().publish(room.outbox)
    assert release.encode() in [bytes(message.envelope) for message in room.outbox.messages()]
    assert room.open().ledger.hand_over(room.outbox) == 0


def test_all_messages_are_of_one_size_and_leave_a_day_or_more_after_they_were_drawn(room: Room) -> None:
    room.pair(CLINIC, FIRST_DAY)
    room.publisher.publish(room.outbox)
    for message in room.outbox.messages():
        assert len(message.envelope) == ENVELOPE_BYTES
        assert DAY_NS <= message.not_before_ns - room.clock.now_ns() < 2 * DAY_NS


def test_consents_and_answers_cannot_be_changed(room: Room) -> None:
    room.pair(CLINIC, FIRST_DAY)
    room.publisher.publish(room.outbox)
    for statement in ("DELETE FROM answers", "UPDATE consents SET granted = 0", "UPDATE answers SET epsilon_milli = 1"):
        with pytest.raises(LedgerError, match="only ever added"):
            room.publisher.account.write(statement, ())
