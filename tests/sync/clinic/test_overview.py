"""What is asked about all patients at once is what all that they sent says, read one by one; on either database."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

from benchmarks.clinic_filled import fill_database
from sync.clinic.card import LEAST_WORN
from sync.clinic.silence import newest_due
from sync.clinic.tables.answers import Answers
from sync.clinic.tables.devices import Device, Devices
from sync.clinic.tables.overview import Overview
from sync.clinic.tables.tallies import Tallies
from sync.release import Answer
from tests.rigs.clinic import ClinicRig

TODAY = date(2026, 5, 1)
MEDIANS = [("resting_hr_median", 1), ("rmssd_median", 1)]
DUE = newest_due(28, TODAY) or 0
QUARTER = newest_due(84, TODAY) or 0


def _filled(clinic: ClinicRig, devices: int = 140) -> dict[str, tuple[Device, list[Answer]]]:
    """By pseudonym, all that is there."""
    fill_database(clinic.database, devices, TODAY)
    return _all(clinic)


def _all(clinic: ClinicRig) -> dict[str, tuple[Device, list[Answer]]]:
    with clinic.database.reading() as tx:
        return {
            device.pseudonym: (device, [stored.answer for stored in Answers(tx).of(device.id)])
            for device in Devices(tx).all()
        }


def _newest(answers: list[Answer], length_days: int) -> int:
    return max((answer.window for answer in answers if answer.length_days == length_days), default=-1)


def test_who_is_flagged_by_the_newest_month_and_by_no_other(clinic: ClinicRig) -> None:
    everybody = _filled(clinic)
    for since, threshold in ((0, 3), (DUE - 2, 3), (DUE + 1, 3), (0, 7), (0, 100)):
        expected = [
            (-answer.value, pseudonym)
            for pseudonym, (_, answers) in everybody.items()
            for answer in answers
            if answer.statistic == "af_days" and answer.window == _newest(answers, 28) >= since
            if answer.value >= threshold
        ]
        with clinic.database.reading() as tx:
            total, rows = Overview(tx).flagged("af_days", threshold, since, 1000, 0)
            some_total, some = Overview(tx).flagged("af_days", threshold, since, 3, 2)
            past_total, past = Overview(tx).flagged("af_days", threshold, since, 3, 5000)
        found = [(-each.answer.answer.value, each.pseudonym) for each in rows]
        assert found == sorted(expected)
        assert all(each.answer.answer in everybody[each.pseudonym][1] for each in rows)
        assert total == len(expected)
        if total > 2:
            assert (some_total, [each.pseudonym for each in some]) == (total, [each.pseudonym for each in rows[2:5]])
        assert (past_total, past) == (total, past[:3])
        assert [each.pseudonym for each in past] == [each.pseudonym for each in rows[:3]]


def test_who_has_answered_about_no_month_from_one_on(clinic: ClinicRig) -> None:
    everybody = _filled(clinic)
    with clinic.database.reading() as tx:
        for window in (DUE - 3, DUE, DUE + 1):
            found = Overview(tx).without_month(window, TODAY - timedelta(days=1))
            expected = [
                (pseudonym, {length: _newest(answers, length) for length in (28, 84)})
                for pseudonym, (device, answers) in sorted(everybody.items())
                if device.enrolled < TODAY and _newest(answers, 28) < window
            ]
            assert [(each.pseudonym, each.newest) for each in found] == expected
            assert len(found) == (0 if window == DUE - 10 else len(expected))


def test_who_answered_some_of_what_was_agreed_to(clinic: ClinicRig) -> None:
    everybody = _filled(clinic, 160)
    monthly = ("af_days", "worn_days")
    with clinic.database.reading() as tx:
        found = Overview(tx).incomplete(DUE, monthly, date.max)
        assert Overview(tx).incomplete(DUE, monthly, min(device.agreed_on for device, _ in everybody.values())) == []
    expected = [
        (pseudonym, device.label)
        for pseudonym, (device, answers) in sorted(everybody.items())
        if 0 < sum(answer.window == DUE and answer.statistic in monthly for answer in answers) < 2
    ]
    assert found == expected != []


def test_all_patients_with_and_without_their_newest_month(clinic: ClinicRig) -> None:
    everybody = _filled(clinic, 70)
    with clinic.database.reading() as tx:
        with_month, without = (Overview(tx).patients(with_month=asked) for asked in (True, False))
    assert [each.pseudonym for each in with_month] == sorted(everybody) == [each.pseudonym for each in without]
    assert [each.newest for each in with_month] == [{28: _newest(everybody[each.pseudonym][1], 28)} for each in without]
    assert all(
        each.newest == {} and dict(each.statistics) == everybody[each.pseudonym][0].statistics for each in without
    )


def test_one_clock_far_ahead_moves_nobody_else(clinic: ClinicRig) -> None:
    everybody = _filled(clinic, 70)
    device = everybody["P-00000003"][0]
    with clinic.database.writing() as tx:
        Answers(tx).add(device.id, Answer("worn_days", 1, 28, 900, 20.0, 500), TODAY)
    with clinic.database.reading() as tx:
        assert Overview(tx).newest_data_month("worn_days", DUE + 1) == DUE
        assert Overview(tx).newest_data_month("worn_days", 0) is None


# -- what is counted over patients


def _count(everybody: dict[str, tuple[Device, list[Answer]]], statistic: str, window: int) -> Counter[float]:
    return Counter(
        answer.value
        for _, answers in everybody.values()
        for answer in answers
        if (answer.statistic, answer.window) == (statistic, window)
    )


def _shown(
    everybody: dict[str, tuple[Device, list[Answer]]], statistic: str, quarter: int
) -> tuple[Counter[float], int]:
    shown: Counter[float] = Counter()
    left_out = 0
    for _, answers in everybody.values():
        months = range(3 * quarter, 3 * quarter + 3)
        worn = [one.value for one in answers if one.statistic == "worn_days" and one.window in months]
        for answer in answers:
            if (answer.statistic, answer.window) == (statistic, quarter):
                if len(worn) == 3 and sum(worn) >= LEAST_WORN:
                    shown[answer.value] += 1
                else:
                    left_out += 1
    return shown, left_out


def _require_equal(clinic: ClinicRig, everybody: dict[str, tuple[Device, list[Answer]]]) -> None:
    with clinic.database.reading() as tx:
        for statistic in ("af_days", "worn_days"):
            counts = Tallies(tx).counts(statistic, 1, DUE - 3, DUE + 1)
            assert {window: dict(tally) for window, tally in counts.items()} == {
                window: dict(_count(everybody, statistic, window)) for window in range(DUE - 3, DUE + 1)
            }
        medians = Tallies(tx).medians(MEDIANS, QUARTER - 1, QUARTER + 1)
    for (statistic, window), tally in medians.items():
        shown, left_out = _shown(everybody, statistic, window)
        assert dict(tally.shown) == dict(shown)
        assert tally.left_out == left_out
    assert len(medians) == 4


def test_a_cohort_is_counted_as_all_answers_say(clinic: ClinicRig) -> None:
    everybody = _filled(clinic)
    _require_equal(clinic, everybody)
    assert sum(_shown(everybody, "rmssd_median", QUARTER)[0].values()) > 0
    assert _shown(everybody, "rmssd_median", QUARTER)[1] > 0


def test_who_withdraws_is_in_no_figure_from_then_on(clinic: ClinicRig) -> None:
    everybody = _filled(clinic, 70)
    gone = everybody.pop("P-00000003")[0]
    with clinic.database.writing() as tx:
        Devices(tx).erase(gone.id, 99, TODAY)
    assert _all(clinic).keys() == everybody.keys()
    _require_equal(clinic, everybody)


def test_another_version_of_a_question_is_another_question(clinic: ClinicRig) -> None:
    everybody = _filled(clinic, 70)
    device = everybody["P-00000003"][0]
    with clinic.database.writing() as tx:
        Answers(tx).add(device.id, Answer("rmssd_median", 2, 84, QUARTER, 5.0, 500), TODAY)
        Answers(tx).add(device.id, Answer("af_days", 2, 28, DUE, 28.0, 500), TODAY)
    _require_equal(clinic, everybody)
