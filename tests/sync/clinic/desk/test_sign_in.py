"""Signing in and out: what is typed is never shown again, and who tries gets to know nothing."""

from __future__ import annotations

import time
from statistics import median

import pytest
from starlette.types import ASGIApp

from sync.clinic.app import make_app
from sync.clinic.desk.desk import BusyError
from sync.clinic.desk.sign_in import local_path
from sync.clinic.desk.throttle import FREE_BY_ADDRESS, FREE_BY_NAME, LONGEST_S
from sync.clinic.errors import ClinicStoreError
from sync.clinic.tables import audit
from tests.rigs.clinic import ClinicRig
from tests.rigs.visitor import PASSWORD, Visitor, employ

HERE = "http://127.0.0.1:8443"


@pytest.fixture
def app(clinic: ClinicRig) -> ASGIApp:
    employ(clinic)
    return make_app(clinic.clinic, most_per_address=0)


@pytest.fixture
def visitor(app: ASGIApp) -> Visitor:
    return Visitor(app)


def _said(clinic: ClinicRig) -> list[tuple[object, ...]]:
    return clinic.rows("SELECT who, action, subject, detail FROM audit ORDER BY number")


def test_the_right_password_signs_in_and_leads_on(visitor: Visitor, clinic: ClinicRig) -> None:
    response = visitor.sign_in(to="/patients?x=1")
    assert (response.status_code, response.headers["location"]) == (303, "/patients?x=1")
    assert visitor.get("/sign-in?next=/cohort").headers["location"] == "/cohort"
    assert _said(clinic) == [("reception", "signed in", None, None)]


def test_a_name_is_one_without_regard_to_case_and_a_password_is_not(visitor: Visitor) -> None:
    assert visitor.sign_in(password=PASSWORD.upper()).status_code == 403
    assert visitor.sign_in(name=" Reception ").status_code == 303


def test_the_cookie_is_one_that_no_other_host_and_no_script_has(visitor: Visitor) -> None:
    cookie = visitor.sign_in().headers["set-cookie"]
    name, *attributes = cookie.split("; ")
    assert name.startswith("__Host-vitalkeep=")
    assert sorted(each.lower() for each in attributes) == ["httponly", "path=/", "samesite=strict", "secure"]
    assert len(name.partition("=")[2]) == 43  # 256 bits


def test_without_tls_the_cookie_is_given_on_this_machine_alone(app: ASGIApp) -> None:
    here = Visitor(app, HERE)
    cookie = here.sign_in().headers["set-cookie"]
    assert cookie.startswith("vitalkeep=")
    assert "secure" not in cookie.lower()
    elsewhere = Visitor(app, "http://clinic.example")
    response = elsewhere.sign_in()
    assert (response.status_code, response.headers.get("set-cookie")) == (403, None)
    assert "https" in response.text


def test_a_wrong_password_and_a_wrong_name_look_alike(visitor: Visitor, clinic: ClinicRig) -> None:
    wrong = visitor.sign_in(password="tram over umbrella 17")
    unknown = visitor.sign_in(name="umbrella over tram 17", password="x")
    assert wrong.status_code == unknown.status_code == 403
    assert wrong.text == unknown.text
    assert "umbrella" not in wrong.text
    # What was typed as a name is often a password.
    assert _said(clinic) == [("reception", "sign-in failed", None, None), ("unknown", "sign-in failed", None, None)]


def test_an_unknown_name_takes_as_long_as_a_known_one(clinic: ClinicRig, app: ASGIApp) -> None:
    def took_s(name: str) -> float:
        visitor = Visitor(app)
        visitor.get("/sign-in")
        began = time.perf_counter()
        assert visitor.post("/sign-in", {"name": name, "password": "wrong"}).status_code == 403
        clinic.clock.now_s += 3600
        return time.perf_counter() - began

    known, unknown = [], []
    for _ in range(7):
        known.append(took_s("reception"))
        unknown.append(took_s("nobody"))
    assert 0.5 < median(unknown) / median(known) < 2.0


