"""FHIR over HTTP: what is asked for and no more, in bounded pages, and only to who is let in."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest

from sync.clinic.app import make_app
from sync.clinic.errors import ClinicStoreError
from sync.clinic.tables.audit import Audit
from sync.clinic.tables.tokens import Tokens
from sync.receipt import Status
from tests.rigs.asgi_client import AsgiClient
from tests.rigs.clinic import URL, ClinicRig, af_days, worn_days
from tests.rigs.visitor import Visitor, employ
from tests.sync.clinic.interfaces.programs import QUARTER, Program, enrolled, token
from tests.sync.clinic.interfaces.r4 import require_r4

LABEL = "Patient 17"


@pytest.fixture
def program(clinic: ClinicRig) -> Program:
    return Program(clinic, token(clinic))


def _found(bundle: dict[str, Any]) -> list[dict[str, Any]]:
    return [entry["resource"] for entry in bundle.get("entry", []) if entry["search"]["mode"] == "match"]


def _pages(program: Program, path: str) -> list[dict[str, Any]]:
    """Along the next links, as a client goes."""
    pages = []
    while path:
        pages.append(program.resource(path))
        assert len(pages) < 100, "the next links lead round and round"
        onward = [link["url"] for link in pages[-1]["link"] if link["relation"] == "next"]
        path = onward[0].removeprefix(f"{URL}/fhir/R4") if onward else ""
    return pages


def _audited(clinic: ClinicRig) -> list[tuple[str, str, str | None]]:
    with clinic.database.reading() as tx:
        entries = Audit(tx, clinic.secrets, clinic.clock).page()
    return [(entry.who, entry.action, entry.subject) for entry in entries if entry.who.startswith("token:")]


@pytest.mark.parametrize("path", ["/metadata/", "/Patient/", "/CodeSystem/figures/"])
def test_nobody_is_led_to_the_host_that_was_asked_for(clinic: ClinicRig, path: str) -> None:
    response = AsgiClient(make_app(clinic.clinic, most_per_address=0), "https://evil.example").get(f"/fhir/R4{path}")
    assert response.status_code in (401, 404)
    assert "location" not in response.headers and "evil" not in response.text


@pytest.mark.parametrize(
    "path",
    [
        "/metadata",
        "/StructureDefinition/privacy-note",
        "/CodeSystem/figures",
        "/Patient",
        "/Patient/{id}",
        "/Patient/{id}/$everything",
        "/Observation",
        "/Observation?patient={id}&code=http://loinc.org|40443-4&date=ge2026",
        "/Observation?patient={id}&unknown=1",
        "/Observation?patient={id}&_count=2",
        "/Observation?_summary=count",
    ],
)
def test_each_answer_is_a_resource_of_r4(clinic: ClinicRig, program: Program, path: str) -> None:
    _, pseudonym = enrolled(clinic, *QUARTER, label=LABEL)
    response = program.get(f"/fhir/R4{path.format(id=pseudonym)}")
    assert response.status_code == 200
    assert response.headers["content-type"].split(";")[0] == "application/fhir+json"
    assert response.headers["cache-control"] == "no-store"
    require_r4(response.json())
    assert LABEL not in response.text


def test_everything_of_a_patient_is_the_patient_and_each_figure(clinic: ClinicRig, program: Program) -> None:
    _, pseudonym = enrolled(clinic, *QUARTER)
    enrolled(clinic, *QUARTER)
    found = _found(program.resource(f"/Patient/{pseudonym}/$everything"))
    assert [each["resourceType"] for each in found] == ["Patient"] + ["Observation"] * len(QUARTER)
    assert {each["subject"]["reference"] for each in found[1:]} == {f"Patient/{pseudonym}"}
    values = {each["code"]["coding"][0]["code"]: each["valueQuantity"]["value"] for each in found[1:]}
    assert (values["af_days"], values["resting_hr_median"], values["rmssd_median"]) == (3, 61, 33.45)


def test_a_median_of_too_few_days_has_no_value_anywhere(clinic: ClinicRig, program: Program) -> None:
    _, pseudonym = enrolled(clinic, *QUARTER[3:], worn_days(27, 5.0), worn_days(28, 4.0), worn_days(29, 3.0))
    for path in (f"/Observation?patient={pseudonym}&code=40443-4", "/Observation?code=40443-4&_id={id}"):
        (made,) = _found(program.resource(path.format(id=_first_id(program, pseudonym))))
        assert "valueQuantity" not in made and "12" in made["dataAbsentReason"]["text"]
    assert "valueQuantity" not in program.resource(f"/Observation/{_first_id(program, pseudonym)}")


def _first_id(program: Program, pseudonym: str) -> str:
    (made,) = _found(program.resource(f"/Observation?patient={pseudonym}&code=40443-4"))
    return str(made["id"])


def test_an_observation_keeps_its_id_and_is_read_by_it(clinic: ClinicRig, program: Program) -> None:
    _, pseudonym = enrolled(clinic, *QUARTER)
    first = _found(program.resource(f"/Observation?patient={pseudonym}"))
    again = _found(program.resource(f"/Patient/{pseudonym}/$everything"))[1:]
    assert {each["id"] for each in first} == {each["id"] for each in again}
    for each in first:
        assert program.resource(f"/Observation/{each['id']}") == each


@pytest.mark.parametrize(
    ("search", "count"),
    [
        ("", 6),
        ("&code=af_days", 1),
        ("&code=af_days,worn_days", 4),
        ("&code=af_days&code=worn_days", 0),
        ("&code=http://loinc.org|8867-4", 0),
        ("&date=2026", 6),
        ("&date=2026-02", 0),
        ("&date=lt2026-02-01", 4),
        ("&date=ge2026-03-20", 4),
        ("&date=sa2026-03-01", 1),
        ("&date=eb2026-03-01", 2),
        ("&date=ge2026-02-20&date=le2026-02-25", 5),
        ("&date=lt2020,gt2030", 0),
    ],
)
def test_a_search_finds_what_is_asked_for(clinic: ClinicRig, program: Program, search: str, count: int) -> None:
    """Window 27 is 2026-01-26 to 2026-02-22, window 29 ends on 2026-04-19, and so does the quarter."""
    _, pseudonym = enrolled(clinic, *QUARTER)
    enrolled(clinic, *QUARTER)
    bundle = program.resource(f"/Observation?patient={pseudonym}{search}")
    assert (bundle["total"], len(_found(bundle))) == (count, count)
    assert {each["subject"]["reference"] for each in _found(bundle)} <= {f"Patient/{pseudonym}"}


@pytest.mark.parametrize("size", [1, 2, 5, 17, 18, 200])
def test_pages_hold_each_figure_once(clinic: ClinicRig, program: Program, size: int) -> None:
    for _ in range(3):
        enrolled(clinic, *QUARTER)
    pages = _pages(program, f"/Observation?_count={size}")
    assert all(len(_found(page)) <= size for page in pages)
    ids = [each["id"] for page in pages for each in _found(page)]
    assert len(ids) == len(set(ids)) == 3 * len(QUARTER)
    patients = [each["id"] for page in _pages(program, f"/Patient?_count={size}") for each in _found(page)]
    assert sorted(patients) == patients and len(set(patients)) == 3


def test_a_page_goes_on_where_a_patient_has_withdrawn_meanwhile(clinic: ClinicRig, program: Program) -> None:
    devices = [enrolled(clinic, *QUARTER)[0] for _ in range(3)]
    first = program.resource("/Observation?_count=2")
    gone = _found(first)[-1]["subject"]["reference"]
    (device,) = [
        each
        for each, row in ((d, r) for d in devices for r in clinic.devices() if r.id == d.id)
        if gone == f"Patient/{row.pseudonym}"
    ]
    assert clinic.take(device.delete()) is Status.STORED
    (onward,) = [link["url"] for link in first["link"] if link["relation"] == "next"]
    rest = [
        each
        for page in _pages(program, urlsplit(onward).path.removeprefix("/fhir/R4") + "?" + urlsplit(onward).query)
        for each in _found(page)
    ]
    assert len(rest) == 2 * len(QUARTER)
    assert gone not in {each["subject"]["reference"] for each in rest}


def test_the_self_link_says_what_was_searched_for(clinic: ClinicRig, program: Program) -> None:
    """A client sees that a parameter was left out, and that a page is smaller than it asked for."""
    bundle = program.resource("/Observation?code=af_days&colour=red&_count=5000")
    (link,) = [link["url"] for link in bundle["link"] if link["relation"] == "self"]
    assert link == f"{URL}/fhir/R4/Observation?code=af_days&_count=200"
    (entry,) = bundle["entry"]
    assert entry["search"]["mode"] == "outcome" and "red" not in str(entry)


@pytest.mark.parametrize(
    ("path", "headers", "status", "code"),
    [
        ("/Observation?colour=red", {"Prefer": "return=minimal, handling=strict"}, 400, "not-supported"),
        ("/Observation?date=yesterday", {}, 400, "value"),
        ("/Observation?_page=yesterday", {}, 400, "value"),
        ("/Patient?_page=../x", {}, 400, "value"),
        ("/Patient/P-00000000", {}, 404, "not-found"),
        ("/Patient/..%2Fmetadata", {}, 404, "not-found"),
        ("/Observation/00000000000000000000000000000000", {}, 404, "not-found"),
        ("/Device", {}, 404, "not-found"),
        ("/Patient?_format=xml", {}, 406, "not-supported"),
        ("/Patient", {"Accept": "application/fhir+xml"}, 406, "not-supported"),
    ],
)
def test_an_error_is_an_outcome_that_repeats_nothing(
    program: Program, path: str, headers: dict[str, str], status: int, code: str
) -> None:
    response = program.get(f"/fhir/R4{path}", headers)
    assert response.status_code == status
    assert response.headers["content-type"].split(";")[0] == "application/fhir+json"
    require_r4(response.json())
    assert response.json()["issue"][0]["code"] == code
    for sent in ("red", "yesterday", "xml", "P-0", ".."):
        assert sent not in response.text


@pytest.mark.parametrize("path", ["/Patient", "/Observation", "/Patient/P-1", "/metadata", "/Observation/1"])
def test_nothing_can_be_written(program: Program, path: str) -> None:
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        response = program.get(f"/fhir/R4{path}", method=method)
        assert response.status_code in {403, 405}
        require_r4(response.json())


@pytest.mark.parametrize(
    "path", ["/Patient", "/Patient/P-1", "/Patient/P-1/$everything", "/Observation", "/Observation/1"]
)
def test_whoever_has_no_token_of_this_scope_gets_nothing(clinic: ClinicRig, path: str) -> None:
    good = token(clinic)
    for bearer in (None, "vkc_wrong", good[:-1], token(clinic, "metrics", "collector")):
        response = Program(clinic, bearer).get(f"/fhir/R4{path}")
        assert response.status_code == 401
        assert response.headers["www-authenticate"].startswith("Bearer ")
        require_r4(response.json())


@pytest.mark.parametrize("name", ["access_token", "token", "bearer", "Authorization"])
def test_a_token_in_an_address_opens_nothing(clinic: ClinicRig, name: str) -> None:
    response = Program(clinic, None).get(f"/fhir/R4/Patient?{name}={token(clinic)}")
    assert response.status_code == 401


def test_a_token_that_was_removed_opens_nothing(clinic: ClinicRig, program: Program) -> None:
    assert program.get("/fhir/R4/Patient").status_code == 200
    with clinic.database.writing() as tx:
        assert Tokens(tx).remove("records")
    assert program.get("/fhir/R4/Patient").status_code == 401


@pytest.mark.parametrize("path", ["/metadata", "/StructureDefinition/privacy-note", "/CodeSystem/figures"])
def test_what_the_codes_mean_is_told_to_everybody(clinic: ClinicRig, path: str) -> None:
    assert Program(clinic, None).get(f"/fhir/R4{path}").status_code == 200


def test_the_address_of_each_canonical_leads_to_it(clinic: ClinicRig, program: Program) -> None:
    for path in ("/StructureDefinition/privacy-note", "/CodeSystem/figures"):
        assert program.resource(path)["url"] == f"{URL}/fhir/R4{path}"


@pytest.mark.parametrize(
    "path", ["/fhir/R4/Patient/{id}/$everything", "/export/patients/{id}.csv", "/export/cards.csv"]
)
def test_whoever_is_signed_in_reads_with_their_session(clinic: ClinicRig, path: str) -> None:
    """By a link on a page."""
    _, pseudonym = enrolled(clinic, *QUARTER)
    employ(clinic)
    visitor = Visitor(Program(clinic, None).app)
    path = path.format(id=pseudonym)
    assert visitor.get(path).status_code == 401
    visitor.sign_in()
    response = visitor.get(path)
    assert response.status_code == 200 and pseudonym in response.text


# -- the audit log


def test_a_read_is_in_the_audit_log_once_a_day_for_each_patient(clinic: ClinicRig, program: Program) -> None:
    _, first = enrolled(clinic, *QUARTER)
    _, second = enrolled(clinic, *QUARTER)
    for _ in range(3):
        program.resource(f"/Observation?patient={first}")
        program.resource(f"/Patient/{first}")
    program.resource(f"/Patient/{second}/$everything")
    assert _audited(clinic) == [
        ("token:records", "patient viewed", second),
        ("token:records", "patient viewed", first),
    ]
    clinic.clock.pass_days(1)
    program.resource(f"/Patient/{first}")
    assert len(_audited(clinic)) == 3


def test_a_search_over_all_patients_is_one_entry(clinic: ClinicRig, program: Program) -> None:
    for _ in range(3):
        enrolled(clinic, *QUARTER)
    program.resource("/Observation?_count=2")
    program.resource("/Patient")
    assert _audited(clinic) == [("token:records", "patient viewed", None)]


def test_what_was_asked_for_and_is_not_here_is_in_no_log(clinic: ClinicRig, program: Program) -> None:
    """Or whoever has a token writes into it whatever they like."""
    program.resource("/Observation?patient=P-NOBODY")
    program.resource("/Patient?_id=P-NOBODY")
    program.get("/fhir/R4/Patient/P-NOBODY")
    assert _audited(clinic) == []


def test_without_an_entry_in_the_audit_log_nothing_is_given_out(
    clinic: ClinicRig, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, pseudonym = enrolled(clinic, af_days(), worn_days())

    def full(*_: object) -> None:
        raise ClinicStoreError("clinic.db: database or disk is full")

    monkeypatch.setattr(Audit, "add", full)
    response = program.get(f"/fhir/R4/Observation?patient={pseudonym}")
    assert response.status_code == 503
    require_r4(response.json())
    assert "af_days" not in response.text
