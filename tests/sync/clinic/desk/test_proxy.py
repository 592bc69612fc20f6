"""Sign-in by a proxy: its word counts from its own address alone, and for names on the staff alone."""

from __future__ import annotations

from collections.abc import Mapping

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from sync.clinic.app import make_app
from sync.clinic.desk.desk import Desk
from sync.clinic.desk.guard import SignedIn, guarded_route
from sync.clinic.desk.peer import Forwarded, network
from sync.clinic.desk.proxy import ProxySignIn
from sync.clinic.errors import ClinicError
from tests.rigs.asgi_client import AsgiClient
from tests.rigs.clinic import ClinicRig
from tests.rigs.visitor import FORM, PASSWORD, Visitor, employ

HEADER = "X-Forwarded-User"
PROXY = network("10.0.0.7")


class House:
    def __init__(self, clinic: ClinicRig) -> None:
        employ(clinic, "reception", None)
        self.desk = Desk(clinic.clinic, ProxySignIn.of(HEADER, [PROXY]))
        self.csrf = ""
        route = guarded_route(self.desk, "/page", self.page, methods=("GET", "POST"))
        self.app = Forwarded(Starlette(routes=[route]), [PROXY])

    def page(self, _: Request, staff: SignedIn) -> Response:
        self.csrf = staff.csrf
        return PlainTextResponse(staff.name)

    def ask(
        self, peer: str, headers: Mapping[str, str] | list[tuple[str, str]], method: str = "GET", body: bytes = b""
    ) -> httpx.Response:
        return AsgiClient(_from(self.app, peer), "http://clinic.example").request(method, "/page", body, headers)


def _from(app: ASGIApp, peer: str) -> ASGIApp:
    async def asked(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "client": (peer, 50000)}, receive, send)

    return asked


@pytest.fixture
def house(clinic: ClinicRig) -> House:
    return House(clinic)


def test_whom_the_proxy_names_is_signed_in(house: House) -> None:
    response = house.ask("10.0.0.7", {HEADER: " Reception "})
    assert (response.status_code, response.text) == (200, "reception")
    assert response.headers["cache-control"] == "no-store"


def test_who_is_not_on_the_staff_is_not_let_in(house: House) -> None:
    assert house.ask("10.0.0.7", {HEADER: "stranger"}).status_code == 403


@pytest.mark.parametrize("headers", [{}, {HEADER: ""}, {HEADER: " "}])
def test_without_a_name_nobody_is(house: House, headers: dict[str, str]) -> None:
    """A proxy that asks for no password on a path may send the header with nothing in it."""
    assert house.ask("10.0.0.7", headers).status_code == 401


def test_a_proxy_is_known_however_its_address_is_written(house: House) -> None:
    assert house.ask("::ffff:10.0.0.7", {HEADER: "reception"}).text == "reception"
    assert network("::ffff:10.0.0.0/120") == network("10.0.0.0/24")


@pytest.mark.parametrize("peer", ["10.0.0.8", "127.0.0.1", "::1", "192.0.2.1"])
def test_from_elsewhere_a_name_is_a_forgery_and_told_so(house: House, peer: str) -> None:
    assert house.ask(peer, {HEADER: "reception"}).status_code == 403


def test_the_address_of_the_connection_counts_and_none_that_a_header_tells(house: House) -> None:
    assert house.ask("192.0.2.1", {HEADER: "reception", "X-Forwarded-For": "10.0.0.7"}).status_code == 403
    assert house.ask("127.0.0.1", {HEADER: "reception", "X-Forwarded-For": "10.0.0.7"}).status_code == 403
    assert house.ask("10.0.0.7", {HEADER: "reception", "X-Forwarded-For": "192.0.2.1"}).status_code == 200


@pytest.mark.parametrize("name", ["device", "token:monitor", "a" * 65, "reception,doctor", "../x"])
def test_what_is_no_name_of_staff_is_refused(house: House, name: str) -> None:
    assert house.ask("10.0.0.7", {HEADER: name}).status_code == 403


def test_two_names_are_none(house: House) -> None:
    assert house.ask("10.0.0.7", [(HEADER, "reception"), (HEADER, "reception")]).status_code == 403


def test_forms_need_their_token_and_their_page_all_the_same(house: House) -> None:
    house.ask("10.0.0.7", {HEADER: "reception"})
    proxied = {HEADER: "reception", "X-Forwarded-Proto": "https", **FORM}
    good = f"csrf={house.csrf}".encode()
    own = {"Origin": "https://clinic.example"}
    assert house.ask("10.0.0.7", {**proxied, **own}, "POST", good).status_code == 200
    assert house.ask("10.0.0.7", {**proxied, **own}, "POST", b"csrf=x").status_code == 403
    assert house.ask("10.0.0.7", {**proxied, "Origin": "https://evil.example"}, "POST", good).status_code == 403
    assert house.ask("10.0.0.7", {**proxied, "Origin": "http://clinic.example"}, "POST", good).status_code == 403
    forwarded = {**proxied, "X-Forwarded-Host": "outside.example", "Origin": "https://outside.example"}
    assert house.ask("10.0.0.7", forwarded, "POST", good).status_code == 200


def test_where_the_proxy_signs_in_no_password_does(clinic: ClinicRig) -> None:
    employ(clinic)
    app = make_app(clinic.clinic, most_per_address=0, proxy=ProxySignIn.of(HEADER, [PROXY]), proxies=[PROXY])
    visitor = Visitor(app)
    page = visitor.get("/sign-in")
    assert 'type="password"' not in page.text
    assert "set-cookie" not in page.headers
    assert visitor.post("/sign-in", {"name": "reception", "password": PASSWORD}).status_code == 403
    assert "sign out" in visitor.get("/sign-in?signed-out").text


@pytest.mark.parametrize("header", ["", "X Forwarded", "X-User:", "Ü"])
def test_what_is_no_header_is_refused(header: str) -> None:
    with pytest.raises(ClinicError):
        ProxySignIn.of(header, [PROXY])


def test_a_header_without_an_address_is_refused() -> None:
    with pytest.raises(ClinicError, match="--proxy-address"):
        ProxySignIn.of(HEADER, [])


@pytest.mark.parametrize("address", ["", "proxy.example", "10.0.0.1/8", "10.0.0.256"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ClinicError):
        network(address)
