"""What all patients have in common, of 100 or more; of fewer it says how many are missing, and nothing else.

All patients or nobody: a figure of some, beside the figure of all, would tell of the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from starlette.requests import Request
from starlette.responses import Response

from sync.clinic.af_decision import percent, threshold_days
from sync.clinic.catalogue import MONTH_DAYS, QUARTER_DAYS, QUESTIONS, Question, first_day, last_day
from sync.clinic.cohort import LEAST, SELECTED, Estimate, TooFew, cohort_count, cohort_median
from sync.clinic.database.database import Transaction
from sync.clinic.desk.guard import Page, SignedIn
from sync.clinic.pages.charts import Chart, Datum, Mark, make_chart, number
from sync.clinic.pages.presenter import Presenter
from sync.clinic.pages.shown_figure import range_words
from sync.clinic.pages.words import EXPLAINED, title
from sync.clinic.settings import Settings, read_settings
from sync.clinic.silence import newest_due
from sync.clinic.tables.overview import Overview
from sync.clinic.tables.tallies import QuarterTally, Tallies, Tally

MONTHS_SHOWN = 13
QUARTERS_SHOWN = 2


@dataclass(frozen=True, slots=True, repr=False)
class CohortRow:
    """One period of all patients who answered about it. `value` and `range` are None where `why` says why not."""

    first_day: date
    last_day: date
    what: str
    patients: int | None
    value: str | None
    range: str | None
    why: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class Trend:
    """`rows`: the newest first."""

    name: str
    title: str
    explained: str
    unit: str
    epsilon: str
    chart: Chart | None
    rows: tuple[CohortRow, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, repr=False)
class CohortView:
    """`missing`: how many patients are missing until there is anything to show; 0: there is."""

    least: int
    missing: int
    trends: tuple[Trend, ...]


def cohort_page(presenter: Presenter) -> Page:
    def page(_: Request, staff: SignedIn) -> Response:
        with presenter.clinic.database.reading() as tx:
            settings = read_settings(tx)
            view = make_cohort(tx, settings, presenter.clinic.clock.today())
        return presenter.show("cohort.html", "/cohort", staff, settings, view)

    return page


def make_cohort(tx: Transaction, settings: Settings, today: date) -> CohortView:
    """Of periods whose cards should all be here: who sends early is no fair sample."""
    if (patients := Overview(tx).count()) < LEAST:
        return CohortView(LEAST, LEAST - patients, ())
    months, quarters = _windows(MONTH_DAYS, MONTHS_SHOWN, today), _windows(QUARTER_DAYS, QUARTERS_SHOWN, today)
    tallies, threshold = Tallies(tx), threshold_days(settings.af_share)
    trends: list[Trend] = []
    for asked in (question for question in QUESTIONS if not question.grid):
        counted = tallies.counts(asked.name, asked.version, months.start, months.stop)
        trends.append(mean_trend(asked, counted, months))
        if asked.name == "af_days":
            trends.append(share_trend(asked, counted, months, threshold))
    graded = [question for question in QUESTIONS if question.grid]
    medians = tallies.medians([(asked.name, asked.version) for asked in graded], quarters.start, quarters.stop)
    trends += [median_trend(asked, medians, quarters) for asked in graded]
    return CohortView(LEAST, 0, tuple(trend for trend in trends if trend.rows))


def mean_trend(asked: Question, counted: Mapping[int, Tally], windows: range) -> Trend:
    rows: list[CohortRow] = []
    data: list[Datum] = []
    notes: list[str] = []
    for window, days in _newest_first(asked, windows):
        found = cohort_count(asked, counted.get(window, []))
        if isinstance(found, TooFew):
            rows.append(_too_few(days, "mean"))
            data.append(Datum(*days, Mark.HIDDEN, rows[-1].why))
            continue
        rows.append(_estimated(days, "mean", found.patients, found.mean))
        data.append(_datum(days, found.mean))
        if not notes:
            notes.append(
                f"Of the width of the newest range, {percent(found.noise_of_width)} is what noise alone would make; the"
                " rest is how patients differ."
            )
    return _trend(asked, asked.name, f"{title(asked.name)}: mean over patients", asked.unit, rows, data, notes)


def share_trend(asked: Question, counted: Mapping[int, Tally], windows: range, threshold: int) -> Trend:
    """In percent of the patients."""
    rows, data = [], []
    for window, days in _newest_first(asked, windows):
        found = cohort_count(asked, counted.get(window, []), threshold)
        if isinstance(found, TooFew) or found.share is None:
            rows.append(_too_few(days, "share"))
            data.append(Datum(*days, Mark.HIDDEN, rows[-1].why))
            continue
        share = Estimate(100 * found.share.value, (100 * found.share.interval[0], 100 * found.share.interval[1]))
        rows.append(_estimated(days, "share", found.patients, share))
        data.append(_datum(days, share))
    heading = f"Patients with {threshold} AF-days or more"
    notes = ["Estimated from all noisy counts with the noise taken out: not a count of who stands on Today."]
    return _trend(asked, f"{asked.name}-share", heading, "% of patients", rows, data, notes)


def median_trend(asked: Question, medians: Mapping[tuple[str, int], QuarterTally], windows: range) -> Trend:
    rows, left_out = [], []
    for window, days in _newest_first(asked, windows):
        tally = medians.get((asked.name, window), QuarterTally([], 0))
        found = cohort_median(asked, tally.shown, tally.left_out)
        if isinstance(found, TooFew):
            rows.append(_too_few(days, "median"))
            continue
        left_out.append(found.left_out)
        rows.append(_row(days, "median patient", found.patients, found.median))
        rows.append(_row(days, "a quarter of patients is at or below", found.patients, found.lower_quartile))
        rows.append(_row(days, "a quarter of patients is at or above", found.patients, found.upper_quartile))
    notes = [f"{SELECTED} Left out of the newest quarter shown: {left_out[0]}."] if left_out else [SELECTED]
    return _trend(asked, asked.name, f"{title(asked.name)}: median over patients", asked.unit, rows, [], notes)


def _trend(
    asked: Question,
    name: str,
    heading: str,
    unit: str,
    rows: Sequence[CohortRow],
    data: Sequence[Datum],
    notes: Sequence[str],
) -> Trend:
    # what nobody has answered about stands at the old end alone: it is no part of the story
    kept = len(rows)
    while kept and rows[kept - 1].value is None:
        kept -= 1
    chart = make_chart(name, heading, unit, list(reversed(data[:kept]))) if data else None
    epsilon = number(asked.epsilon_milli / 1000, 3)
    return Trend(name, heading, EXPLAINED[asked.name], unit, epsilon, chart, tuple(rows[:kept]), tuple(notes))


def _windows(length_days: int, most: int, today: date) -> range:
    due = newest_due(length_days, today)
    return range(0) if due is None else range(max(0, due + 1 - most), due + 1)


def _newest_first(asked: Question, windows: range) -> list[tuple[int, tuple[date, date]]]:
    length = asked.length_days
    return [(window, (first_day(length, window), last_day(length, window))) for window in reversed(windows)]


def _row(days: tuple[date, date], what: str, patients: int, estimate: Estimate) -> CohortRow:
    return CohortRow(*days, what, patients, number(estimate.value), range_words(estimate.interval))


def _estimated(days: tuple[date, date], what: str, patients: int, estimate: Estimate) -> CohortRow:
    """To a tenth, zeros too: a mean of one day is 1.0 days."""
    low, high = estimate.interval
    return CohortRow(*days, what, patients, _tenths(estimate.value), f"{_tenths(low)} to {_tenths(high)}")


def _tenths(value: float) -> str:
    return f"{value + 0.0:.1f}".replace("-0.0", "0.0").replace("-", "−")


def _too_few(days: tuple[date, date], what: str) -> CohortRow:
    return CohortRow(*days, what, None, None, None, f"fewer than {LEAST} patients")


def _datum(days: tuple[date, date], estimate: Estimate) -> Datum:
    words = f"{number(estimate.value)} ({range_words(estimate.interval)})"
    return Datum(*days, Mark.FIGURE, words, estimate.value, estimate.interval)
