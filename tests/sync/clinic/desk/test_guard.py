"""The guard: nothing behind it is reached unasked, and nothing behind it is kept by a browser."""

from __future__ import annotations

from collections.abc import Mapping

import httpx
import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from sync.clinic.desk.desk import Desk
from sync.clinic.desk.form import MOST_BYTES
from sync.clinic.desk.guard import SignedIn, guarded_route
from sync.clinic.desk.sessions import IDLE_S, LONGEST_S, MOST
from sync.clinic.errors import ClinicStoreError
from sync.clinic.tables.staff import Staff
from tests.rigs.asgi_client import AsgiClient
from tests.rigs.clinic import ClinicRig
from tests.rigs.visitor import FORM, employ

OWN = {"Origin": "https://clinic.example", "Sec-Fetch-Site": "same-origin"}


class House:
    """One page behind the guard, and who rings."""

    def __init__(self, clinic: ClinicRig) -> None:
        self.clinic, self.clock = clinic, clinic.clock
        for name in ("reception", "doctor"):
            employ(clinic, name, None)
        self.desk = Desk(clinic.clinic)
        self.taken: list[dict[str, str]] = []
        routes = [
            guarded_route(self.desk, "/page", self.page, methods=("GET", "POST")),
            guarded_route(self.desk, "/fhir/page", self.page, bearer={"good": "monitor"}.get),
            guarded_route(self.desk, "/broken", self.broken),
            guarded_route(self.desk, "/gone", self.gone),
        ]
        self.client = AsgiClient(Starlette(routes=routes), "https://clinic.example")

    def page(self, request: Request, staff: SignedIn) -> Response:
        if request.method == "POST":
            self.taken.append(request.state.form)
        return PlainTextResponse(f"for {staff.name}")

    def broken(self, _: Request, __: SignedIn) -> Response:
        raise ClinicStoreError("72bpm")

    def gone(self, _: Request, __: SignedIn) -> Response:
        raise HTTPException(404)

    def sign_in(self, name: str = "reception") -> tuple[dict[str, str], str]:
        with self.clinic.database.reading() as tx:
            member = Staff(tx).get(name)
        assert member is not None
        token, session = self.desk.sessions.begin(name, member.credential)
        return {"Cookie": f"__Host-vitalkeep={token}"}, session.csrf

    def post(self, cookie: Mapping[str, str], body: bytes, **headers: str) -> httpx.Response:
        return self.client.post("/page", body, {**OWN, **FORM, **cookie, **headers})


@pytest.fixture
def house(clinic: ClinicRig) -> House:
    return House(clinic)


def test_nobody_is_let_in_unasked(house: House) -> None:
    response = house.client.get("/page?day=2026-05-01&x=%2F")
    assert response.status_code == 303
    assert response.headers["location"] == "/sign-in?next=/page%3Fday%3D2026-05-01%26x%3D%252F"
    assert house.client.get("/fhir/page").status_code == 401
    assert house.client.post("/page", b"", {**OWN, **FORM}).headers["location"] == "/sign-in"


def test_who_is_signed_in_sees_the_page_and_no_browser_keeps_it(house: House) -> None:
    cookie, _ = house.sign_in()
    response = house.client.request("GET", "/page", headers=cookie)
    assert (response.status_code, response.text) == (200, "for reception")
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("name", ["vitalkeep", "__Host-Vitalkeep", "__host-vitalkeep", "__Secure-vitalkeep"])
def test_over_tls_only_the_cookie_that_no_other_host_can_set_counts(house: House, name: str) -> None:
    cookie, _ = house.sign_in()
    other = {"Cookie": cookie["Cookie"].replace("__Host-vitalkeep", name)}
    assert house.client.request("GET", "/page", headers=other).status_code == 303


def test_without_tls_only_this_machine_signs_in(house: House) -> None:
    token = house.sign_in()[0]["Cookie"].partition("=")[2]
    app = house.client.app
    for url, status in (("http://127.0.0.1:8443", 200), ("http://localhost", 200), ("http://clinic.example", 303)):
        client = AsgiClient(app, url)
        assert client.request("GET", "/page", headers={"Cookie": f"vitalkeep={token}"}).status_code == status
        assert client.request("GET", "/page", headers={"Cookie": f"__Host-vitalkeep={token}"}).status_code == 303


def test_a_session_ends_when_it_is_idle_and_when_it_is_old(house: House) -> None:
    cookie, _ = house.sign_in()
    for _ in range(int(LONGEST_S / (IDLE_S - 1))):
        house.clock.now_s += IDLE_S - 1
        assert house.client.request("GET", "/page", headers=cookie).status_code == 200
    house.clock.now_s += IDLE_S - 1
    assert house.client.request("GET", "/page", headers=cookie).status_code == 303
    cookie, _ = house.sign_in()
    house.clock.now_s += IDLE_S
    assert house.client.request("GET", "/page", headers=cookie).status_code == 303


def test_a_form_of_our_own_page_is_taken_without_its_token(house: House) -> None:
    cookie, csrf = house.sign_in()
    assert house.post(cookie, f"csrf={csrf}&share=25&note=%C3%A4+b".encode()).status_code == 200
    assert house.taken == [{"share": "25", "note": "ä b"}]


