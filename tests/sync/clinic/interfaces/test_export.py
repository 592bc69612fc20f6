"""Exports: all that a card says and no label, to who is let in, and in the audit log."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from sync.clinic.__main__ import app
from sync.clinic.interfaces import cards
from sync.clinic.tables.audit import Audit
from tests.rigs.clinic import ClinicRig
from tests.sync.clinic.interfaces.programs import QUARTER, Program, enrolled, token
from tests.sync.clinic.interfaces.r4 import require_r4

LABEL = "=Patient 17"


def _run(clinic: ClinicRig, *arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["export", "--data", str(clinic.folder), *[str(each) for each in arguments]])


def _rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(text.splitlines()))


def _exports(clinic: ClinicRig) -> list[tuple[str, str | None, str | None]]:
    with clinic.database.reading() as tx:
        entries = Audit(tx, clinic.secrets, clinic.clock).page()
    return [(each.who.partition(":")[0], each.subject, each.detail) for each in entries if each.action == "exported"]


def test_all_cards_are_a_table(clinic: ClinicRig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cards, "BATCH", 2)
    pseudonyms = [enrolled(clinic, *QUARTER, label=f"{LABEL}{number}")[1] for number in range(5)]
    response = Program(clinic, token(clinic)).get("/export/cards.csv")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/csv")
    assert response.headers["content-disposition"] == 'attachment; filename="cards.csv"'
    rows = _rows(response.text)
    assert [row["patient"] for row in rows] == [each for each in sorted(pseudonyms) for _ in QUARTER]
    assert LABEL not in response.text
    assert _exports(clinic) == [("token", None, "csv, all patients")]


def test_one_card_is_a_table(clinic: ClinicRig) -> None:
    _, pseudonym = enrolled(clinic, *QUARTER)
    enrolled(clinic, *QUARTER)
    program = Program(clinic, token(clinic))
    response = program.get(f"/export/patients/{pseudonym}.csv")
    assert {row["patient"] for row in _rows(response.text)} == {pseudonym}
    assert _exports(clinic) == [("token", pseudonym, "csv")]
    assert program.get("/export/patients/P-00000000.csv").status_code == 404
    assert len(_exports(clinic)) == 1


@pytest.mark.parametrize("path", ["/export/cards.csv", "/export/patients/P-1.csv"])
def test_whoever_is_not_let_in_exports_nothing(clinic: ClinicRig, path: str) -> None:
    good = token(clinic)
    for bearer in (None, "vkc_wrong", token(clinic, "metrics", "collector")):
        response = Program(clinic, bearer).get(path)
        assert response.status_code == 401
        assert response.headers["www-authenticate"].startswith("Bearer ")
    assert Program(clinic, None).get(f"{path}?token={good}").status_code == 401
    browser = Program(clinic, None).get(path, {"Accept": "text/html"})
    assert browser.status_code == 303 and browser.headers["location"].startswith("/sign-in")
    assert _exports(clinic) == []


# -- the command


def test_the_command_writes_csv_and_says_so_in_the_audit_log(clinic: ClinicRig, tmp_path: Path) -> None:
    _, pseudonym = enrolled(clinic, *QUARTER, label=LABEL)
    done = _run(clinic)
    assert done.exit_code == 0
    assert {row["patient"] for row in _rows(done.stdout)} == {pseudonym}
    assert "Not a medical device" in done.stderr and LABEL not in done.stdout
    file = tmp_path / "cards.csv"
    assert _run(clinic, "--out", file).exit_code == 0
    assert file.read_bytes() == done.stdout_bytes
    assert file.stat().st_mode & 0o777 == 0o600
    assert _exports(clinic) == [("cli", None, "csv, all patients")] * 2


def test_what_is_there_already_is_not_overwritten(clinic: ClinicRig, tmp_path: Path) -> None:
    file = tmp_path / "cards.csv"
    file.write_text("mine")
    done = _run(clinic, "--out", file)
    assert done.exit_code == 1 and "already" in done.stderr
    assert file.read_text() == "mine"


def test_one_patient_as_fhir_is_a_bundle(clinic: ClinicRig) -> None:
    _, pseudonym = enrolled(clinic, *QUARTER, label=LABEL)
    done = _run(clinic, "--patient", pseudonym, "--format", "fhir", "--url", "https://clinic.example")
    bundle = json.loads(done.stdout)
    require_r4(bundle)
    assert (bundle["type"], len(bundle["entry"])) == ("collection", 1 + len(QUARTER))
    assert LABEL not in done.stdout


def test_all_patients_as_fhir_are_a_resource_in_a_line(clinic: ClinicRig, tmp_path: Path) -> None:
    for _ in range(3):
        enrolled(clinic, *QUARTER, label=LABEL)
    out = tmp_path / "cards"
    options = ("--format", "fhir", "--url", "https://clinic.example")
    assert _run(clinic, *options, "--out", out).exit_code == 0
    assert sorted(path.name for path in out.iterdir()) == ["Observation.ndjson", "Patient.ndjson"]
    written: list[dict[str, Any]] = []
    for path in out.iterdir():
        resources = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        assert {each["resourceType"] for each in resources} == {path.stem}
        written += resources
    for each in written:
        require_r4(each)
    assert len(written) == 3 * (1 + len(QUARTER))
    streamed = [json.loads(line) for line in _run(clinic, *options).stdout.splitlines()]
    assert sorted(map(str, streamed)) == sorted(map(str, written))


def test_fhir_has_to_know_where_the_clinic_is(clinic: ClinicRig) -> None:
    done = _run(clinic, "--format", "fhir")
    assert done.exit_code == 1 and "--url" in done.stderr


def test_json_is_one_document_without_labels(clinic: ClinicRig) -> None:
    assert json.loads(_run(clinic, "--format", "json").stdout) == {"cards": []}
    _, pseudonym = enrolled(clinic, *QUARTER, label=LABEL)
    enrolled(clinic)
    shown = json.loads(_run(clinic, "--format", "json").stdout)
    assert len(shown["cards"]) == 2
    (card,) = [card for card in shown["cards"] if card["pseudonym"] == pseudonym]
    assert len(card["figures"]) == len(QUARTER) and "label" not in card


def test_who_is_not_here_is_told_so(clinic: ClinicRig) -> None:
    done = _run(clinic, "--patient", "P-00000000")
    assert done.exit_code == 1 and "patients" in done.stderr
    assert _exports(clinic) == []


@pytest.mark.parametrize("url", ["ftp://clinic.example", "https://clinic.example/\n", "clinic.example", "https://"])
def test_an_address_that_no_clinic_can_have_names_no_codes(clinic: ClinicRig, url: str) -> None:
    enrolled(clinic, *QUARTER)
    done = _run(clinic, "--format", "fhir", "--url", url)
    assert (done.exit_code, done.stdout, _exports(clinic)) == (1, "", [])
