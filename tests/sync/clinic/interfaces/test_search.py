"""What of a search is understood, and that what is not is never taken for all."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.clinic.interfaces.fhir.search import MOST, PAGE, Search, SearchError, observation_search, patient_search
from sync.clinic.tables.figures import Days
from tests.sync.clinic.interfaces.figures import NAMES


def _asked(*given_: tuple[str, str], strict: bool = False) -> Search:
    return observation_search(given_, NAMES, strict=strict)


def _names(search: Search) -> list[str]:
    assert search.questions is not None
    return [asked.name for asked in search.questions]


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("af_days", ["af_days"]),
        ("40443-4", ["resting_hr_median"]),
        ("http://loinc.org|40443-4", ["resting_hr_median"]),
        (f"{NAMES.figures}|af_days,{NAMES.figures}|worn_days", ["af_days", "worn_days"]),
        ("http://loinc.org|af_days", []),
        ("http://loinc.org|8867-4", []),
        ("|af_days", []),
        ("", []),
    ],
)
def test_a_code_is_one_of_its_system(code: str, names: list[str]) -> None:
    assert _names(_asked(("code", code))) == names


@pytest.mark.parametrize(
    ("reference", "patient"),
    [
        ("P-7K3QF2M1", "P-7K3QF2M1"),
        ("Patient/P-7K3QF2M1", "P-7K3QF2M1"),
        ("https://clinic.example/fhir/R4/Patient/P-7K3QF2M1", "P-7K3QF2M1"),
        ("https://other.example/fhir/R4/Patient/P-7K3QF2M1", None),
        ("Device/P-7K3QF2M1", None),
        ("../P-7K3QF2M1", None),
        ("", None),
    ],
)
def test_a_patient_is_one_of_this_server_or_nobody(reference: str, patient: str | None) -> None:
    search = _asked(("patient", reference))
    assert (search.patient, search.nobody) == (patient, patient is None)


def test_how_many_dates_are_asked_for_is_bounded() -> None:
    days = ",".join(["2026"] * 20)
    assert len(_asked(*[("date", days)] * 4).days) == 4
    for dates in ([("date", days)] * 5, [("date", "2026")] * 2000, [("date", f"{days},2026")]):
        with pytest.raises(SearchError) as refused:
            _asked(*dates)
        assert refused.value.code == "too-costly"


def test_two_patients_at_once_are_nobody() -> None:
    assert _asked(("patient", "P-1"), ("subject", "Patient/P-2")).nobody


def test_an_identifier_of_another_system_is_nobodys() -> None:
    assert patient_search([("identifier", f"{NAMES.patients}|P-1")], NAMES, strict=False).patient == "P-1"
    assert patient_search([("identifier", "P-1")], NAMES, strict=False).patient == "P-1"
    assert patient_search([("identifier", "urn:other|P-1")], NAMES, strict=False).nobody


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("2026-02-28", [("first", True, (2026, 2, 28)), ("last", False, (2026, 2, 28))]),
        ("eq2026-02", [("first", True, (2026, 2, 1)), ("last", False, (2026, 2, 28))]),
        ("2026", [("first", True, (2026, 1, 1)), ("last", False, (2026, 12, 31))]),
        ("2026-12", [("first", True, (2026, 12, 1)), ("last", False, (2026, 12, 31))]),
        ("gt2026-02", [("last", True, (2026, 3, 1))]),
        ("ge2026-02", [("last", True, (2026, 2, 1))]),
        ("lt2026-02", [("first", False, (2026, 1, 31))]),
        ("le2026-02", [("first", False, (2026, 2, 28))]),
        ("sa2026-02", [("first", True, (2026, 3, 1))]),
        ("eb2026-02", [("last", False, (2026, 1, 31))]),
    ],
)
def test_a_date_bounds_the_period(text: str, days: list[tuple[str, bool, tuple[int, int, int]]]) -> None:
    expected = tuple(Days(edge, at_least, date(*day)) for edge, at_least, day in days)
    assert _asked(("date", text)).days == ((expected,),)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("date", "yesterday"),
        ("date", "ap2026"),
        ("date", "ne2026"),
        ("date", "2026-02-30"),
        ("date", "2026-02-01T10:00:00Z"),
        ("date", "gt9999-12-31"),
        ("date", ",".join(["2026"] * 21)),
        ("_count", "ten"),
        ("_count", "-1"),
        ("_count", "٣"),
        ("code:in", "x"),
        ("patient:Patient", "P-1"),
        ("patient", "P-1,P-2"),
    ],
)
def test_what_cannot_be_read_is_refused_whatever_is_preferred(name: str, value: str) -> None:
    for strict in (False, True):
        with pytest.raises(SearchError):
            _asked((name, value), strict=strict)


def test_an_unknown_parameter_is_left_out_and_said_so_or_refused_where_strictness_is_asked_for() -> None:
    search = _asked(("value-quantity", "gt5"), ("code", "af_days"))
    assert search.understood == (("code", "af_days"),)
    assert len(search.ignored) == 1 and "value-quantity" not in search.ignored[0]
    with pytest.raises(SearchError):
        _asked(("value-quantity", "gt5"), strict=True)


def test_a_page_is_bounded() -> None:
    assert _asked().count == PAGE
    assert _asked(("_count", "999999")).count == MOST
    assert _asked(("_count", "0")).count == 0
    assert _asked(("_summary", "count")).count == 0


@given(st.lists(st.tuples(st.sampled_from(["patient", "code", "date", "_id", "_count", "_page", "x"]), st.text())))
def test_any_search_is_read_or_refused(asked: list[tuple[str, str]]) -> None:
    try:
        search = _asked(*asked)
    except SearchError:
        return
    assert 0 <= search.count <= MOST
