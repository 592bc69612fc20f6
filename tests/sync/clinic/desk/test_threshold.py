"""What every answer carries, and what becomes of mistakes and of requests that nothing should be made of."""

from __future__ import annotations

from typing import NoReturn

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sync.clinic.app import make_app
from sync.clinic.desk.peer import Forwarded, is_malformed, peer_of
from sync.clinic.desk.threshold import CSP, BrokenAnswerError, Threshold
from tests.rigs.asgi_client import AsgiClient
from tests.rigs.clinic import ClinicRig
from tests.rigs.visitor import employ


@pytest.fixture
def app(clinic: ClinicRig) -> ASGIApp:
    employ(clinic)
    return make_app(clinic.clinic, most_per_address=0)


ASKED = [
    ("GET", "/sign-in", 200),
    ("POST", "/sign-in", 403),
    ("POST", "/sign-out", 403),
    ("GET", "/sign-out", 405),
    ("GET", "/no-such-page", 404),
    ("GET", "/v1/clinic", 200),
    ("GET", "/v1/no-such-page", 404),
    ("POST", "/v1/messages", 400),
    ("DELETE", "/v1/messages", 405),
    ("GET", "/a%00b", 400),
]


@pytest.mark.parametrize(("method", "path", "status"), ASKED)
def test_every_answer_says_what_a_browser_may_do_with_it(app: ASGIApp, method: str, path: str, status: int) -> None:
    response = AsgiClient(app, "https://clinic.example").request(method, path)
    assert response.status_code == status
    assert response.headers.get_list("content-security-policy") == [CSP]
    assert "script-src" not in CSP and "unsafe" not in CSP and "default-src 'none'" in CSP
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] == "no-referrer"
    assert response.headers["cross-origin-opener-policy"] == "same-origin"
    assert response.headers["cross-origin-resource-policy"] == "same-origin"
    assert "camera=()" in response.headers["permissions-policy"]
    assert response.headers["strict-transport-security"] == "max-age=31536000"
    assert "access-control-allow-origin" not in response.headers


def test_without_tls_no_browser_is_told_to_insist_on_it(app: ASGIApp) -> None:
    assert "strict-transport-security" not in AsgiClient(app, "http://127.0.0.1").get("/v1/clinic").headers


@pytest.mark.parametrize("path", ["/no-such-page/72bpm", "/static/72bpm", "/v1/72bpm", "/a%0072bpm", "/fhir/R4/72bpm"])
def test_errors_say_nothing_again_of_what_was_asked(app: ASGIApp, path: str) -> None:
    response = AsgiClient(app, "https://clinic.example").request(
        "GET", f"{path}?q=72bpm", headers={"User-Agent": "72bpm", "Cookie": "a=72bpm", "Accept": "72bpm"}
    )
    assert 400 <= response.status_code < 500
    assert "72bpm" not in response.text + str(response.headers)


@pytest.mark.parametrize("path", ["/no-such-page", "/v1/messages"])
def test_a_mistake_of_ours_is_told_by_its_kind_and_place_alone(
    clinic: ClinicRig, path: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> NoReturn:
        raise RuntimeError("72bpm")

    monkeypatch.setattr("sync.clinic.app.refused", broken)
    monkeypatch.setattr(clinic.database, "writing", broken)
    app = make_app(clinic.clinic, most_per_address=0)
    response = AsgiClient(app, "https://clinic.example").post(path, clinic.device().enrol(bytes(10)).encode())
    assert response.status_code == 500
    assert "72bpm" not in response.text
    assert response.headers["content-security-policy"] == CSP
    told = capsys.readouterr()
    assert "internal error: RuntimeError in test_threshold.py, line " in told.err
    assert "72bpm" not in told.err + told.out
    assert "Traceback" not in told.err


def test_an_answer_that_breaks_off_ends_the_connection_and_says_no_more(capsys: pytest.CaptureFixture[str]) -> None:
    async def half(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        raise RuntimeError("72bpm")

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    coroutine = Threshold(half)(_scope(), receive, send)
    with pytest.raises(BrokenAnswerError) as broken:
        coroutine.send(None)
    assert broken.value.__suppress_context__
    assert len(sent) == 2
    assert "72bpm" not in capsys.readouterr().err


def _scope(path: str = "/", query: bytes = b"", headers: list[tuple[bytes, bytes]] | None = None) -> Scope:
    return {
        "type": "http",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "query_string": query,
        "headers": [(b"host", b"clinic.example")] if headers is None else headers,
        "client": ("127.0.0.1", 50000),
    }


@pytest.mark.parametrize(
    "host", [b"clinic.example", b"clinic.example:8443", b"127.0.0.1", b"[::1]:8443", b"a_b-c.example", b"x"]
)
def test_what_can_be_a_host_is_one(host: bytes) -> None:
    assert not is_malformed(_scope(headers=[(b"host", host)]))


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(b"host", b"a"), (b"host", b"a")],
        [(b"host", b"")],
        [(b"host", b"a/b")],
        [(b"host", b"a@b")],
        [(b"host", b"[")],
        [(b"host", b"[::::]")],
        [(b"host", b"a:x")],
        [(b"host", b"a:999999")],
        [(b"host", b"a b")],
        [(b"host", "ü".encode())],
        [(b"host", b"x" * 300)],
        [(b"host", b"a"), (b"content-length", b"1"), (b"transfer-encoding", b"chunked")],
    ],
)
def test_nothing_is_made_of_a_host_that_can_be_none_or_of_two_lengths(headers: list[tuple[bytes, bytes]]) -> None:
    assert is_malformed(_scope(headers=headers))


