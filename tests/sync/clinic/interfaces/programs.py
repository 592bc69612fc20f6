"""Other programs that read a clinic, and patients whose cards they find there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx

from sync.clinic.app import make_app
from sync.clinic.tables.tokens import Tokens
from sync.receipt import Status
from sync.release import Answer
from tests.rigs.asgi_client import AsgiClient
from tests.rigs.clinic import ClinicRig, FakeDevice, af_days, resting_hr, rmssd, worn_days

QUARTER = (worn_days(27), worn_days(28, 26.0), worn_days(29, 27.0), af_days(27), resting_hr(9), rmssd(9))
ALL = {"af_days": 1, "worn_days": 1, "resting_hr_median": 1, "rmssd_median": 1}


def enrolled(clinic: ClinicRig, *answers: Answer, label: str | None = None) -> tuple[FakeDevice, str]:
    """And the pseudonym."""
    device = clinic.device()
    assert clinic.take(device.enrol(clinic.token(label), ALL)) is Status.STORED
    for answer in answers:
        assert clinic.take(device.release(answer)) is Status.STORED
    (pseudonym,) = [each.pseudonym for each in clinic.devices() if each.id == device.id]
    return device, pseudonym


def token(clinic: ClinicRig, scope: str = "read", name: str = "records") -> str:
    with clinic.database.writing() as tx:
        return Tokens(tx).add(name, scope, clinic.clock.today())


class Program:
    """Asks with a token; None: without."""

    def __init__(self, clinic: ClinicRig, bearer: str | None) -> None:
        self.app = make_app(clinic.clinic, most_per_address=0)
        self.client = AsgiClient(self.app)
        self.headers = {} if bearer is None else {"Authorization": f"Bearer {bearer}"}

    def get(self, path: str, headers: Mapping[str, str] | None = None, method: str = "GET") -> httpx.Response:
        return self.client.request(method, path, headers={**self.headers, **(headers or {})})

    def resource(self, path: str) -> dict[str, Any]:
        """What FHIR answers, done."""
        response = self.get(f"/fhir/R4{path}")
        assert response.status_code == 200, response.text
        resource: dict[str, Any] = response.json()
        return resource
