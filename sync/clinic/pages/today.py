"""Who needs a look this morning: each figure with what noise alone would do, and nothing left out in silence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from starlette.requests import Request
from starlette.responses import Response

from sync.clinic.af_decision import decide, decide_two, of_people, percent, practice_words, threshold_days
from sync.clinic.card import make_figures
from sync.clinic.catalogue import FIRST_DAY, MONTH_DAYS, last_day
from sync.clinic.database.database import Transaction
from sync.clinic.desk.guard import Page, SignedIn
from sync.clinic.pages.charts import Strip, make_strip
from sync.clinic.pages.listed import Listed, listed
from sync.clinic.pages.paging import PER_PAGE, Paging, page_asked, paging
from sync.clinic.pages.presenter import Presenter
from sync.clinic.pages.shown_figure import ShownFigure, shown
from sync.clinic.pages.words import MONTHLY
from sync.clinic.settings import Settings, read_settings
from sync.clinic.silence import Silence, newest_due, silence
from sync.clinic.tables.audit import Action, Audit, Entry
from sync.clinic.tables.overview import FlaggedPatient, Overview, Patient

NEWS_DAYS = 28
# Of whom nothing has come for longer stands among the silent, and with what came last on a page of their own.
FLAGGED_MONTHS = 13


@dataclass(frozen=True, slots=True, repr=False)
class Who:
    pseudonym: str
    label: str | None


@dataclass(frozen=True, slots=True, repr=False)
class FlaggedRow:
    """`from_none`, `from_below`: how many people noise alone shows as much for, without such a day and just below the
    threshold; `above`: how likely the true number is at the threshold or above, if all numbers were as likely before.
    `from_none_twice`: where the card before is at the threshold too, how many people noise alone shows both for.
    `is_overtaken`: a newer card is due, and has not come.
    """

    who: Who
    figure: ShownFigure
    strip: Strip
    from_none: str
    from_below: str
    above: str
    from_none_twice: str | None
    is_overtaken: bool


@dataclass(frozen=True, slots=True, repr=False)
class Flagged:
    share_percent: int
    threshold: int
    practice: str
    rows: tuple[FlaggedRow, ...]
    pages: Paging


@dataclass(frozen=True, slots=True, repr=False)
class SilentRow:
    who: Who
    silence: Silence


@dataclass(frozen=True, slots=True, repr=False)
class Silent:
    days: int
    rows: tuple[SilentRow, ...]
    pages: Paging


@dataclass(frozen=True, slots=True, repr=False)
class EnrolledRow:
    who: Who
    day: date


@dataclass(frozen=True, slots=True, repr=False)
class WithdrawnRow:
    """`pseudonym`: as the audit log has it; None: it has none of them."""

    day: date
    pseudonym: str | None


@dataclass(frozen=True, slots=True, repr=False)
class TodayView:
    """`data_until`: the last day that a card reaches; None: no card has come. `withdrawn`: the days alone are left."""

    today: date
    patients: int
    data_until: date | None
    flagged: Flagged
    silent: Silent
    incomplete: Listed[Who]
    enrolled: Listed[EnrolledRow]
    withdrawn: Listed[WithdrawnRow]
    news_days: int = NEWS_DAYS

    @property
    def is_calm(self) -> bool:
        return not (self.flagged.pages.total or self.silent.pages.total or self.incomplete.total)


def today_page(presenter: Presenter) -> Page:
    def page(request: Request, staff: SignedIn) -> Response:
        today = presenter.clinic.clock.today()
        at, silent_at = page_asked(request.query_params), page_asked(request.query_params, "silent")
        with presenter.clinic.database.reading() as tx:
            settings = read_settings(tx)
            audit = Audit(tx, presenter.clinic.secrets, presenter.clinic.clock)
            since = today - timedelta(days=NEWS_DAYS - 1)
            withdrawals = [*audit.of(Action.WITHDRAWN, since), *audit.of(Action.ERASED, since)]
            view = make_today(tx, settings, today, at, silent_at, withdrawals)
        presenter.desk.viewed(staff, None)
        return presenter.show("today.html", "/", staff, settings, view)

    return page


def make_today(
    tx: Transaction,
    settings: Settings,
    today: date,
    at: int = 1,
    silent_at: int = 1,
    withdrawals: Sequence[Entry] = (),
) -> TodayView:
    """`at`, `silent_at`: which page of either list; `withdrawals`: what the audit log has of them."""
    overview = Overview(tx)
    # what a clock far ahead has sent says nothing of how far the others have come
    running = (today - FIRST_DAY).days // MONTH_DAYS
    patients = overview.count()
    months = [month for name in MONTHLY if (month := overview.newest_data_month(name, running)) is not None]
    newest = max(months, default=None)
    since = today - timedelta(days=NEWS_DAYS - 1)
    due = newest_due(MONTH_DAYS, today)
    incomplete = [] if due is None else overview.incomplete(due, MONTHLY, last_day(MONTH_DAYS, due))
    flagged = _flagged(overview, settings, patients, due or 0, at, {"silent": str(silent_at)} if silent_at > 1 else {})
    silent = _silent(overview, settings, today, silent_at, {"page": str(at)} if at > 1 else {})
    return TodayView(
        today,
        patients,
        None if newest is None else last_day(MONTH_DAYS, newest),
        flagged,
        silent,
        listed([Who(*who) for who in incomplete]),
        listed([EnrolledRow(_who(each), each.enrolled) for each in overview.enrolled_since(since)]),
        listed(withdrawn_rows(overview.withdrawn_since(since), withdrawals)),
    )


def flagged_row(patient: FlaggedPatient, threshold: int, due: int) -> FlaggedRow:
    """`due`: the newest month whose card should be here."""
    answer = patient.answer.answer
    decision = decide(round(answer.value), threshold, answer.epsilon_milli / 1000)
    both = None
    if patient.before is not None:
        both = decide_two(decide(round(patient.before), threshold, answer.epsilon_milli / 1000), decision)
    (figure,) = make_figures([patient.answer])
    if figure.value is None or figure.interval is None:
        raise ValueError(f"{figure.statistic} is no count: it may be hidden")
    return FlaggedRow(
        Who(patient.pseudonym, patient.label),
        shown(figure),
        make_strip(figure.value, figure.interval, threshold, (0.0, MONTH_DAYS)),
        of_people(decision.from_none),
        of_people(decision.from_just_below),
        percent(decision.at_or_above),
        of_people(both.from_none) if both is not None and both.is_flagged else None,
        answer.window < due,
    )


def withdrawn_rows(days: Sequence[date], entries: Sequence[Entry]) -> list[WithdrawnRow]:
    """`days`: of all that withdrew, the newest first; what an entry tells of them is put to its day."""
    told: dict[date, list[str]] = {}
    for entry in entries:
        if entry.subject is not None:
            told.setdefault(entry.day, []).append(entry.subject)
    return [WithdrawnRow(day, told[day].pop(0) if told.get(day) else None) for day in days]


def _flagged(
    overview: Overview, settings: Settings, patients: int, due: int, at: int, query: dict[str, str]
) -> Flagged:
    threshold, since = threshold_days(settings.af_share), max(0, due + 1 - FLAGGED_MONTHS)
    total, rows = overview.flagged("af_days", threshold, since, PER_PAGE, (at - 1) * PER_PAGE)
    return Flagged(
        settings.af_share_percent,
        threshold,
        practice_words(patients, threshold),
        # all have one ε and one length: the larger the figure, the seldomer noise alone gives it
        tuple(flagged_row(each, threshold, due) for each in rows),
        paging(at, total, "/", query),
    )


def _silent(overview: Overview, settings: Settings, today: date, at: int, query: dict[str, str]) -> Silent:
    found = _overdue(overview, today - timedelta(days=settings.silence_days), today)
    pages = paging(at, len(found), "/", query, "silent")
    return Silent(settings.silence_days, tuple(found[max(0, pages.first - 1) : pages.last]), pages)


def _overdue(overview: Overview, patience_ended: date, today: date) -> list[SilentRow]:
    """Those whose oldest missing answers should have been here before that day; the longest silent first."""
    due = newest_due(MONTH_DAYS, patience_ended)
    found = []
    for patient in [] if due is None else overview.without_month(due, last_day(MONTH_DAYS, due)):
        quiet = silence(patient.statistics, patient.agreed_on, patient.newest, today)
        if quiet is not None and quiet.since < patience_ended:
            found.append(SilentRow(_who(patient), quiet))
    return sorted(found, key=lambda row: (row.silence.since, row.who.pseudonym))


def _who(patient: Patient) -> Who:
    return Who(patient.pseudonym, patient.label)