@pytest.mark.parametrize(("path", "query"), [("/a\0b", b""), ("/a\nb", b""), ("/", b"q=%00"), ("/", b"q=%0d%0a")])
def test_nothing_is_made_of_control_characters(path: str, query: bytes) -> None:
    assert is_malformed(_scope(path, query))


@pytest.mark.parametrize(
    ("client", "headers", "expected"),
    [
        ("127.0.0.1", {"x-forwarded-for": "192.0.2.1"}, "192.0.2.1"),
        ("::1", {"x-forwarded-for": "2001:db8::1"}, "2001:db8::1"),
        # what a client puts there itself stands before what the proxy adds
        ("127.0.0.1", {"x-forwarded-for": "203.0.113.9, 192.0.2.1"}, "192.0.2.1"),
        ("127.0.0.1", {"x-forwarded-for": "192.0.2.1, 127.0.0.2"}, "192.0.2.1"),
        ("127.0.0.1", {"x-forwarded-for": "192.0.2.1, :::"}, "127.0.0.1"),
        ("127.0.0.1", {"x-forwarded-for": ""}, "127.0.0.1"),
        # however an address is written
        ("127.0.0.1", {"x-forwarded-for": "::ffff:203.0.113.7"}, "203.0.113.7"),
        ("::ffff:127.0.0.1", {"x-forwarded-for": "203.0.113.7"}, "203.0.113.7"),
        ("::ffff:203.0.113.7", {}, "203.0.113.7"),
        ("127.0.0.1", {"x-forwarded-for": "203.0.113.7:4711"}, "203.0.113.7"),
        ("127.0.0.1", {"x-forwarded-for": '"203.0.113.7:4711"'}, "203.0.113.7"),
        ("127.0.0.1", {"x-forwarded-for": "[2001:db8::1]:4711"}, "2001:db8::1"),
        ("127.0.0.1", {"x-forwarded-for": '"[2001:db8::1]:4711"'}, "2001:db8::1"),
        ("127.0.0.1", {"x-forwarded-for": "[2001:db8::1]"}, "2001:db8::1"),
        ("127.0.0.1", {"x-forwarded-for": "[::ffff:203.0.113.7]:1"}, "203.0.113.7"),
        ("127.0.0.1", {"x-forwarded-for": "203.0.113.7:x"}, "127.0.0.1"),
        ("192.0.2.7", {"x-forwarded-for": "192.0.2.1", "x-forwarded-proto": "https"}, "192.0.2.7"),
    ],
)
def test_who_is_behind_is_told_by_proxies_alone(client: str, headers: dict[str, str], expected: str) -> None:
    seen: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)

    scope = _scope(headers=[(b"host", b"a"), *((name.encode(), value.encode()) for name, value in headers.items())])
    scope["client"] = (client, 50000)
    coroutine = Forwarded(app)(scope, None, None)  # type: ignore[arg-type]
    with pytest.raises(StopIteration):
        coroutine.send(None)
    assert seen[0]["client"][0] == expected
    assert str(peer_of(seen[0])) == client.removeprefix("::ffff:")
    if client == "192.0.2.7":
        assert seen[0]["scheme"] == "http"
