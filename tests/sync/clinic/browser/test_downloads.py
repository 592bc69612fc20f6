"""What is taken out of the clinic is a file with a name, with no label in it and nothing that runs."""

from __future__ import annotations

import csv
from pathlib import Path

from tests.rigs.clinic_story import HOSTILE_LABELS, people
from tests.sync.clinic.browser.conftest import Visiting
from tests.sync.clinic.browser.pages import PAGES


def test_a_patient_is_downloaded_as_csv(visiting: Visiting, tmp_path: Path) -> None:
    pseudonym = next(person.pseudonym for person in people() if person.label == HOSTILE_LABELS[4])
    with visiting() as visit:
        page = visit.go(f"/patients/{pseudonym}")
        with page.expect_download() as started:
            page.get_by_role("link", name="CSV").click()
        assert started.value.suggested_filename == f"{pseudonym}.csv"
        started.value.save_as(tmp_path / "cards.csv")
    text = (tmp_path / "cards.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    assert len(rows) > 5
    assert {row["patient"] for row in rows} == {pseudonym}
    assert "HYPERLINK" not in text


def test_a_patient_is_read_as_fhir_by_the_link_on_the_page(visiting: Visiting) -> None:
    with visiting() as visit:
        page = visit.go(PAGES["patient"])
        where = page.get_by_role("link", name="FHIR").get_attribute("href")
        answer = page.context.request.get(f"{visit.url}{where}", headers={"Accept": "text/html,*/*;q=0.8"})
        assert answer.status == 200
        assert answer.headers["content-type"].startswith("application/fhir+json")
        assert answer.json()["resourceType"] == "Bundle"
