"""Staff of a clinic at their browser: keeps cookies, sends forms as a browser does, and says which page they are on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from urllib.parse import urlencode

import httpx
from starlette.types import ASGIApp

from sync.clinic.desk.passwords import Passwords
from sync.clinic.tables.staff import Staff
from tests.rigs.asgi_client import AsgiClient
from tests.rigs.clinic import ClinicRig

PASSWORD = "umbrella over tram 17"
URL = "https://clinic.example"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def employ(clinic: ClinicRig, name: str = "reception", password: str | None = PASSWORD) -> None:
    """`password`: None: signs in through the proxy."""
    hashed = "" if password is None else _hashed(password)
    with clinic.database.writing() as tx:
        Staff(tx).add(name, hashed, clinic.clock.today())


@cache
def _hashed(password: str) -> str:
    return Passwords().hash(password)


class Visitor:
    """`headers`: sent with each request, as a proxy would add them."""

    def __init__(self, app: ASGIApp, url: str = URL, headers: Mapping[str, str] | None = None) -> None:
        self.url = url
        self.cookies: dict[str, str] = {}
        self.csrf = ""
        self._client = AsgiClient(app, url)
        self._headers = dict(headers or {})

    def get(self, path: str) -> httpx.Response:
        return self._asked("GET", path, b"", {})

    def post(self, path: str, fields: Mapping[str, str], headers: Mapping[str, str] | None = None) -> httpx.Response:
        """With the token of the page that was last seen, unless `fields` has one."""
        body = urlencode({"csrf": self.csrf, **fields}).encode()
        own = {"Origin": "null", "Sec-Fetch-Site": "same-origin", **FORM}
        return self._asked("POST", path, body, {**own, **(headers or {})})

    def sign_in(self, name: str = "reception", password: str = PASSWORD, to: str = "/") -> httpx.Response:
        self.get("/sign-in")
        return self.post("/sign-in", {"name": name, "password": password, "next": to})

    def _asked(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> httpx.Response:
        sent = {**self._headers, **headers}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        response = self._client.request(method, path, body, sent)
        for cookie in response.headers.get_list("set-cookie"):
            name, _, value = cookie.partition(";")[0].partition("=")
            if "Max-Age=0" in cookie:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value
        if found := re.search(r'name="csrf" value="([^"]*)"', response.text):
            self.csrf = found[1]
        return response