@pytest.mark.parametrize("password", ["", "x" * 1025, "\ud800", "ü" * 513, "\0", "x" * 60000])
def test_whatever_is_typed_as_a_password_is_wrong_and_no_more(visitor: Visitor, password: str) -> None:
    visitor.get("/sign-in")
    body = {"name": "reception", "password": password.encode("utf-8", "surrogatepass").decode("latin-1")}
    assert visitor.post("/sign-in", body).status_code in (400, 403)


def test_the_same_letters_written_otherwise_are_the_same_password(clinic: ClinicRig) -> None:
    employ(clinic, "doctor", "Straße nach Zürich")  # ü as one sign
    app = make_app(clinic.clinic, most_per_address=0)
    assert Visitor(app).sign_in("doctor", "Straße nach Zu\u0308rich").status_code == 303


def test_who_signs_in_through_the_proxy_alone_has_no_password(clinic: ClinicRig, app: ASGIApp) -> None:
    employ(clinic, "proxied", None)
    for password in ("", "x", PASSWORD):
        assert Visitor(app).sign_in("proxied", password).status_code == 403


def test_nobody_is_signed_in_by_another_page(visitor: Visitor, app: ASGIApp) -> None:
    """Or they would enter what is theirs under somebody else's name."""
    fields = {"name": "reception", "password": PASSWORD}
    visitor.get("/sign-in")
    assert visitor.post("/sign-in", {**fields, "csrf": ""}).status_code == 403
    assert visitor.post("/sign-in", fields, {"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert visitor.post("/sign-in", fields, {"Origin": "https://evil.example"}).status_code == 403
    other = Visitor(app)
    other.get("/sign-in")
    assert visitor.post("/sign-in", {**fields, "csrf": other.csrf}).status_code == 403
    visitor.cookies.clear()
    assert visitor.post("/sign-in", fields).status_code == 403
    assert visitor.post("/sign-in", fields).status_code == 303  # with the token it got just now


def test_a_new_token_at_each_sign_in(visitor: Visitor, app: ASGIApp) -> None:
    visitor.cookies["__Host-vitalkeep"] = "chosen-by-somebody-else"
    visitor.sign_in()
    first = dict(visitor.cookies)
    assert first["__Host-vitalkeep"] != "chosen-by-somebody-else"
    visitor.cookies.pop("__Host-vitalkeep")
    visitor.get("/sign-in")
    visitor.cookies["__Host-vitalkeep"] = first["__Host-vitalkeep"]
    visitor.post("/sign-in", {"name": "reception", "password": PASSWORD})
    assert visitor.cookies["__Host-vitalkeep"] != first["__Host-vitalkeep"]
    old = Visitor(app)
    old.cookies = first
    assert old.get("/sign-in").status_code == 200  # the old one is over


def test_after_signing_out_the_cookie_opens_nothing(visitor: Visitor, app: ASGIApp, clinic: ClinicRig) -> None:
    visitor.sign_in()
    kept = dict(visitor.cookies)
    assert visitor.post("/sign-out", {}).status_code == 403  # the token of the page before
    csrf = _csrf(app)
    response = visitor.post("/sign-out", {"csrf": csrf})
    assert response.headers["location"] == "/sign-in?signed-out"
    assert "__Host-vitalkeep" not in visitor.cookies
    assert "signed out" in visitor.get("/sign-in?signed-out").text
    replayed = Visitor(app)
    replayed.cookies = kept
    assert replayed.post("/sign-out", {"csrf": csrf}).headers["location"] == "/sign-in"
    assert _said(clinic)[-1] == ("reception", "signed out", None, None)


def _csrf(app: ASGIApp) -> str:
    """Of the only session there is."""
    desk = app._app._app.state.desk  # type: ignore[attr-defined]
    (session,) = desk.sessions._by_hash.values()
    return str(session.csrf)


def test_wrong_passwords_wait_longer_and_longer_and_never_for_ever(visitor: Visitor, clinic: ClinicRig) -> None:
    for _ in range(FREE_BY_NAME):
        assert visitor.sign_in(password="wrong").status_code == 403
    waits: list[float] = []
    for _ in range(8):
        response = visitor.sign_in()  # the right one waits as well
        assert response.status_code == 429
        waits.append(float(response.headers["retry-after"]))
        clinic.clock.now_s += waits[-1]
        assert visitor.sign_in(password="wrong").status_code == 403
    assert waits == [1, 2, 4, 8, 16, 32, LONGEST_S, LONGEST_S]
    clinic.clock.now_s += LONGEST_S
    assert visitor.sign_in().status_code == 303


def test_who_tries_a_name_from_elsewhere_keeps_its_owner_out_of_nothing(app: ASGIApp, clinic: ClinicRig) -> None:
    owner = Visitor(app, headers={"X-Forwarded-For": "192.0.2.1"})
    assert owner.sign_in().status_code == 303
    stranger = Visitor(app, headers={"X-Forwarded-For": "198.51.100.7"})
    while stranger.sign_in(password="wrong").status_code == 403:
        pass
    stranger_elsewhere = Visitor(app, headers={"X-Forwarded-For": "203.0.113.5"})
    assert stranger_elsewhere.sign_in(password="wrong").status_code == 429
    owner.cookies.clear()
    assert owner.sign_in().status_code == 303


@pytest.mark.parametrize("problem", [BusyError(), ClinicStoreError("away")], ids=["busy", "database"])
def test_a_password_that_was_not_looked_at_was_not_a_wrong_one(
    app: ASGIApp, visitor: Visitor, monkeypatch: pytest.MonkeyPatch, problem: Exception
) -> None:
    async def unanswered(*_: object) -> None:
        raise problem

    desk = app._app._app.state.desk  # type: ignore[attr-defined]
    for _ in range(FREE_BY_NAME - 1):
        assert visitor.sign_in(password="wrong").status_code == 403
    with monkeypatch.context() as patched:
        patched.setattr(desk, "check", unanswered)
        for _ in range(FREE_BY_ADDRESS):
            assert visitor.sign_in().status_code == 503
    assert visitor.sign_in(password="wrong").status_code == 403
    assert visitor.sign_in().status_code == 429  # those that were looked at count


def test_of_names_that_nobody_has_so_many_tries_a_day_are_written_down(
    visitor: Visitor, clinic: ClinicRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "MOST_UNKNOWN", 3)
    for day in range(2):
        for number in range(5):
            assert visitor.sign_in(name=f"nobody{day}{number}").status_code == 403
        clinic.clock.pass_days(1)
        clinic.clock.now_s += 3600
    failed = ("unknown", "sign-in failed", None, None)
    last = ("unknown", "sign-in failed", None, audit.LAST_UNKNOWN)
    assert _said(clinic) == [failed, failed, last] * 2
    assert visitor.sign_in(password="wrong").status_code == 403  # on the staff, and written down whatever came before
    assert _said(clinic)[6:] == [("reception", "sign-in failed", None, None)]


def test_passwords_and_names_are_in_no_memory_of_the_throttle(app: ASGIApp, visitor: Visitor) -> None:
    visitor.sign_in(name="my-secret-name", password="wrong")
    throttle = app._app._app.state.desk.throttle  # type: ignore[attr-defined]
    assert "my-secret-name" not in repr(vars(throttle))
    assert "127.0.0.1" not in repr(vars(throttle))


@pytest.mark.parametrize(
    ("path", "leads_to"),
    [
        ("/patients/P-1?day=2026-05-01", "/patients/P-1?day=2026-05-01"),
        ("/", "/"),
        ("", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("\\\\evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("/x\\..\\evil", "/"),
        ("https://evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("/x\r\nSet-Cookie: a=b", "/"),
        ("/\u2028", "/"),
        ("/sign-out", "/"),
        ("/sign-in?next=/sign-in", "/"),
        ("/" + "x" * 2000, "/"),
    ],
)
def test_it_leads_on_within_this_server_alone(path: str, leads_to: str) -> None:
    assert local_path(path) == leads_to
