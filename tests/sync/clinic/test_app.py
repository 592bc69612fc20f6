"""The wire from the clinic's side: sizes, limits, and answers that say nothing again of what was sent."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import NoReturn

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from sync.clinic.app import make_app
from sync.clinic.errors import ClinicStoreError
from sync.clinic.openapi import ERRORS, document
from sync.receipt import RECEIPT_BYTES, Receipt, Status, check
from sync.release import ENVELOPE_BYTES
from tests.rigs.asgi_client import AsgiClient
from tests.rigs.clinic import ClinicRig, af_days


def _client(clinic: ClinicRig, most: int = 0) -> AsgiClient:
    app = make_app(clinic.clinic, most_per_address=most)
    return AsgiClient(app)


@pytest.fixture
def client(clinic: ClinicRig) -> AsgiClient:
    return _client(clinic)


def _require_described(response: httpx.Response, path: str, method: str) -> None:
    """The answer is one that the OpenAPI document promises."""
    api = document("Heart clinic")
    described = api["paths"][path][method]["responses"][str(response.status_code)]["content"]
    media_type = response.headers["content-type"].split(";")[0]
    schema = described[media_type]["schema"]
    if media_type == "application/json":
        Draft202012Validator({**schema, "components": api["components"]}).validate(response.json())
    else:
        assert len(response.content) == schema["minLength"] == schema["maxLength"]


def test_a_message_is_answered_with_a_receipt(clinic: ClinicRig, client: AsgiClient) -> None:
    release = clinic.device().enrol(clinic.token())
    response = client.post("/v1/messages", content=release.encode())
    _require_described(response, "/v1/messages", "post")
    receipt = Receipt.decode(response.content)
    check(receipt, release, clinic.keys.signing)
    assert receipt.status is Status.STORED


def test_from_outside_a_refusal_looks_like_any_receipt(clinic: ClinicRig, client: AsgiClient) -> None:
    """A watcher who sees sizes cannot tell what became of a message."""
    device = clinic.device()
    stored = client.post("/v1/messages", content=device.enrol(clinic.token()).encode())
    refused = client.post("/v1/messages", content=device.release(af_days(value=1e6)).encode())
    deleted = client.post("/v1/messages", content=device.delete().encode())
    for response in (stored, refused, deleted):
        assert response.status_code == 200
        assert len(response.content) == RECEIPT_BYTES
        assert response.headers == stored.headers


def test_the_clinic_tells_its_keys(clinic: ClinicRig, client: AsgiClient) -> None:
    response = client.get("/v1/clinic")
    _require_described(response, "/v1/clinic", "get")
    told = response.json()
    assert told["id"] == clinic.keys.id.hex()
    assert bytes.fromhex(told["sealing"]) == clinic.keys.sealing
    assert "private" not in response.text


def test_the_document_is_served_and_is_openapi(client: AsgiClient) -> None:
    api = client.get("/openapi.json").json()
    assert api == document("Heart clinic")
    assert api["openapi"].startswith("3.1")
    for path, operations in api["paths"].items():
        for method, operation in operations.items():
            assert operation["summary"], (path, method)
            for status in operation["responses"]:
                assert status == "200" or int(status) in ERRORS or not path.startswith("/v1/")


@pytest.mark.parametrize("size", [0, 1, ENVELOPE_BYTES - 1])
def test_a_short_body_is_no_message(client: AsgiClient, size: int) -> None:
    response = client.post("/v1/messages", content=bytes(size))
    assert response.status_code == 400
    _require_described(response, "/v1/messages", "post")


@pytest.mark.parametrize("size", [ENVELOPE_BYTES + 1, 10 * ENVELOPE_BYTES, 1 << 20])
def test_a_long_body_is_refused(client: AsgiClient, size: int) -> None:
    response = client.post("/v1/messages", content=bytes(size))
    assert response.status_code == 413
    _require_described(response, "/v1/messages", "post")


def test_a_body_without_an_end_is_cut_off(client: AsgiClient) -> None:
    read: list[int] = []

    def endless() -> Iterator[bytes]:
        while len(read) < 1000:
            read.append(1)
            yield bytes(ENVELOPE_BYTES)

    assert client.post("/v1/messages", content=endless()).status_code == 413


@given(st.binary(max_size=ENVELOPE_BYTES + 8), st.booleans())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_body_gets_an_answer_that_is_described(client: AsgiClient, data: bytes, padded: bool) -> None:
    body = b"VKR1" + data[4:].ljust(ENVELOPE_BYTES - 4, b"\1") if padded else data
    response = client.post("/v1/messages", content=body)
    assert response.status_code in {200, 400, 413}
    _require_described(response, "/v1/messages", "post")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/v1/", 404), ("GET", "/v1/messages", 405), ("DELETE", "/v1/clinic", 405), ("POST", "/v1/72bpm", 404)],
)
def test_what_is_not_there_is_told_without_an_echo(client: AsgiClient, method: str, path: str, status: int) -> None:
    response = client.request(method, f"{path}?who=72bpm", headers={"X-Who": "72bpm"})
    assert response.status_code == status
    assert response.json() == {"error": ERRORS[status][0], "message": ERRORS[status][1]}
    assert "72bpm" not in response.text + str(response.headers)


def test_no_answer_says_again_what_was_sent(clinic: ClinicRig, client: AsgiClient) -> None:
    for body in (b"VKR1" + b"seventy-two" * 93, b"seventy-two", b"seventy-two" * 200):
        response = client.post("/v1/messages", content=body, headers={"X-Value": "seventy-two"})
        assert b"seventy" not in response.content and "seventy" not in str(response.headers)


def test_an_address_that_asks_too_much_waits_ten_minutes(clinic: ClinicRig) -> None:
    client = _client(clinic, most=3)
    assert [client.get("/v1/clinic").status_code for _ in range(4)] == [200, 200, 200, 429]
    release = clinic.device().enrol(clinic.token())
    response = client.post("/v1/messages", content=release.encode())
    assert response.status_code == 429
    _require_described(response, "/v1/messages", "post")
    clinic.clock.now_s += 600.0
    assert client.post("/v1/messages", content=release.encode()).status_code == 200


def test_a_full_disk_is_no_refusal(
    clinic: ClinicRig, client: AsgiClient, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Without a receipt the message stays in the outbox, and comes again."""

    def full() -> NoReturn:
        raise ClinicStoreError("clinic.db: database or disk is full")

    monkeypatch.setattr(clinic.database, "writing", full)
    response = client.post("/v1/messages", content=clinic.device().enrol(bytes(10)).encode())
    assert response.status_code == 503
    _require_described(response, "/v1/messages", "post")
    assert "full" in capfd.readouterr().err


def test_a_mistake_of_ours_tells_nothing(
    clinic: ClinicRig, client: AsgiClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> NoReturn:
        raise RuntimeError("value 72.0")

    monkeypatch.setattr(clinic.database, "writing", broken)
    with caplog.at_level(logging.DEBUG):
        response = client.post("/v1/messages", content=clinic.device().enrol(bytes(10)).encode())
    assert response.status_code == 500
    assert "72" not in response.text


def test_the_document_holds_no_example_of_a_person(client: AsgiClient) -> None:
    assert "example" not in json.dumps(document("Heart clinic"))
