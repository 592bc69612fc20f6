"""Caddy and nginx, configured as the documentation prints it: staff sign in behind them, and nobody forges a name."""

from __future__ import annotations

import re
import ssl
import subprocess
from pathlib import Path

import httpx
import pytest

from sync.clinic.clinic import open_clinic
from sync.clinic.clock import SystemClinicClock
from sync.clinic.tables.tokens import Tokens
from tests.rigs.certificate import self_signed
from tests.rigs.clinic import ClinicRig
from tests.rigs.clinic_process import ClinicProcess
from tests.rigs.proxy_process import ProxyProcess, documented, is_installed
from tests.rigs.visitor import PASSWORD, employ

HEADER = "X-Forwarded-User"


@pytest.fixture(params=["caddy", "nginx"])
def kind(request: pytest.FixtureRequest) -> str:
    if not is_installed(request.param):
        pytest.skip(f"{request.param} is not installed")
    return str(request.param)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    pem = self_signed()
    for name in ("chain.pem", "key.pem"):
        (tmp_path / name).write_bytes(pem)
    with ClinicRig(tmp_path / "clinic") as clinic:
        employ(clinic)
    return tmp_path


def _client(proxy: ProxyProcess, folder: Path) -> httpx.Client:
    trusted = ssl.create_default_context(cafile=str(folder / "chain.pem"))
    return httpx.Client(base_url=proxy.url, headers={"Origin": proxy.url}, verify=trusted, timeout=60)


def _csrf(page: httpx.Response) -> str:
    found = re.search(r'name="csrf" value="([^"]*)"', page.text)
    assert found is not None, page.text
    return found[1]


def test_staff_sign_in_behind_it_and_devices_are_served(kind: str, folder: Path) -> None:
    with (
        ClinicProcess(folder / "clinic") as server,
        ProxyProcess(kind, documented(kind)[0], folder, server.port) as proxy,
        _client(proxy, folder) as client,
    ):
        page = client.get("/sign-in")
        assert page.headers["strict-transport-security"]
        fields = {"csrf": _csrf(page), "name": "reception", "password": PASSWORD}
        assert client.post("/sign-in", data={**fields, "password": "wrong"}).status_code == 403
        assert client.post("/sign-in", data=fields, headers={"Origin": "https://evil.example"}).status_code == 403
        assert client.post("/sign-in", data=fields).headers["location"] == "/"
        assert "__Host-vitalkeep" in client.cookies
        privacy = client.get("/privacy")
        assert privacy.status_code == 200
        forged = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http", "X-Forwarded-For": "192.0.2.1"}
        assert client.get("/privacy", headers=forged).status_code == 200
        assert client.post("/sign-out", data={"csrf": _csrf(privacy)}).status_code == 303
        assert client.get("/v1/clinic").status_code == 200
        assert client.post("/v1/messages", content=bytes(1024)).status_code == 400


def test_whom_it_has_signed_in_is_taken_for_them_and_nobody_else_is(kind: str, folder: Path) -> None:
    block = documented(kind)[1]
    if kind == "caddy":
        made = subprocess.run(["caddy", "hash-password", "--plaintext", PASSWORD], capture_output=True, check=True)
        block = block.replace("doctor HASH", f"reception {made.stdout.decode().strip()}")
    else:
        (folder / "staff.htpasswd").write_text(f"reception:{{PLAIN}}{PASSWORD}\n")
    with open_clinic(folder / "clinic", SystemClinicClock()) as clinic, clinic.database.writing() as tx:
        token = Tokens(tx).add("records", "read", clinic.clock.today())
    options = ("--proxy-header", HEADER, "--proxy-address", "127.0.0.1")
    with (
        ClinicProcess(folder / "clinic", *options) as server,
        ProxyProcess(kind, block, folder, server.port) as proxy,
        _client(proxy, folder) as client,
    ):
        forged = {HEADER: "reception"}
        assert client.get("/privacy", headers=forged).status_code == 401
        assert client.get("/v1/clinic").status_code == 200
        assert client.post("/v1/messages", content=bytes(1024), headers=forged).status_code == 400
        bearer = {HEADER: "reception", "Authorization": "Bearer made-up"}
        # Caddy leaves the name of what it does not know as it is, which is no name of staff
        assert client.get("/privacy", headers=bearer).status_code in (401, 403)
        assert client.get("/fhir/R4/Patient", headers=bearer).status_code in (401, 403)
        assert client.get("/fhir/R4/Patient", headers={"Authorization": f"Bearer {token}"}).status_code == 200
        client.auth = httpx.BasicAuth("reception", PASSWORD)
        page = client.get("/privacy", headers={HEADER: "doctor"})
        assert page.status_code == 200
        assert "reception" in page.text
        signed_out = client.post("/sign-out", data={"csrf": _csrf(page)})
        assert signed_out.headers["location"] == "/sign-in?signed-out"
        assert client.post("/sign-out", data={"csrf": "x"}).status_code == 403
