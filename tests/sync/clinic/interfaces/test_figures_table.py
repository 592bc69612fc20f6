"""A page of figures is found along the key, whatever the size of the table; and what days say about a window."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pytest

from sync.clinic.catalogue import QUESTIONS, Question, first_day, last_day
from sync.clinic.database.database import Transaction
from sync.clinic.tables.figures import Days, Figures, Place
from tests.rigs.clinic import ClinicRig, af_days
from tests.sync.clinic.interfaces.programs import QUARTER, enrolled

_FIRST = Place(bytes(16), 28, 0, "", 0)


class _Explained:
    """Asks how a statement would be done, in place of doing it."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self.plan = ""

    def all(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        self.plan = str(self._tx.all(f"EXPLAIN QUERY PLAN {sql}", parameters))
        return []


@pytest.mark.parametrize("after", [None, _FIRST])
@pytest.mark.parametrize("questions", [None, QUESTIONS[:1], QUESTIONS])
def test_a_page_without_days_sorts_nothing(
    sqlite_clinic: ClinicRig, questions: Sequence[Question] | None, after: Place | None
) -> None:
    """Or the first page of 10,000 patients takes seconds."""
    with sqlite_clinic.database.reading() as tx:
        explained = _Explained(tx)
        Figures(explained).page(50, after, None, questions)  # type: ignore[arg-type]
    assert "TEMP B-TREE" not in explained.plan, explained.plan


@pytest.mark.parametrize("edge", ["first", "last"])
@pytest.mark.parametrize("at_least", [True, False])
@pytest.mark.parametrize("off", [-1, 0, 1])
def test_days_are_those_of_the_window(clinic: ClinicRig, edge: str, at_least: bool, off: int) -> None:
    enrolled(clinic, af_days(27))
    day = (first_day if edge == "first" else last_day)(28, 27) + timedelta(days=off)
    with clinic.database.reading() as tx:
        found = Figures(tx).count(days=[[[Days(edge, at_least, day)]]])
    assert found == (off == 0 or (off < 0) == at_least)


def test_places_are_found_by_what_is_asked_for(clinic: ClinicRig) -> None:
    device, _ = enrolled(clinic, *QUARTER)
    enrolled(clinic, *QUARTER)
    with clinic.database.reading() as tx:
        figures = Figures(tx)
        places = figures.page(100, device=device.id)
        assert len(places) == figures.count(device.id) == len(QUARTER)
        assert figures.page(100, after=places[2], device=device.id) == places[3:]
        assert figures.holds(places[0], device.id)
        assert not figures.holds(places[0], days=[[[Days("first", True, date(2030, 1, 1))]]])
        assert figures.count(questions=[]) == 0
        assert figures.device(device.id[:8]) == device.id
        assert figures.device(bytes(8)) is None
