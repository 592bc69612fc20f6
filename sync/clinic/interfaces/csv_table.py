"""Figures as CSV (RFC 4180): one in a row, with its interval, its unit, its ε and its period, or why there is none.

The clinic's labels may name somebody, and may begin like a formula: they are left out. Text that stands here is made so
that no spreadsheet takes it for a formula.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from sync.clinic.card import Card, Figure
from sync.clinic.interfaces.fhir.codes import number
from sync.clinic.interfaces.fhir.observation import UNIT_HIDDEN

MEDIA_TYPE = "text/csv; charset=utf-8; header=present"
# By name, with what stands in it; docs/fhir.md shows the same list.
COLUMNS: dict[str, str] = {
    "patient": "the pseudonym",
    "statistic": "which figure",
    "version": "of its definition",
    "first_day": "of the period, ISO 8601",
    "last_day": "of the period, included",
    "value": "with chance added; empty where it may not be shown",
    "low": "the true figure is at least this, 95 times of 100",
    "high": "the true figure is at most this, 95 times of 100",
    "unit": "of value, low and high",
    "epsilon": "ε of this figure for each day",
    "hides": "what ε is about",
    "received": "the day on which it came",
    "note": "what else is to be known when it is read",
    "why_absent": "why there is no value",
}
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv_lines(cards: Iterable[Card]) -> Iterator[str]:
    """The header, and then the lines of a card at a time; each ends with CR LF."""
    yield _lines([COLUMNS])
    for card in cards:
        if card.figures:
            yield _lines(_row(card.pseudonym, figure) for figure in card.figures)


def _row(pseudonym: str, figure: Figure) -> list[str]:
    low, high = figure.interval or (None, None)
    shown = figure.value is not None and figure.interval is not None
    return [
        defused(pseudonym),
        figure.statistic,
        str(figure.version),
        figure.first_day.isoformat(),
        figure.last_day.isoformat(),
        _number(figure.value if shown else None),
        _number(low),
        _number(high),
        figure.unit,
        _number(figure.epsilon),
        UNIT_HIDDEN,
        figure.received.isoformat(),
        defused(figure.note) if shown else "",
        defused(figure.why),
    ]


def defused(text: str) -> str:
    """With a quote before it where a spreadsheet would read a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _number(value: float | None) -> str:
    return "" if value is None else str(number(value))


def _lines(rows: Iterable[Iterable[str]]) -> str:
    lines = io.StringIO()
    csv.writer(lines).writerows(rows)
    return lines.getvalue()
