"""Who is enrolled: found by pseudonym or label, with the newest figures, each with its range."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from sync.clinic.card import MONTHS, make_figures
from sync.clinic.catalogue import MONTH_DAYS, QUARTER_DAYS, QUESTIONS, last_day
from sync.clinic.database.database import Transaction
from sync.clinic.desk.guard import Page, SignedIn
from sync.clinic.pages.paging import Paging, page_asked, paging
from sync.clinic.pages.presenter import Presenter
from sync.clinic.pages.shown_figure import ShownFigure, shown
from sync.clinic.pages.words import SHORT, title
from sync.clinic.settings import read_settings
from sync.clinic.tables.answers import Answers, StoredAnswer
from sync.clinic.tables.overview import Overview, Patient

MOST_SEARCH = 80
_NUMBER, _DIGITS = re.compile(r"[0-9]+"), 12
STATISTICS = tuple(question.name for question in QUESTIONS)
_SORTS: dict[str, tuple[str, Callable[[Patient], Any], bool]] = {
    # what a link says, what is compared, whether the largest comes first
    "label": ("Label", lambda patient: (patient.label is None, _natural(patient.label or "")), False),
    "pseudonym": ("Pseudonym", lambda patient: patient.pseudonym, False),
    "enrolled": ("Enrolment", lambda patient: patient.enrolled, True),
    "newest": ("Newest card", lambda patient: patient.newest.get(MONTH_DAYS, -1), True),
}


@dataclass(frozen=True, slots=True, repr=False)
class PatientRow:
    """`figures`: one for each statistic, None where none has come. `newest`: until when the newest month reaches."""

    pseudonym: str
    label: str | None
    enrolled: date
    newest: date | None
    figures: tuple[ShownFigure | None, ...]


@dataclass(frozen=True, slots=True)
class SortLink:
    name: str
    href: str
    is_current: bool


@dataclass(frozen=True, slots=True, repr=False)
class PatientsView:
    search: str
    sort: str
    sorts: tuple[SortLink, ...]
    heads: tuple[str, ...]
    short_heads: tuple[str, ...]
    rows: tuple[PatientRow, ...]
    pages: Paging
    patients: int


def patients_page(presenter: Presenter) -> Page:
    def page(request: Request, staff: SignedIn) -> Response:
        query = request.query_params
        with presenter.clinic.database.reading() as tx:
            settings = read_settings(tx)
            view = make_patients(tx, query.get("search", ""), query.get("sort", ""), page_asked(query))
        presenter.desk.viewed(staff, None)
        return presenter.show("patients.html", "/patients", staff, settings, view)

    return page


def make_patients(tx: Transaction, search: str, sort: str, at: int) -> PatientsView:
    search = search.strip()[:MOST_SEARCH]
    sort = sort if sort in _SORTS else "label"
    everybody = Overview(tx).patients(with_month=sort == "newest")
    found = ordered([patient for patient in everybody if matches(patient, search)] if search else everybody, sort)
    query = {"sort": sort, **({"search": search} if search else {})}
    pages = paging(at, len(found), "/patients", query)
    return PatientsView(
        search,
        sort,
        tuple(
            SortLink(words, f"/patients?{urlencode({**query, 'sort': name})}", name == sort)
            for name, (words, _, _) in _SORTS.items()
        ),
        tuple(title(statistic) for statistic in STATISTICS),
        tuple(SHORT[statistic] for statistic in STATISTICS),
        tuple(
            patient_row(patient, Answers(tx).of(patient.device))
            for patient in found[max(0, pages.first - 1) : pages.last]
        ),
        pages,
        len(everybody),
    )


def matches(patient: Patient, search: str) -> bool:
    """Each of its words is in the pseudonym or in the label, whatever case it has."""
    text = _folded(f"{patient.pseudonym}\n{patient.label or ''}")
    return all(word in text for word in _folded(search).split())


def ordered(patients: Sequence[Patient], sort: str) -> list[Patient]:
    """Of those that are equal the pseudonym decides."""
    _, key, largest_first = _SORTS[sort]
    return sorted(sorted(patients, key=lambda patient: patient.pseudonym), key=key, reverse=largest_first)


def patient_row(patient: Patient, answers: Sequence[StoredAnswer]) -> PatientRow:
    """`answers`: the newest first."""
    newest: dict[str, StoredAnswer] = {}
    for each in answers:
        newest.setdefault(each.answer.statistic, each)
    quarters = {each.answer.window for each in newest.values() if each.answer.length_days == QUARTER_DAYS}
    # a median is read with these
    worn = [
        each for each in answers if each.answer.statistic == "worn_days" and each.answer.window // MONTHS in quarters
    ]
    figures = {figure.statistic: figure for figure in reversed(make_figures([*newest.values(), *worn]))}
    months = [each.answer.window for each in answers if each.answer.length_days == MONTH_DAYS]
    return PatientRow(
        patient.pseudonym,
        patient.label,
        patient.enrolled,
        last_day(MONTH_DAYS, max(months)) if months else None,
        tuple(shown(figures[statistic]) if statistic in figures else None for statistic in STATISTICS),
    )


def _natural(text: str) -> str:
    """So that Patient 2 stands before Patient 10."""
    return _NUMBER.sub(lambda number: number[0].zfill(_DIGITS), _folded(text))


def _folded(text: str) -> str:
    return text.lower() if text.isascii() else unicodedata.normalize("NFKC", text).casefold()