@pytest.mark.parametrize(
    "origin",
    [
        {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"},
        {"Origin": "https://clinic.example", "Sec-Fetch-Site": "same-site"},
        {"Origin": "https://clinic.example", "Sec-Fetch-Site": "none"},
        {"Origin": "http://clinic.example"},
        {"Origin": "https://clinic.example:8443"},
        {"Origin": "https://clinic.example.evil.example"},
        {"Origin": "null"},
        {},
    ],
)
def test_a_form_of_another_page_is_refused_whatever_it_holds(house: House, origin: dict[str, str]) -> None:
    cookie, csrf = house.sign_in()
    response = house.client.post("/page", f"csrf={csrf}".encode(), {**FORM, **cookie, **origin})
    assert (response.status_code, house.taken) == (403, [])


@pytest.mark.parametrize(
    "origin", [{"Origin": "https://clinic.example"}, {"Origin": "null", "Sec-Fetch-Site": "same-origin"}]
)
def test_browsers_that_tell_one_of_the_two_are_believed(house: House, origin: dict[str, str]) -> None:
    cookie, csrf = house.sign_in()
    assert house.client.post("/page", f"csrf={csrf}".encode(), {**FORM, **cookie, **origin}).status_code == 200


def test_the_token_of_another_session_is_none(house: House) -> None:
    cookie, csrf = house.sign_in()
    _, foreign = house.sign_in("doctor")
    for body in (f"csrf={foreign}", "csrf=", "share=25", f"csrf={csrf}x", "csrf=%C3%A4", ""):
        assert house.post(cookie, body.encode()).status_code == 403, body
    assert house.taken == []


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"{}", {"Content-Type": "application/json"}, 415),
        (b"csrf=1", {"Content-Type": "multipart/form-data; boundary=x"}, 415),
        (b"csrf=1", {"Content-Type": "text/plain"}, 415),
        (b"csrf=1", {"Content-Type": "application/x-www-form-urlencoded; charset=utf-7"}, 415),
        (b"csrf=1", {"Content-Type": ""}, 415),
        (b"csrf=1&csrf=2", {}, 400),
        (b"a=%ff", {}, 400),
        (b"a=\xff", {}, 400),
        (b"a=%00", {}, 400),
        (b"a", {}, 400),
        (b"&".join(b"a%d=1" % each for each in range(1000)), {}, 400),
        (b"a=" + bytes(MOST_BYTES), {}, 413),
        (b"a=1", {"Content-Length": "9" * 5000}, 413),
        (b"a=1", {"Content-Length": "-1"}, 400),
    ],
)
def test_what_is_no_form_is_refused(house: House, body: bytes, headers: dict[str, str], status: int) -> None:
    cookie, _ = house.sign_in()
    assert house.post(cookie, body, **headers).status_code == status
    assert house.taken == []


@pytest.mark.parametrize("change", ["remove", "password", "again"])
def test_who_is_removed_or_given_another_password_is_out_at_the_next_request(house: House, change: str) -> None:
    cookie, csrf = house.sign_in()
    others, _ = house.sign_in("doctor")
    assert house.client.request("GET", "/page", headers=cookie).status_code == 200
    with house.clinic.database.writing() as tx:
        if change == "password":
            Staff(tx).set_password("reception", "another")
        else:
            Staff(tx).remove("reception")
        if change == "again":
            Staff(tx).add("reception", "another", house.clock.today())
    assert house.post(cookie, f"csrf={csrf}".encode()).status_code == 303
    assert house.client.request("GET", "/page", headers=cookie).status_code == 303
    assert house.client.request("GET", "/page", headers=others).status_code == 200
    assert (house.taken, len(house.desk.sessions)) == ([], 1)


def test_sessions_are_bounded_and_the_one_idle_the_longest_makes_room(house: House) -> None:
    first, _ = house.sign_in()
    second, _ = house.sign_in()
    house.clock.now_s += 1
    house.client.request("GET", "/page", headers=first)
    for _ in range(MOST - 1):
        house.desk.sessions.begin("doctor", "")
    assert len(house.desk.sessions) == MOST
    assert house.client.request("GET", "/page", headers=first).status_code == 200
    assert house.client.request("GET", "/page", headers=second).status_code == 303


def test_a_token_reads_where_tokens_may_and_nowhere_else(house: House) -> None:
    good = {"Authorization": "Bearer good"}
    assert house.client.request("GET", "/fhir/page", headers=good).text == "for token:monitor"
    assert house.client.request("GET", "/fhir/page", headers={"Authorization": "Bearer bad"}).status_code == 401
    assert house.client.request("GET", "/page", headers=good).status_code == 303


def test_what_goes_wrong_behind_the_door_is_told_in_our_words(house: House) -> None:
    cookie, _ = house.sign_in()
    broken = house.client.request("GET", "/broken", headers=cookie)
    assert broken.status_code == 503
    assert "72bpm" not in broken.text
    assert house.client.request("GET", "/gone", headers=cookie).status_code == 404


def test_secrets_are_in_no_repr(house: House) -> None:
    token, session = house.desk.sessions.begin("reception", "credential")
    staff = SignedIn("reception", session.csrf)
    for secret in (token, session.csrf, "credential"):
        assert secret not in repr(staff) + repr(session) + repr(vars(house.desk.sessions))
