"""Who needs a look, and who does not: by the newest card, the clinic's own share, and what was due."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from sync.clinic.af_decision import decide, decide_two, of_people
from sync.clinic.catalogue import MONTH_DAYS, last_day
from sync.clinic.pages.paging import PER_PAGE, paging
from sync.clinic.pages.today import TodayView, make_today
from sync.clinic.settings import read_settings
from sync.clinic.silence import EXPECTED_AFTER_DAYS, expected_by
from sync.clinic.tables.devices import Devices
from tests.rigs.clinic import TODAY, ClinicRig
from tests.rigs.html_page import HtmlPage
from tests.rigs.visitor import Visitor
from tests.sync.clinic.pages.practice import (
    ALL,
    COUNTS,
    MONTH,
    QUARTER,
    add_patient,
    add_patients,
    card,
    month,
    quarter,
)


def _today(clinic: ClinicRig, at: int = 1, today: date = TODAY) -> TodayView:
    with clinic.database.reading() as tx:
        return make_today(tx, read_settings(tx), today, at)


def _flagged(view: TodayView) -> list[tuple[str | None, str | None]]:
    return [(row.who.label, row.figure.value) for row in view.flagged.rows]


def test_the_share_is_met_from_its_days_on_and_the_least_likely_to_be_noise_comes_first(clinic: ClinicRig) -> None:
    for label, value in (("five", 5.0), ("six", 6.0), ("twenty", 20.0), ("beyond", 31.0), ("below", -3.0)):
        add_patient(clinic, label, card(value))
    assert _flagged(_today(clinic)) == [("beyond", "31"), ("twenty", "20"), ("six", "6")]
    clinic.set_meta("af_share_percent", "75")
    assert _flagged(_today(clinic)) == [("beyond", "31")]


def test_each_stands_with_what_noise_alone_would_do(clinic: ClinicRig) -> None:
    add_patient(clinic, "Patient 17", card(9.0))
    (row,) = _today(clinic).flagged.rows
    decision = decide(9, 6)
    assert row.from_none == of_people(decision.from_none)
    assert row.from_below == of_people(decision.from_just_below)
    assert (row.figure.range, row.figure.unit, row.figure.epsilon) == ("3 to 15", "days", "0.5")
    assert 0 < row.strip.level_x < row.strip.x < row.strip.high_x <= row.strip.width
    assert row.strip.low_x < row.strip.level_x


def test_of_each_patient_the_newest_card_alone_counts(clinic: ClinicRig) -> None:
    add_patient(clinic, "treated", [*card(20.0, window=MONTH - 1), *card(1.0)])
    add_patient(clinic, "new", [*card(1.0, window=MONTH - 1), *card(20.0)])
    add_patient(clinic, "came early", [*card(1.0), *card(20.0, window=MONTH + 1)])
    assert {label for label, _ in _flagged(_today(clinic))} == {"came early", "new"}


def test_two_cards_in_a_row_are_told_as_such(clinic: ClinicRig) -> None:
    add_patient(clinic, "twice", [*card(8.0, window=MONTH - 1), *card(9.0)])
    add_patient(clinic, "once", [*card(2.0, window=MONTH - 1), *card(9.0)])
    add_patient(clinic, "with a gap", [*card(8.0, window=MONTH - 2), *card(9.0)])
    told = {row.who.label: row.from_none_twice for row in _today(clinic).flagged.rows}
    both = decide_two(decide(8, 6), decide(9, 6)).from_none
    assert told == {"twice": of_people(both), "once": None, "with a gap": None}


def test_a_figure_that_a_newer_one_should_have_followed_says_so(clinic: ClinicRig) -> None:
    add_patient(clinic, "quiet since", card(20.0, window=MONTH - 2))
    add_patient(clinic, "sends", card(20.0))
    assert {row.who.label: row.is_overtaken for row in _today(clinic).flagged.rows} == {
        "quiet since": True,
        "sends": False,
    }


def test_what_was_agreed_to_only_now_is_not_missing_yet(clinic: ClinicRig) -> None:
    add_patient(clinic, "Patient 17", [month("af_days", 1.0)], statistics={"af_days": 1})
    (device,) = clinic.devices()
    ends = last_day(MONTH_DAYS, MONTH)
    for day, missing in ((ends, 0), (ends - timedelta(days=1), 1)):
        with clinic.database.writing() as tx:
            Devices(tx).agreed(device.id, {"af_days": 1}, TODAY)
            Devices(tx).agreed(device.id, {"af_days": 1, "worn_days": 1}, day)
        assert _today(clinic).incomplete.total == missing


def test_what_is_not_agreed_to_any_more_needs_no_look(clinic: ClinicRig) -> None:
    add_patient(clinic, "took it back", card(20.0), statistics={"resting_hr_median": 1})
    assert not _today(clinic).flagged.rows


def test_cards_reach_as_far_as_any_monthly_figure(clinic: ClinicRig) -> None:
    add_patient(clinic, "Patient 17", [month("af_days", 20.0)], statistics={"af_days": 1})
    assert _today(clinic).data_until == last_day(MONTH_DAYS, MONTH)


def test_of_a_handful_of_patients_nothing_is_said_about_all(clinic: ClinicRig, visitor: Visitor) -> None:
    add_patient(clinic, "Patient 17", card(20.0))
    assert "noise alone would flag" not in visitor.get("/").text
    add_patients(clinic, [(f"Patient {k}", card(1.0)) for k in range(9)])
    assert "Were all 10 patients" in visitor.get("/").text


def test_who_is_late_within_patience_is_not_said_to_have_sent_all(clinic: ClinicRig, visitor: Visitor) -> None:
    add_patient(clinic, "late", card(window=MONTH - 1))
    add_patient(clinic, "sends", card())
    clinic.clock.day = expected_by(28, MONTH) + timedelta(days=3)
    text = visitor.get("/").text
    assert "No card is more than 7 days overdue." in text
    assert "sent what was due" not in text


def test_lists_are_paged_and_beyond_their_end_is_their_beginning(clinic: ClinicRig) -> None:
    add_patients(clinic, [(f"Patient {k}", card(float(10 + k % 9))) for k in range(PER_PAGE + 3)])
    first, second, beyond = _today(clinic), _today(clinic, 2), _today(clinic, 9)
    assert (len(first.flagged.rows), len(second.flagged.rows)) == (PER_PAGE, 3)
    assert first.flagged.pages.total == second.flagged.pages.total == PER_PAGE + 3
    assert not set(_flagged(second)) & set(_flagged(first))
    assert _flagged(beyond) == _flagged(first)


def test_nothing_to_look_at_is_said_with_the_day_that_cards_reach(clinic: ClinicRig, visitor: Visitor) -> None:
    page = HtmlPage(visitor.get("/").text)
    assert "No card has come yet" in page.root.text
    add_patient(clinic, "Patient 17", card(1.0))
    page = HtmlPage(visitor.get("/").text)
    assert "Nothing needs a look." in page.root.text
    assert "cards reach until 19 Apr 2026" in page.root.text
    add_patient(clinic, "Patient 18", card(8.0))
    assert "Nothing needs a look." not in HtmlPage(visitor.get("/").text).root.text


@pytest.mark.parametrize("patience", [0, 7, 30])
def test_silence_is_told_after_the_clinics_patience_and_not_before(clinic: ClinicRig, patience: int) -> None:
    add_patient(clinic, "silent", card(window=MONTH - 1))
    add_patient(clinic, "sends", card(window=MONTH))
    clinic.set_meta("silence_days", str(patience))
    overdue = expected_by(28, MONTH) + timedelta(days=patience)
    assert not _today(clinic, today=overdue).silent.rows
    (row,) = _today(clinic, today=overdue + timedelta(days=1)).silent.rows
    assert row.who.label == "silent"
    assert row.silence.since == expected_by(28, MONTH)


def test_the_longest_silent_comes_first_and_the_newly_enrolled_is_not_silent(clinic: ClinicRig) -> None:
    for label, window in (("a month", MONTH - 2), ("a year", MONTH - 14), ("not", MONTH)):
        add_patient(clinic, label, card(window=window))
    add_patient(clinic, "never")
    add_patient(clinic, "just now", enrolled=TODAY)
    assert [row.who.label for row in _today(clinic).silent.rows] == ["never", "a year", "a month"]


def test_who_agreed_to_quarters_alone_is_not_silent_for_lack_of_months(clinic: ClinicRig) -> None:
    only = {"resting_hr_median": 1}
    add_patient(clinic, "sends", [quarter("resting_hr_median", 60.0)], statistics=only)
    add_patient(clinic, "silent", [quarter("resting_hr_median", 60.0, 7)], statistics=only)
    assert [row.who.label for row in _today(clinic).silent.rows] == ["silent"]


def test_the_clinics_patience_is_had_with_quarters_too(clinic: ClinicRig) -> None:
    only = {"resting_hr_median": 1}
    add_patient(clinic, "silent", [quarter("resting_hr_median", 60.0, QUARTER - 1)], statistics=only)
    clinic.set_meta("silence_days", "30")
    overdue = expected_by(84, QUARTER) + timedelta(days=30)
    assert not _today(clinic, today=overdue).silent.rows
    assert len(_today(clinic, today=overdue + timedelta(days=1)).silent.rows) == 1


def test_silence_says_nothing_of_health_or_wearing(clinic: ClinicRig, visitor: Visitor) -> None:
    add_patient(clinic, "Patient 17", card(window=MONTH - 3))
    text = HtmlPage(visitor.get("/").text).root.text
    assert "A device sends whether it is worn or not" in text
    assert "says nothing about anybody's health" in text


def test_a_card_that_lacks_what_was_agreed_to_is_told(clinic: ClinicRig) -> None:
    add_patient(clinic, "whole", card())
    add_patient(clinic, "half", [month("af_days", 1.0)])
    add_patient(clinic, "agreed to half", [month("af_days", 1.0)], statistics={"af_days": 1})
    view = _today(clinic)
    assert [who.label for who in view.incomplete.rows] == ["half"]
    assert not view.is_calm


def test_the_last_days_have_their_news(clinic: ClinicRig) -> None:
    for days in (0, 27, 28):
        add_patient(clinic, f"{days} days ago", enrolled=TODAY - timedelta(days=days), statistics=ALL)
    device = clinic.enrolled("Patient 17")
    clinic.take(device.delete())
    view = _today(clinic)
    assert [row.who.label for row in view.enrolled.rows] == ["0 days ago", "27 days ago"]
    assert [row.day for row in view.withdrawn.rows] == [TODAY]
    assert "Patient 17" not in [row.who.label for row in view.enrolled.rows]


def test_a_withdrawal_is_told_by_pseudonym_alone(clinic: ClinicRig, visitor: Visitor) -> None:
    device = clinic.enrolled("Patient 17")
    (pseudonym,) = [each.pseudonym for each in clinic.devices()]
    clinic.take(device.delete())
    page = HtmlPage(visitor.get("/").text)
    assert pseudonym in page.root.text
    assert "Patient 17" not in page.root.text
    assert f"/patients/{pseudonym}" not in page.source


def test_a_long_list_of_news_says_how_much_is_left_out(clinic: ClinicRig, visitor: Visitor) -> None:
    add_patients(clinic, [(f"Patient {k}", ()) for k in range(25)], enrolled=TODAY, statistics=COUNTS)
    assert "and 5 more" in HtmlPage(visitor.get("/").text).root.text


def test_paging_numbers_what_it_shows() -> None:
    none, two = paging(1, 0, "/", {}), paging(2, 51, "/x", {"sort": "a b"})
    assert (none.first, none.last, none.pages, none.previous, none.next) == (0, 0, 1, None, None)
    assert (two.first, two.last, two.pages) == (51, 51, 2)
    assert (two.previous, two.next) == ("/x?sort=a+b&page=1", None)


def test_a_card_is_overdue_when_all_that_may_hold_it_up_is_over() -> None:
    assert EXPECTED_AFTER_DAYS == 8  # the settings page says so
