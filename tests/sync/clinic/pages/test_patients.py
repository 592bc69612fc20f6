"""The list of patients is searched and ordered as people write; one patient's page has all that came and did not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from sync.clinic.card import make_figures
from sync.clinic.label import label_fault, read_label
from sync.clinic.pages.patient import PatientView, Series, make_patient
from sync.clinic.pages.patients import STATISTICS, PatientsView, make_patients
from sync.clinic.pages.shown_figure import shown
from sync.clinic.settings import Settings
from sync.clinic.tables.answers import Answers
from sync.clinic.tables.devices import Devices
from sync.release import Answer
from tests.rigs.clinic import TODAY, ClinicRig
from tests.rigs.html_page import Element, HtmlPage
from tests.rigs.visitor import Visitor
from tests.sync.clinic.pages.practice import ALL, COUNTS, MONTH, add_patient, add_patients, card, month, quarter


def _list(clinic: ClinicRig, search: str = "", sort: str = "", at: int = 1) -> PatientsView:
    with clinic.database.reading() as tx:
        return make_patients(tx, search, sort, at)


def _labels(view: PatientsView) -> list[str | None]:
    return [row.label for row in view.rows]


def test_labels_are_ordered_as_people_count_and_those_without_come_last(clinic: ClinicRig) -> None:
    for label in ("Patient 10", None, "patient 2", "Patient 1", "Ärztin", "Zimmer"):
        add_patient(clinic, label)
    assert _labels(_list(clinic)) == ["Patient 1", "patient 2", "Patient 10", "Zimmer", "Ärztin", None]


def test_whoever_is_searched_is_found_by_any_part_and_case(clinic: ClinicRig) -> None:
    add_patient(clinic, "Zoë MÜLLER")
    pseudonym = add_patient(clinic, "Patient 17")
    assert _labels(_list(clinic, "müller zo")) == ["Zoë MÜLLER"]
    assert _labels(_list(clinic, f" {pseudonym[2:6].lower()} ")) == ["Patient 17"]
    for nobody in ("%", "_", "\\", "müller 17", "' OR 1=1 --"):
        assert not _list(clinic, nobody).rows


def test_patients_are_ordered_by_enrolment_and_by_their_newest_card(clinic: ClinicRig) -> None:
    add_patient(clinic, "old", card(), enrolled=TODAY - timedelta(days=300))
    add_patient(clinic, "new", card(window=MONTH - 2), enrolled=TODAY - timedelta(days=100))
    add_patient(clinic, "none", enrolled=TODAY - timedelta(days=200))
    assert _labels(_list(clinic, sort="enrolled")) == ["new", "none", "old"]
    assert _labels(_list(clinic, sort="newest")) == ["old", "new", "none"]
    assert _labels(_list(clinic, sort="DROP TABLE")) == ["new", "none", "old"]


def test_the_list_shows_the_newest_of_each_figure_as_the_patients_own_page_does(clinic: ClinicRig) -> None:
    months = [answer for window in range(20, MONTH + 1) for answer in card(float(window % 7), 24.0, window)]
    medians = [quarter("resting_hr_median", 60.0 + window, window) for window in (6, 7, 8)]
    hidden = [*medians, quarter("rmssd_median", 33.45, 6)]  # of whose quarter a month is missing
    add_patient(clinic, None, [*months, *hidden], statistics=ALL)
    (row,) = _list(clinic).rows
    with clinic.database.reading() as tx:
        (device,) = Devices(tx).all()
        figures = make_figures(Answers(tx).of(device.id))
    newest = [next(each for each in figures if each.statistic == statistic) for statistic in STATISTICS]
    assert list(row.figures) == [shown(figure) for figure in newest]
    assert [figure is not None and figure.value is None for figure in row.figures] == [False, False, False, True]


def test_links_of_a_search_keep_it(clinic: ClinicRig, visitor: Visitor) -> None:
    add_patients(clinic, [(f"a&b <{k}>", ()) for k in range(60)])
    page = HtmlPage(visitor.get("/patients?search=a%26b&sort=enrolled").text)
    (link,) = [link for link in page.all("a") if link.text == "Next page"]
    assert link.attributes["href"] == "/patients?sort=enrolled&search=a%26b&page=2"
    assert len(HtmlPage(visitor.get(link.attributes["href"]).text).all("tr")) == 11


# -- one patient


def _patient(clinic: ClinicRig, pseudonym: str, settings: Settings | None = None) -> PatientView:
    with clinic.database.reading() as tx:
        device = Devices(tx).patient(pseudonym)
        return make_patient(device, Answers(tx).of(device.id), settings or Settings(), TODAY)


def _series(view: PatientView, name: str) -> Series:
    return next(series for series in view.series if series.name == name)


def _worn_quarter(worn: float) -> list[Answer]:
    return [month("worn_days", worn, window) for window in (27, 28, 29)]


def test_a_median_of_too_few_days_is_hidden_in_chart_and_table_with_the_reason(clinic: ClinicRig) -> None:
    few = add_patient(clinic, None, [*_worn_quarter(19.0), quarter("resting_hr_median", 61.0)], statistics=ALL)
    enough = add_patient(clinic, None, [*_worn_quarter(20.0), quarter("resting_hr_median", 61.0)], statistics=ALL)
    hidden, told = (_series(_patient(clinic, each), "resting_hr_median") for each in (few, enough))
    assert hidden.chart is not None
    assert told.chart is not None
    assert (len(hidden.chart.whiskers), len(hidden.chart.hidden)) == (0, 1)
    assert hidden.rows[0].figure is not None
    assert hidden.rows[0].figure.value is None
    assert "too few days" in hidden.rows[0].figure.why
    assert (len(told.chart.whiskers), len(told.chart.hidden)) == (1, 0)


def test_a_hidden_median_is_nowhere_on_its_page(clinic: ClinicRig, visitor: Visitor) -> None:
    pseudonym = add_patient(clinic, None, [*_worn_quarter(10.0), quarter("resting_hr_median", 97.0)], statistics=ALL)
    for path in (f"/patients/{pseudonym}", "/patients"):
        assert "97" not in HtmlPage(visitor.get(path).text).root.text.replace(pseudonym, "")


def test_periods_of_which_nothing_came_stand_as_such_up_to_what_is_due(clinic: ClinicRig) -> None:
    pseudonym = add_patient(clinic, None, [*card(3.0, window=MONTH - 4), *card(3.0, window=MONTH - 1)])
    series = _series(_patient(clinic, pseudonym), "af_days")
    assert [row.figure is None for row in series.rows] == [True, False, True, True, False]
    assert series.chart is not None
    assert (len(series.chart.whiskers), len(series.chart.gaps)) == (2, 3)
    assert series.newest is None


def test_chart_and_table_tell_the_same_figures(clinic: ClinicRig, visitor: Visitor) -> None:
    pseudonym = add_patient(
        clinic, None, [answer for k in range(8) for answer in card(float(k * 4 - 2), window=MONTH - k)]
    )
    page = HtmlPage(visitor.get(f"/patients/{pseudonym}").text)
    (section,) = [each for each in page.all("section") if each.attributes.get("aria-labelledby") == "af_days"]
    told = [title.text for each in section.all("svg", css_class="whisker") for title in each.all("title")]
    rows = list(section.all("tr", css_class="figure"))
    assert len(told) == 8
    assert list(reversed(told)) == [_row_words(row) for row in rows]


def _row_words(row: Element) -> str:
    figure, range_, epsilon, received = [cell.text for cell in row.all("td")]
    assert epsilon == "0.5"
    assert received.endswith("2026") or received.endswith("2025")
    return f"{figure} ({range_})"


def test_the_clinics_share_is_drawn_into_the_chart_of_af_days_alone(clinic: ClinicRig) -> None:
    pseudonym = add_patient(clinic, None, card(3.0))
    view = _patient(clinic, pseudonym, Settings(af_share_percent=50))
    charts = {series.name: series.chart for series in view.series}
    assert charts["af_days"] is not None
    assert charts["af_days"].level is not None
    assert "14 days" in charts["af_days"].level.words
    assert charts["worn_days"] is not None
    assert charts["worn_days"].level is None


def test_what_was_agreed_to_stands_with_the_version_of_its_words(clinic: ClinicRig) -> None:
    pseudonym = add_patient(clinic, None, card(), statistics={"af_days": 3})
    view = _patient(clinic, pseudonym)
    assert [(each.title, each.words_version) for each in view.agreed] == [("AF-days", 3)]
    assert [(series.name, series.is_agreed) for series in view.series] == [("af_days", True), ("worn_days", False)]


def test_who_sees_a_patient_is_written_down_once_a_day(clinic: ClinicRig, visitor: Visitor) -> None:
    pseudonym = add_patient(clinic, None, card())
    for _ in range(3):
        visitor.get(f"/patients/{pseudonym}")
    visitor.get("/patients/P-00000000")
    visitor.get("/cohort")
    assert clinic.rows("SELECT who, subject FROM audit WHERE action = 'patient viewed'") == [("reception", pseudonym)]


@pytest.mark.parametrize("path", ["/", "/patients"])
def test_who_sees_all_patients_by_name_is_written_down_once_a_day(
    clinic: ClinicRig, visitor: Visitor, path: str
) -> None:
    for _ in range(3):
        assert visitor.get(path).status_code == 200
    rows = "SELECT who, subject, detail FROM audit WHERE action = 'patient viewed'"
    assert clinic.rows(rows) == [("reception", None, "all patients")]
    clinic.clock.pass_days(1)
    visitor.get(path)
    assert len(clinic.rows(rows)) == 2


def test_a_label_can_be_changed_and_taken_away(clinic: ClinicRig, visitor: Visitor) -> None:
    pseudonym = add_patient(clinic, "Patient 17", card())
    path = f"/patients/{pseudonym}"
    visitor.get(path)
    response = visitor.post(path, {"label": " Patient\u00a018 "})
    assert (response.status_code, response.headers["location"]) == (303, f"{path}?done=label")
    assert "The label was changed." in visitor.get(response.headers["location"]).text
    assert [device.label for device in clinic.devices()] == ["Patient\u00a018"]
    visitor.post(path, {"label": " "})
    assert [device.label for device in clinic.devices()] == [None]
    changes = clinic.rows("SELECT who, subject, detail FROM audit WHERE action = 'label changed'")
    assert changes == [("reception", pseudonym, None)] * 2


@pytest.mark.parametrize("label", ["x" * 81, "a\nb", "a\u202eb", "\u2067", "a\x7f", "\ud800"])
def test_a_label_that_no_eye_can_read_is_refused_and_shown_again(
    clinic: ClinicRig, visitor: Visitor, label: str
) -> None:
    assert label_fault(label)
    if label == "\ud800":  # no form can hold it
        return
    pseudonym = add_patient(clinic, "Patient 17", card())
    path = f"/patients/{pseudonym}"
    visitor.get(path)
    response = visitor.post(path, {"label": label})
    assert response.status_code == 400
    page = HtmlPage(response.text)
    (field,) = [each for each in page.all("input") if each.attributes.get("name") == "label"]
    assert field.attributes["aria-invalid"] == "true"
    assert [device.label for device in clinic.devices()] == ["Patient 17"]


@pytest.mark.parametrize("label", ["Zoë", "محمد", "\U0001f469\u200d\U0001f680", "</script>", "O'Neil & Söhne"])
def test_labels_of_any_script_are_labels(label: str) -> None:
    assert label_fault(label) == ""
    assert read_label(f" {label}  ") == label


def test_a_label_of_nobody_is_not_changed(clinic: ClinicRig, visitor: Visitor) -> None:
    visitor.get("/pair")
    assert visitor.post("/patients/P-00000000", {"label": "x"}).status_code == 404
    assert clinic.rows("SELECT count(*) FROM audit WHERE action = 'label changed'") == [(0,)]


def test_settings_out_of_bounds_are_refused() -> None:
    with pytest.raises(ValueError, match="5 to 100"):
        replace(Settings(), af_share_percent=4)
    assert COUNTS.keys() < ALL.keys()
