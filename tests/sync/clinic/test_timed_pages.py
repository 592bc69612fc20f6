"""What times the pages of a full clinic asks the real server for them, signed in, on either database."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.clinic_filled import MONTHS, QUARTERS, fill
from benchmarks.clinic_pages import Server, Staff, interfaces, pages, run
from sync.clinic.database.opened import open_database
from tests.rigs.postgres import database_url


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_pages_are_timed_cold_and_warm(tmp_path: Path, kind: str) -> None:
    with database_url(kind) as url:
        _, timed = run(tmp_path / "clinic", 110, url, warm=3, only=("Today", "Cohort"))
    assert [one.page for one in timed] == ["Today", "Cohort"]
    assert all(0 < one.median_ms <= one.worst_ms and one.cold_ms > 0 and one.kilobytes > 1 for one in timed)


def test_every_page_that_is_timed_is_there(tmp_path: Path) -> None:
    filled = fill(tmp_path / "clinic", 110)
    with Server(tmp_path / "clinic", None) as server, Staff(server.port) as staff:
        told = {named: staff.get(path).decode() for path, named in pages(filled.pseudonym)}
    assert "mean over patients" in told["Cohort"]
    assert "AF-days" in told["Today"]
    assert filled.pseudonym in told["Patient"]


def test_every_interface_that_is_timed_gives_what_it_is_called_for(tmp_path: Path) -> None:
    filled = fill(tmp_path / "clinic", 110)
    with Server(tmp_path / "clinic", None) as server, Staff(server.port) as staff:
        told = {named: staff.get(path).decode() for path, named in interfaces(filled.pseudonym)}
    empty = told.pop("Observation?date= of which there is none")
    assert "entry" not in json.loads(empty)
    assert filled.pseudonym in told.pop("/export/patients/{pseudonym}.csv")
    assert all(json.loads(bundle)["entry"] for bundle in told.values())


def test_a_clinic_is_filled_with_two_years_of_cards(tmp_path: Path) -> None:
    filled = fill(tmp_path / "clinic", 100)
    database = open_database(tmp_path / "clinic")
    with database.reading() as tx:
        rows = tx.all("SELECT count(*) FROM answers GROUP BY device ORDER BY 1 DESC")
    database.close()
    assert rows[0] == (2 * MONTHS + 2 * QUARTERS,)
    assert filled.answers == sum(row[0] for row in rows)
    assert len(rows) == filled.devices == 100
