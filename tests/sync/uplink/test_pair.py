"""Whoever asks a clinic for its keys gets them, or is told that there is none."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from sync.uplink.pair import ask
from sync.uplink.transport import TransportError
from tests.rigs.asgi_client import AsgiClient
from tests.rigs.clinic import URL, ClinicRig


class _Told:
    def __init__(self, answer: bytes) -> None:
        self.answer = answer

    def get(self, url: str, most_bytes: int) -> bytes:
        assert url.endswith("/v1/clinic")
        assert most_bytes <= 4096
        return self.answer

    def post(self, url: str, data: bytes, most_bytes: int) -> bytes:
        raise AssertionError("nothing is sent to pair")


def _answer(clinic: ClinicRig) -> dict[str, object]:
    from sync.clinic.app import make_app

    app = make_app(clinic.clinic, most_per_address=0)
    told: dict[str, object] = AsgiClient(app).get("/v1/clinic").json()
    return told


def test_a_clinic_tells_its_name_and_keys(clinic: ClinicRig) -> None:
    found = ask(URL + "/", _Told(json.dumps(_answer(clinic)).encode()))
    assert (found.name, found.url, found.keys) == ("Heart clinic", URL, clinic.keys)


@pytest.mark.parametrize(
    "change",
    [
        {"api": 2},
        {"api": None},
        {"id": "00" * 16},
        {"sealing": "00"},
        {"signing": "zz"},
        {"signing": 1},
        {"name": 7},
        {"name": "two\nlines"},
        {"name": "\u001b[2J"},
        {"name": "x" * 101},
    ],
)
def test_an_answer_that_is_no_clinic_is_refused(clinic: ClinicRig, change: Mapping[str, object]) -> None:
    with pytest.raises(TransportError):
        ask(URL, _Told(json.dumps({**_answer(clinic), **change}).encode()))


@pytest.mark.parametrize("answer", [b"", b"{}", b"[]", b"null", b"\xff", b"[" * 4000, b"<html>"])
def test_what_is_no_json_is_refused(answer: bytes) -> None:
    with pytest.raises(TransportError, match="no clinic"):
        ask(URL, _Told(answer))


def test_an_address_that_is_none_is_refused_before_it_is_asked() -> None:
    with pytest.raises(TransportError, match="address"):
        ask("clinic.example", _Told(b""))
