"""/metrics: to a collector on this machine or with a token, and nothing in it is about a person."""

from __future__ import annotations

import pytest

from sync.clinic.errors import ClinicStoreError
from tests.rigs.clinic import ClinicRig, af_days
from tests.rigs.visitor import Visitor, employ
from tests.sync.clinic.interfaces.programs import QUARTER, Program, enrolled, token

HERE = {"Host": "127.0.0.1:8443"}


def _lines(program: Program, headers: dict[str, str] | None = None) -> list[str]:
    response = program.get("/metrics", HERE if headers is None else headers)
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    return response.text.splitlines()


def test_a_collector_on_this_machine_reads_without_a_token(clinic: ClinicRig) -> None:
    assert any(line.startswith("vitalkeep_clinic_uptime_seconds ") for line in _lines(Program(clinic, None)))


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "clinic.example"},
        {**HERE, "X-Forwarded-For": "127.0.0.1"},
        {**HERE, "Forwarded": "for=127.0.0.1"},
        {**HERE, "X-Real-IP": "127.0.0.1"},
        {**HERE, "Authorization": "Bearer vkc_wrong"},
    ],
)
def test_what_may_have_come_from_elsewhere_needs_a_token(clinic: ClinicRig, headers: dict[str, str]) -> None:
    response = Program(clinic, None).get("/metrics", headers)
    assert response.status_code == 401
    assert response.headers["www-authenticate"].startswith("Bearer ")
    assert "vitalkeep_clinic_" not in response.text


def test_a_token_of_scope_metrics_reads_from_anywhere_and_no_other_does(clinic: ClinicRig) -> None:
    away = {"Host": "clinic.example", "X-Forwarded-For": "192.0.2.1"}
    assert _lines(Program(clinic, token(clinic, "metrics", "collector")), away)
    assert Program(clinic, token(clinic)).get("/metrics", away).status_code == 401
    assert Program(clinic, None).get(f"/metrics?token={token(clinic, 'metrics', 'x')}", away).status_code == 401


def test_connections_are_told_where_they_are_lent_out(clinic: ClinicRig) -> None:
    told = [line for line in _lines(Program(clinic, None)) if line.startswith("vitalkeep_clinic_pool_connections{")]
    if clinic.database.kind == "sqlite":
        assert told == []
    else:
        assert told == [
            'vitalkeep_clinic_pool_connections{state="idle"} 1',
            'vitalkeep_clinic_pool_connections{state="lent"} 0',
        ]


def test_sign_ins_are_told_by_how_they_ended(clinic: ClinicRig) -> None:
    employ(clinic)
    program = Program(clinic, None)
    visitor = Visitor(program.app)
    visitor.sign_in()
    for name in ("reception", "nobody"):
        visitor.sign_in(name=name, password="wrong password")
    told = _lines(program)
    assert 'vitalkeep_clinic_sign_ins_total{result="ok"} 1' in told
    assert 'vitalkeep_clinic_sign_ins_total{result="failed"} 2' in told


def test_nothing_in_it_is_about_a_person(clinic: ClinicRig) -> None:
    _, pseudonym = enrolled(clinic, *QUARTER, label="Patient 17")
    program = Program(clinic, token(clinic))
    program.resource(f"/Patient/{pseudonym}/$everything")
    observations = program.resource(f"/Observation?patient={pseudonym}")
    program.get(f"/export/patients/{pseudonym}.csv")
    program.get(f"/nowhere/{pseudonym}")
    text = "\n".join(_lines(Program(clinic, None)) + _lines(program_here(program)))
    for private in (pseudonym, "Patient 17", "records", observations["entry"][0]["resource"]["id"], "33.45"):
        assert private not in text
    assert "vitalkeep_clinic_enrolled_tens 0" in text


def program_here(program: Program) -> Program:
    """The same process, asked without its token."""
    program.headers = {}
    return program


def test_requests_are_told_by_the_template_of_their_route(clinic: ClinicRig) -> None:
    _, pseudonym = enrolled(clinic, *QUARTER)
    program = Program(clinic, token(clinic))
    for path in (
        f"/fhir/R4/Patient/{pseudonym}",
        f"/export/patients/{pseudonym}.csv",
        "/fhir/R4/nowhere",
        "/nowhere",
        "/v1/clinic",
    ):
        program.get(path)
    lines = [line for line in _lines(program_here(program)) if "request_seconds_count" in line]
    told = {line.partition("{")[2].rpartition("}")[0] for line in lines}
    assert told == {
        'route="/fhir/R4/Patient/{id}",status="2xx"',
        'route="/export/patients/{pseudonym}.csv",status="2xx"',
        'route="/fhir/R4",status="4xx"',
        'route="none",status="4xx"',
        'route="/v1/clinic",status="2xx"',
    }


def test_messages_are_told_by_what_became_of_them(clinic: ClinicRig, monkeypatch: pytest.MonkeyPatch) -> None:
    program = Program(clinic, None)
    device = clinic.device()
    enrol = device.enrol(clinic.token()).encode()

    def post(body: bytes) -> None:
        program.client.post("/v1/messages", content=body)

    post(enrol)
    post(enrol)
    post(device.release(af_days(value=1e6)).encode())
    post(b"no envelope")
    post(bytes(2000))

    def full(*_: object) -> None:
        raise ClinicStoreError("clinic.db: database or disk is full")

    monkeypatch.setattr(type(clinic.database), "writing", full)
    post(device.release(af_days()).encode())
    told = [line for line in _lines(program) if line.startswith("vitalkeep_clinic_messages_total{")]
    assert [line for line in told if not line.endswith(" 0")] == [
        'vitalkeep_clinic_messages_total{outcome="duplicate",reason=""} 1',
        'vitalkeep_clinic_messages_total{outcome="no_envelope",reason=""} 1',
        'vitalkeep_clinic_messages_total{outcome="not_now",reason=""} 1',
        'vitalkeep_clinic_messages_total{outcome="refused",reason="bounds"} 1',
        'vitalkeep_clinic_messages_total{outcome="stored",reason=""} 1',
        'vitalkeep_clinic_messages_total{outcome="too_large",reason=""} 1',
    ]
    assert "vitalkeep_clinic_database_errors_total 1" in _lines(program)


def test_while_the_database_is_away_the_rest_is_told(clinic: ClinicRig, monkeypatch: pytest.MonkeyPatch) -> None:
    program = Program(clinic, None)

    def away(*_: object) -> None:
        raise ClinicStoreError("not reachable")

    monkeypatch.setattr(type(clinic.database), "reading", away)
    lines = _lines(program)
    assert not any(line.startswith("vitalkeep_clinic_enrolled") for line in lines)
    assert "vitalkeep_clinic_database_errors_total 1" in lines
