"""One patient's cards over time: for each statistic a chart and a table of the same figures, and what is missing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from sync.clinic.af_decision import threshold_days
from sync.clinic.card import Figure, make_figures
from sync.clinic.catalogue import QUESTIONS, Question, first_day, last_day
from sync.clinic.desk.guard import Page, SignedIn
from sync.clinic.errors import UnknownPatientError
from sync.clinic.label import label_fault, read_label
from sync.clinic.pages.charts import Chart, Datum, Level, Mark, make_chart
from sync.clinic.pages.presenter import Presenter
from sync.clinic.pages.shown_figure import ShownFigure, shown
from sync.clinic.pages.words import EXPLAINED, title
from sync.clinic.settings import Settings, read_settings
from sync.clinic.silence import newest_due
from sync.clinic.tables.answers import Answers, StoredAnswer
from sync.clinic.tables.audit import Action, Audit
from sync.clinic.tables.devices import Device, Devices

# As Pairings makes them; what is typed in another way is another address.
PSEUDONYM = re.compile(r"P-[0-9A-HJKMNP-TV-Z]{8}")
_NOTICES = {"label": "The label was changed."}


@dataclass(frozen=True, slots=True, repr=False)
class Agreed:
    """`words_version`: of the text that the wearer agreed to."""

    title: str
    explained: str
    words_version: int


@dataclass(frozen=True, slots=True, repr=False)
class Row:
    """`figure` None: nothing came about this period."""

    first_day: date
    last_day: date
    figure: ShownFigure | None


@dataclass(frozen=True, slots=True, repr=False)
class Series:
    name: str
    title: str
    explained: str
    unit: str
    is_agreed: bool
    note: str
    newest: ShownFigure | None
    chart: Chart | None
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True, repr=False)
class PatientView:
    """`label_shown`: what stands in the field, which may be what was refused, by `label_fault`."""

    pseudonym: str
    label: str | None
    enrolled: date
    agreed: tuple[Agreed, ...]
    series: tuple[Series, ...]
    notice: str
    label_shown: str
    label_fault: str


def patient_page(presenter: Presenter) -> Page:
    clinic = presenter.clinic

    def page(request: Request, staff: SignedIn) -> Response:
        pseudonym, status, fault, typed = _pseudonym(request), 200, "", ""
        if request.method == "POST":
            typed = request.state.form.get("label", "")
            fault = label_fault(typed)
            if not fault:
                with clinic.database.writing() as tx:
                    if not Devices(tx).relabel(pseudonym, read_label(typed)):
                        raise HTTPException(404)
                    Audit(tx, clinic.secrets, clinic.clock).add(staff.name, Action.LABEL_CHANGED, pseudonym)
                return RedirectResponse(f"/patients/{pseudonym}?done=label", 303)
            status = 400
        try:
            with clinic.database.reading() as tx:
                settings, device = read_settings(tx), Devices(tx).patient(pseudonym)
                answers = Answers(tx).of(device.id)
        except UnknownPatientError:
            raise HTTPException(404) from None
        presenter.desk.viewed(staff, pseudonym)
        notice = _NOTICES.get(request.query_params.get("done", ""), "")
        view = make_patient(device, answers, settings, clinic.clock.today(), notice, fault, typed if fault else None)
        return presenter.show("patient.html", "/patients", staff, settings, view, status)

    return page


def make_patient(
    device: Device,
    answers: Sequence[StoredAnswer],
    settings: Settings,
    today: date,
    notice: str = "",
    fault: str = "",
    typed: str | None = None,
) -> PatientView:
    figures = make_figures(answers)
    all_series = (
        make_series(
            question, [figure for figure in figures if figure.statistic == question.name], device, settings, today
        )
        for question in QUESTIONS
    )
    return PatientView(
        device.pseudonym,
        device.label,
        device.enrolled,
        tuple(
            Agreed(title(name), EXPLAINED.get(name, ""), version) for name, version in sorted(device.statistics.items())
        ),
        tuple(series for series in all_series if series.is_agreed or series.rows),
        notice,
        (device.label or "") if typed is None else typed,
        fault,
    )


def make_series(
    question: Question, figures: Sequence[Figure], device: Device, settings: Settings, today: date
) -> Series:
    """`figures`: of this question, the newest first."""
    by_day = {figure.first_day: figure for figure in figures}
    rows = tuple(
        Row(first, last, shown(by_day[first]) if first in by_day else None)
        for first, last in _periods(question, by_day, today, question.name in device.statistics)
    )
    level = None
    if question.name == "af_days":
        threshold = threshold_days(settings.af_share)
        level = Level(float(threshold), f"set by the clinic: {threshold} days")
    counted = not question.grid
    chart = make_chart(
        question.name,
        f"{title(question.name)} over time",
        question.unit,
        [_datum(row, by_day.get(row.first_day)) for row in reversed(rows)],
        bounds=(question.low, question.high) if counted else None,
        step=7.0 if counted else None,
        level=level,
    )
    return Series(
        question.name,
        title(question.name),
        EXPLAINED[question.name],
        question.unit,
        question.name in device.statistics,
        next((figure.note for figure in figures if figure.note), ""),
        rows[0].figure if rows else None,
        chart,
        rows,
    )


def _periods(question: Question, by_day: dict[date, Figure], today: date, is_agreed: bool) -> list[tuple[date, date]]:
    """From the first that came to the newest that came or, where it is still agreed to, is due; the newest first."""
    if not by_day:
        return []
    first, newest = (
        (day - first_day(question.length_days, 0)).days // question.length_days for day in (min(by_day), max(by_day))
    )
    if is_agreed:
        newest = max(newest, newest_due(question.length_days, today) or 0)
    length = question.length_days
    return [(first_day(length, window), last_day(length, window)) for window in range(newest, first - 1, -1)]


def _datum(row: Row, figure: Figure | None) -> Datum:
    if figure is None or row.figure is None:
        return Datum(row.first_day, row.last_day, Mark.GAP, "nothing came")
    if figure.value is None or figure.interval is None:
        return Datum(row.first_day, row.last_day, Mark.HIDDEN, f"not shown: {row.figure.why}")
    words = f"{row.figure.value} {row.figure.unit} ({row.figure.range})"
    return Datum(row.first_day, row.last_day, Mark.FIGURE, words, figure.value, figure.interval)


def _pseudonym(request: Request) -> str:
    text: str = request.path_params["pseudonym"]
    if not PSEUDONYM.fullmatch(text):
        raise HTTPException(404)
    return text
