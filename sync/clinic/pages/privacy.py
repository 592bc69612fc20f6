"""What the figures can say and what they cannot: worked out from ε alone, in words that words.py binds."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from sync.clinic.af_decision import (
    EPSILON,
    THRESHOLDS,
    Decision,
    decide,
    decision_table,
    just_below_words,
    noise_words,
    percent,
    posterior_words,
    threshold_days,
    two_words,
)
from sync.clinic.card import LEAST_WORN, WITHIN_BPM, WITHIN_FACTOR
from sync.clinic.catalogue import MONTH_DAYS
from sync.clinic.cohort import LEAST
from sync.clinic.desk.guard import Page, SignedIn
from sync.clinic.pages.charts import number
from sync.clinic.pages.presenter import Presenter
from sync.clinic.settings import Settings, read_settings
from sync.count_noise import count_within


@dataclass(frozen=True, slots=True)
class TableRow:
    head: str
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ChanceTable:
    """`own`: which of the columns is the clinic's own threshold, from 0 on."""

    heads: tuple[str, ...]
    own: int
    once: tuple[TableRow, ...]
    twice: tuple[TableRow, ...]
    in_a_year: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WidthRow:
    worn: str
    heart_rate: str
    variability: str


@dataclass(frozen=True, slots=True)
class Example:
    title: str
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PrivacyView:
    table: ChanceTable
    count_within: int
    count_epsilon: str
    widths: tuple[WidthRow, ...]
    least_worn: int
    least_patients: int
    examples: tuple[Example, ...]


def privacy_page(presenter: Presenter) -> Page:
    def page(_: Request, staff: SignedIn) -> Response:
        with presenter.clinic.database.reading() as tx:
            settings = read_settings(tx)
        return presenter.show("privacy.html", "/privacy", staff, settings, make_privacy(settings))

    return page


def make_privacy(settings: Settings) -> PrivacyView:
    threshold = threshold_days(settings.af_share)
    return PrivacyView(
        _chances(threshold),
        count_within(EPSILON),
        number(EPSILON, 3),
        _widths(),
        LEAST_WORN,
        LEAST,
        _examples(threshold),
    )


def _chances(own: int) -> ChanceTable:
    table = decision_table(thresholds := sorted({*THRESHOLDS, own}))
    return ChanceTable(
        tuple(f"{threshold} or more" for threshold in table.thresholds),
        thresholds.index(own),
        tuple(TableRow(str(days), tuple(map(percent, chances))) for days, chances in table.rows),
        tuple(TableRow(str(days), tuple(map(percent, chances))) for days, chances in table.twice),
        tuple(map(percent, table.in_a_year)),
    )


def _widths() -> tuple[WidthRow, ...]:
    """Both are told for the same sums of days, the widest range last."""
    rows, most = [], None
    for (least, bpm), (_, factor) in zip(WITHIN_BPM, WITHIN_FACTOR, strict=True):
        worn = f"{least} or more" if most is None else f"{least} to {most - 1}"
        rows.append(WidthRow(worn, f"± {number(bpm)} bpm", f"a factor of {number(factor, 2)} either way"))
        most = least
    return tuple(rows)


def _examples(threshold: int) -> tuple[Example, ...]:
    low, high = decide(5, threshold), decide(min(threshold + 8, MONTH_DAYS), threshold)
    return (
        Example("A card shows 5 AF-days", _told(low)),
        Example(f"A card shows {high.seen} AF-days", _told(high)),
        Example(
            f"Two cards in a row show {threshold} and {threshold + 1} AF-days",
            (two_words(decide(threshold, threshold), decide(threshold + 1, threshold)),),
        ),
        Example(
            "A card shows −2 AF-days",
            (
                "Chance goes both ways, and nothing is cut off before it is sent: a count below 0 or above 28 means"
                " that the count without chance is near that end.",
            ),
        ),
    )


def _told(decision: Decision) -> tuple[str, ...]:
    return noise_words(decision), just_below_words(decision), posterior_words(decision)
