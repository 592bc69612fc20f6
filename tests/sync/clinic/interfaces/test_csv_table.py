"""A figure in a table: never bare, and nothing in it that a spreadsheet would compute."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import date

import pytest

from sync.clinic.card import Card
from sync.clinic.interfaces.csv_table import COLUMNS, csv_lines, defused
from tests.sync.clinic.interfaces.figures import VALUES, figure, hidden

LABEL = "=HYPERLINK(1)"


def _rows(*cards: Card) -> list[dict[str, str]]:
    return list(csv.DictReader("".join(csv_lines(cards)).splitlines(keepends=True)))


def _card(*figures: object) -> Card:
    return Card("P-7K3QF2M1", LABEL, date(2026, 3, 2), ("af_days",), figures)  # type: ignore[arg-type]


@pytest.mark.parametrize("statistic", sorted(VALUES))
def test_a_row_holds_all_that_a_figure_is_read_with(statistic: str) -> None:
    (row,) = _rows(_card(figure(statistic)))
    value, (low, high) = VALUES[statistic]
    assert [float(row[name]) for name in ("value", "low", "high", "epsilon")] == [value, low, high, 0.5]
    assert row["unit"] and row["hides"] == "one calendar day of this person"
    assert date.fromisoformat(row["first_day"]) < date.fromisoformat(row["last_day"])
    assert tuple(row) == tuple(COLUMNS)
    assert not row["why_absent"]


def test_a_median_that_may_not_be_shown_has_empty_cells_and_a_reason() -> None:
    (row,) = _rows(_card(hidden(why="worn on too few days, 60 needed")))
    assert (row["value"], row["low"], row["high"]) == ("", "", "")
    assert row["why_absent"] == "worn on too few days, 60 needed"


def test_a_label_is_in_no_table() -> None:
    assert LABEL not in "".join(csv_lines([_card(figure())]))


def test_lines_end_as_rfc_4180_says_and_a_card_without_figures_gives_none() -> None:
    lines = "".join(csv_lines([_card(), _card(figure(), figure())])).split("\n")
    assert len(lines) == 4 and lines.pop() == "" and all(line.endswith("\r") for line in lines)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", "\n=1"])
def test_text_that_begins_like_a_formula_is_defused(text: str) -> None:
    assert defused(text) == f"'{text}"
    (row,) = _rows(_card(replace(hidden(), why=text)))
    assert not row["why_absent"].startswith(("=", "+", "-", "@", "\t", "\r", "\n"))


def test_a_count_below_zero_stays_a_number() -> None:
    """Chance gives such ones, and hiding that would move every mean."""
    (row,) = _rows(_card(replace(figure(), value=-3.0)))
    assert row["value"] == "-3"
