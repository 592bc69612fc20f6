"""The cohort: nothing of fewer than 100, all or nobody, and no figure without the noise in its range."""

from __future__ import annotations

import pytest

from sync.clinic.cohort import LEAST
from sync.clinic.pages.cohort import CohortView, Trend, make_cohort
from sync.clinic.settings import Settings
from tests.rigs.clinic import TODAY, ClinicRig
from tests.rigs.html_page import HtmlPage
from tests.rigs.visitor import Visitor
from tests.sync.clinic.pages.practice import ALL, MONTH, QUARTER, add_patients, card, month, quarter


def _cohort(clinic: ClinicRig) -> CohortView:
    with clinic.database.reading() as tx:
        return make_cohort(tx, Settings(), TODAY)


def _trend(view: CohortView, name: str) -> Trend:
    return next(trend for trend in view.trends if trend.name == name)


@pytest.mark.parametrize("patients", [0, 1, LEAST - 1])
def test_of_fewer_it_says_how_many_are_missing_and_nothing_else(
    clinic: ClinicRig, visitor: Visitor, patients: int
) -> None:
    add_patients(clinic, [(None, card(float(k))) for k in range(patients)])
    page = HtmlPage(visitor.get("/cohort").text)
    (main,) = page.all("main")
    missing = LEAST - patients
    words = f"{missing} {'is' if missing == 1 else 'are'} missing."
    assert main.text == f"Cohort Nothing is shown of fewer than 100 patients: {words}"
    assert not list(main.all("svg"))


def test_enough_patients_have_figures_of_what_enough_of_them_sent(clinic: ClinicRig) -> None:
    add_patients(clinic, [(None, card(2.0 if k % 2 else 4.0, 25.0)) for k in range(LEAST)])
    view = _cohort(clinic)
    assert view.missing == 0
    (row,) = _trend(view, "af_days").rows
    assert (row.value, row.patients) == ("3.0", LEAST)
    assert row.range is not None
    low, high = (float(end) for end in row.range.split(" to "))
    assert low < 3 < high
    assert not [trend for trend in view.trends if trend.name in ("resting_hr_median", "rmssd_median")]


def test_a_period_of_too_few_has_no_figure_though_others_have(clinic: ClinicRig) -> None:
    add_patients(clinic, [(None, card(2.0)) for _ in range(LEAST)])
    add_patients(clinic, [(None, card(9.0, window=MONTH - 1)) for _ in range(LEAST - 1)])
    add_patients(clinic, [(None, card(1.0, window=MONTH - 2)) for _ in range(LEAST)])
    trend = _trend(_cohort(clinic), "af_days")
    assert [(row.value, row.patients) for row in trend.rows] == [("2.0", LEAST), (None, None), ("1.0", LEAST)]
    assert trend.chart is not None
    assert (len(trend.chart.whiskers), len(trend.chart.hidden)) == (2, 1)


def test_who_sends_early_is_no_fair_sample(clinic: ClinicRig) -> None:
    add_patients(clinic, [(None, [*card(2.0), *card(20.0, window=MONTH + 1)]) for _ in range(LEAST)])
    assert [row.value for row in _trend(_cohort(clinic), "af_days").rows] == ["2.0"]


def test_medians_are_of_those_whose_median_may_be_shown(clinic: ClinicRig) -> None:
    def answers(worn: float, bpm: float) -> list[object]:
        months = [month("worn_days", worn, 3 * QUARTER + k) for k in range(3)]
        return [*months, quarter("resting_hr_median", bpm)]

    worn = [(None, answers(25.0, 60.0)) for _ in range(LEAST)]
    hardly = [(None, answers(5.0, 99.0)) for _ in range(LEAST)]
    add_patients(clinic, [*worn, *hardly], statistics=ALL)  # type: ignore[list-item]
    trend = _trend(_cohort(clinic), "resting_hr_median")
    assert {(row.value, row.patients) for row in trend.rows} == {("60", LEAST)}
    assert f"Left out of the newest quarter shown: {LEAST}." in trend.notes[0]


def test_it_says_that_it_hides_days_and_not_patients(clinic: ClinicRig, visitor: Visitor) -> None:
    add_patients(clinic, [(None, card(2.0)) for _ in range(LEAST)])
    text = HtmlPage(visitor.get("/cohort").text).root.text
    assert "single days of a patient (ε = 0.5 for each day in each figure)" in text
    assert "not private figures of patients" in text
