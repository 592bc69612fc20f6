"""Requests that no browser sends, to the real server: none gets a 500, a traceback, an echo, or what is not theirs."""

from __future__ import annotations

import math
import re
import socket
import ssl
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from urllib.parse import quote_from_bytes

import httpx
import pytest

from sync.clinic.connection import HEADERS_WITHIN_S
from sync.clinic.desk.throttle import FREE_BY_ADDRESS
from tests.rigs.certificate import self_signed
from tests.rigs.clinic import ClinicRig, read_rows
from tests.rigs.clinic_process import ClinicProcess
from tests.rigs.visitor import PASSWORD, employ

MARK = "72bpm"
HEAD = "Host: 127.0.0.1\r\nConnection: close\r\n"
FORM = f"{HEAD}Content-Type: application/x-www-form-urlencoded\r\nSec-Fetch-Site: same-origin\r\n"
CHUNKED = "Transfer-Encoding: chunked\r\n"
MIB = 1024 * 1024


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClinicProcess]:
    folder = tmp_path_factory.mktemp("hostile")
    with ClinicRig(folder / "clinic") as clinic:
        employ(clinic)
    with ClinicProcess(folder / "clinic", errors=folder / "errors") as process:
        yield process
    # Whatever came, nothing was worth a line.
    assert (folder / "errors").read_text() == ""


def _sent(server: ClinicProcess, request: str | bytes) -> bytes:
    """All that comes back until the connection ends; who waits for more than was sent is told that there is none."""
    data = request.encode("latin-1") if isinstance(request, str) else request
    with socket.create_connection(("127.0.0.1", server.port), timeout=2) as connection:
        with suppress(OSError):  # it has heard enough
            connection.sendall(data)
        answer = _read(connection)
        with suppress(OSError):
            connection.shutdown(socket.SHUT_WR)
        return answer + _read(connection)


def _read(connection: socket.socket) -> bytes:
    answer = b""
    with suppress(ConnectionResetError, TimeoutError):
        while piece := connection.recv(65536):
            answer += piece
    return answer


def _ended(connection: socket.socket) -> bool:
    """By the other side, without a word."""
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def _require_refused(answer: bytes, *statuses: int) -> None:
    """One answer, and nothing of the request in it."""
    assert len(re.findall(rb"HTTP/1\.1 \d", answer)) == 1, answer[:2000]
    status = int(answer[9:12])
    assert status in (statuses or range(300, 500)), answer[:2000]
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"Traceback" not in answer
    assert MARK.encode() not in body
    if (location := re.search(rb"(?im)^location: (.*)\r?$", head)) is not None:
        assert re.match(rb"/sign-in(\?next=/|$)", location[1].strip()), location[1]


@pytest.mark.parametrize(
    "target",
    [
        f"/%2e%2e/%2e%2e/etc/passwd?{MARK}",
        "/../../clinic.keys",
        "/static/../../clinic.keys",
        "/static/%2e%2e%2fclinic.keys",
        "/static/..%5c..%5cclinic.keys",
        "/static/..;/clinic.keys",
        "/static//etc/passwd",
        "/static/%2fetc%2fpasswd",
        f"//evil.example/{MARK}",
        f"//evil.example/%2e%2e/{MARK}/",
        f"/{MARK}/",
        f"/patients/{MARK}%2f..%2f..",
        "/patients/P-1%00",
        f"/patients/{MARK}%0d%0aSet-Cookie:%20a=b",
        "/%00",
        "/%",
        "/%zz",
        "/%ff%fe",
        "/%c0%ae%c0%ae/%c0%af",
        "/?%ff=%fe",
        "/?next=%0d%0aSet-Cookie:%20a=b",
        "/sign-in%00",
        "/sign-in/",
        "/sign-in/../v1/clinic",
        "/;/",
        "/" + "a" * 20_000,
        "/" + "%2e" * 6_000,
        "/" + "/" * 20_000,
        "/" + "a" * 200_000,
        "*",
        "evil.example:443",
        f"http://evil.example/{MARK}",
        "/a b",
        "/\x01",
        "/\xff\xfe",
        "",
        "no-slash",
    ],
)
def test_paths_lead_nowhere_else(server: ClinicProcess, target: str) -> None:
    _require_refused(_sent(server, f"GET {target} HTTP/1.1\r\n{HEAD}\r\n"))


@pytest.mark.parametrize(
    "request_",
    [
        "POST /v1/messages HTTP/1.1\r\n{HEAD}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{INNER}",
        "POST /sign-in HTTP/1.1\r\n{FORM}Content-Length: 60\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{INNER}",
        "POST /sign-in HTTP/1.1\r\n{FORM}Transfer-Encoding: xchunked\r\n\r\n{INNER}",
        "POST /sign-in HTTP/1.1\r\n{FORM}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n{INNER}",
        "POST /sign-in HTTP/1.1\r\n{FORM}{CHUNKED}{CHUNKED}\r\n0\r\n\r\n{INNER}",
        "POST /sign-in HTTP/1.1\r\n{FORM}Content-Length: 0\r\nContent-Length: 60\r\n\r\n{INNER}",
        "POST /sign-in HTTP/1.1\r\n{FORM}Content-Length: +0\r\n\r\n{INNER}",
        "POST /sign-in HTTP/1.1\r\n{FORM}Content-Length: 0x10\r\n\r\n{INNER}",
        "POST /sign-in HTTP/1.1\r\n{FORM}Content-Length: -1\r\n\r\n{INNER}",
        "POST /sign-in HTTP/1.1\r\n{FORM}Content-Length : 0\r\n\r\n{INNER}",
        "POST /sign-in HTTP/1.1\r\n{FORM}Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n{INNER}",
        "POST /sign-in HTTP/1.1\r\n{FORM}Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n{INNER}",
        "POST /sign-in HTTP/1.1\r\n{FORM}Transfer-Encoding: chunked\r\n\r\n-1\r\n{INNER}",
        "POST /sign-in HTTP/1.1\r\n{FORM}Folded: a\r\n b\r\nContent-Length: 0\r\n {CHUNKED}\r\n{INNER}",
        "GET /sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\n\r\n{INNER}",
        "GET /sign-in HTTP/1.1 HTTP/1.1\r\n{HEAD}\r\n{INNER}",
        "GET /sign-in HTTP/9.9\r\n{HEAD}\r\n{INNER}",
        "GET /sign-in\r\n\r\n{INNER}",
        "{MARK}\r\n\r\n{INNER}",
        "\0\0\0\0{INNER}",
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03{INNER}",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n{INNER}",
    ],
)
def test_a_request_within_a_request_is_not_answered(server: ClinicProcess, request_: str) -> None:
    inner = f"GET /v1/clinic?{MARK} HTTP/1.1\r\n{HEAD}\r\n"
    for name, text in (("HEAD", HEAD), ("FORM", FORM), ("CHUNKED", CHUNKED), ("INNER", inner), ("MARK", MARK)):
        request_ = request_.replace(f"{{{name}}}", text)
    answer = _sent(server, request_)
    assert b'"sealing"' not in answer
    if answer:  # there is none where the end of a body never came
        _require_refused(answer, 200, 303, 400, 403, 404, 405, 413, 501)


@pytest.mark.parametrize(
    ("method", "statuses"),
    [
        ("TRACE", (405,)),
        ("CONNECT", (405,)),
        ("OPTIONS", (405,)),
        ("PROPFIND", (405,)),
        ("PUT", (405,)),
        ("DELETE", (405,)),
        (MARK.upper(), (400, 405)),
        ("get", (400, 405)),
        ("G" * 10_000, (400, 405)),
        ("G\xc9T", (400,)),
    ],
)
def test_other_methods_are_refused(server: ClinicProcess, method: str, statuses: tuple[int, ...]) -> None:
    for path in ("/sign-in", "/sign-out", "/v1/messages"):
        override = "X-HTTP-Method-Override: GET\r\nX-Method: GET\r\n"
        _require_refused(_sent(server, f"{method} {path}?_method=GET HTTP/1.1\r\n{HEAD}{override}\r\n"), *statuses)


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        f"{MARK}.example",
        "127.0.0.1@evil.example",
        "evil.example#127.0.0.1",
        "[",
        "[::::]",
        "127.0.0.1:x",
        "",
        " ",
        "ÿþ",
        "a" * 10000,
        "127.0.0.1, evil.example",
        "127.0.0.1.evil.example",
        "0x7f.1",
    ],
)
def test_without_tls_nobody_signs_in_under_another_host(server: ClinicProcess, host: str) -> None:
    """A name that leads here by rebinding is one of them."""
    answer = _sent(server, f"GET /sign-in HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")
    _require_refused(answer, 400, 403)
    assert b"evil" not in answer and b"set-cookie" not in answer.lower()


def test_without_a_host_there_is_no_answer_of_ours(server: ClinicProcess) -> None:
    _require_refused(_sent(server, "GET /sign-in HTTP/1.1\r\nConnection: close\r\n\r\n"), 400)
    _require_refused(_sent(server, "GET /sign-in HTTP/1.0\r\n\r\n"), 400)


@pytest.mark.parametrize(
    "headers",
    [
        "".join(f"X-{number}: {MARK}\r\n" for number in range(5000)),
        f"X: {'a' * 100_000}\r\n",
        f"{'X' * 100_000}: a\r\n",
        "X\0: a\r\n",
        "X: a\0b\r\n",
        "X: a\rb\r\n",
        ": a\r\n",
        "X\r\n",
    ],
)
def test_floods_of_headers_are_refused(server: ClinicProcess, headers: str) -> None:
    _require_refused(_sent(server, f"GET /{MARK} HTTP/1.1\r\n{HEAD}{headers}\r\n"), 400)


@pytest.mark.parametrize(
    "header",
    [
        "Cookie: vitalkeep=\xff\xfe",
        "Cookie: \xff=\xff; vitalkeep=a=b",
        "Origin: \xff",
        "Authorization: Bearer \xff\xfe",
        "Accept: \xff",
        "Content-Type: \xff",
        "X-Forwarded-For: \xff",
        "X-Forwarded-Proto: \xff",
        "Referer: \xff\xfe",
        "X-Forwarded-Host: \xff",
        "X-Forwarded-For: :::, 1.2.3.4.5",
        "If-None-Match: \xff",
        "Sec-Fetch-Site: \xff",
        "X-Forwarded-Host: [",
        "X-Forwarded-Proto: javascript",
        "Range: bytes=0-99999999999999999999",
    ],
)
def test_what_is_no_text_is_no_trouble(server: ClinicProcess, header: str) -> None:
    for path in (
        "/",
        "/sign-in",
        "/sign-in?next=%ff",
        "/static/clinic.css",
        "/v1/clinic",
        "/fhir/R4/metadata",
        "/metrics",
    ):
        answer = _sent(server, f"GET {path} HTTP/1.1\r\n{HEAD}{header}\r\n\r\n")
        assert re.match(rb"HTTP/1\.1 [234]\d\d ", answer), (path, answer[:500])
    for body in (b"csrf=\xff&name=%ff", b"\xff\xfe", b"%", b"name=%u0041", b"=&=&="):
        head = f"POST /sign-in HTTP/1.1\r\n{FORM}{header}\r\nContent-Length: {len(body)}\r\n\r\n"
        _require_refused(_sent(server, head.encode("latin-1") + body))


@pytest.mark.parametrize(
    "cookie",
    [
        "vitalkeep=",
        f"vitalkeep={MARK}",
        "vitalkeep=" + "A" * 43,
        "vitalkeep=" + "A" * 20000,
        "vitalkeep",
        "; ".join(f"vitalkeep={number}" for number in range(1000)),
        "__Host-vitalkeep=" + "A" * 43,
        'vitalkeep="\\101"',
        "vitalkeep=$Path; $Version=1",
        "vitalkeep=%00",
        "vitalkeep=' OR 1=1 --",
    ],
)
def test_made_up_cookies_open_nothing(server: ClinicProcess, cookie: str) -> None:
    own = "Sec-Fetch-Site: same-origin\r\n"
    _require_refused(_sent(server, f"POST /sign-out HTTP/1.1\r\n{HEAD}{own}Cookie: {cookie}\r\n\r\n"), 303)
    answer = _sent(server, f"GET /sign-in HTTP/1.1\r\n{HEAD}Cookie: {cookie}\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200")
    assert MARK.encode() not in answer


@pytest.mark.parametrize("path", ["/sign-in", "/sign-out", "/v1/messages", "/static/clinic.css", "/no-such-page"])
@pytest.mark.parametrize("chunked", [False, True])
def test_10_mb_are_not_taken_in(server: ClinicProcess, path: str, chunked: bool) -> None:
    before_mib = server.most_memory_mib
    length = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {10 * MIB}"
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(f"POST {path} HTTP/1.1\r\n{FORM}{length}\r\n\r\n".encode())
        piece = (f"{MIB:x}\r\n".encode() if chunked else b"") + b"a" * MIB + (b"\r\n" if chunked else b"")
        with suppress(OSError):  # it has heard enough
            for _ in range(10):
                connection.sendall(piece)
        answer = _read(connection)
    if answer:  # a connection that is reset may take the answer with it
        _require_refused(answer, 303, 404, 405, 413)
    assert server.most_memory_mib - before_mib < 8


def test_slow_clients_keep_nobody_waiting(server: ClinicProcess) -> None:
    with ExitStack() as open_:

        def begin(request: str) -> socket.socket:
            connection = open_.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=40))
            connection.sendall(request.encode())
            return connection

        heads = [begin(f"GET /sign-in HTTP/1.1\r\n{HEAD}X: ") for _ in range(300)]
        silent = [begin("") for _ in range(100)]
        forms = [begin(f"POST /sign-in HTTP/1.1\r\n{FORM}Content-Length: 100\r\n\r\ncsrf=") for _ in range(100)]
        messages = [begin(f"POST /v1/messages HTTP/1.1\r\n{HEAD}Content-Length: 1024\r\n\r\nVKR1") for _ in range(50)]
        began = time.monotonic()
        while time.monotonic() - began < HEADERS_WITHIN_S + 3:
            asked = time.monotonic()
            assert httpx.get(f"{server.url}/sign-in", timeout=10).status_code == 200
            assert time.monotonic() - asked < 5
            for connection in heads + forms:
                with suppress(OSError):
                    connection.send(b"a")  # a little, so that it is not idle
            time.sleep(0.5)
        for connection in heads + silent:
            assert _ended(connection)
        for connection in forms:
            assert re.match(rb"HTTP/1\.1 408 |$", _read(connection))
        for connection in messages:
            connection.close()


def _client(server: ClinicProcess, address: str | None = None) -> httpx.Client:
    """`address`: from where, through a proxy that speaks TLS; None: on this machine."""
    if address is None:
        return httpx.Client(base_url=server.url, headers={"Origin": server.url}, timeout=60)
    origin = server.url.replace("http:", "https:")
    forwarded = {"X-Forwarded-For": address, "X-Forwarded-Proto": "https", "Origin": origin}
    return httpx.Client(base_url=server.url, headers=forwarded, timeout=60)


def _csrf(page: httpx.Response) -> str:
    found = re.search(r'name="csrf" value="([^"]*)"', page.text)
    assert found is not None, page.text
    return found[1]


def _door(client: httpx.Client) -> tuple[str, dict[str, str]]:
    """What the form to sign in holds, and the cookie it came with, which httpx keeps for TLS alone."""
    page = client.get("/sign-in")
    return _csrf(page), {"Cookie": page.headers["set-cookie"].partition(";")[0]}


def _signed_in(client: httpx.Client, password: str = PASSWORD, name: str = "reception") -> int:
    csrf, cookie = _door(client)
    fields = {"csrf": csrf, "name": name, "password": password}
    return client.post("/sign-in", data=fields, headers=cookie).status_code


def test_a_session_is_over_when_it_is_signed_out(server: ClinicProcess) -> None:
    with _client(server) as client, _client(server) as replayed:
        assert _signed_in(client) == 303
        replayed.cookies.set("vitalkeep", client.cookies["vitalkeep"])
        assert client.get("/sign-in").status_code == 303
        assert client.post("/sign-out", data={"csrf": "A" * 43}).status_code == 403
        csrf = _csrf(client.get("/privacy"))
        evil = {"Origin": "http://evil.example"}
        assert client.post("/sign-out", data={"csrf": csrf}, headers=evil).status_code == 403
        assert replayed.get("/privacy").status_code == 200
        assert client.post("/sign-out", data={"csrf": csrf}).status_code == 303
        assert replayed.get("/privacy").status_code == 303
        assert replayed.get("/sign-in").status_code == 200


def test_answers_on_a_connection_that_stays_wait_for_no_timer(server: ClinicProcess) -> None:
    with _client(server) as client:
        client.get("/v1/clinic")
        took_s = []
        for _ in range(20):
            began = time.monotonic()
            client.get("/v1/clinic")
            took_s.append(time.monotonic() - began)
    assert min(took_s) < 0.03


def test_a_thousand_wrong_passwords_are_mostly_not_looked_at(server: ClinicProcess) -> None:
    query = "SELECT count(*) FROM audit WHERE action = 'sign-in failed'"
    before = read_rows(server.folder, query)[0][0]
    statuses = []
    with _client(server, "192.0.2.44") as client:
        csrf, cookie = _door(client)
        began = time.monotonic()
        for number in range(1000):
            fields = {"csrf": csrf, "name": f"name{number % 7}", "password": f"wrong{number}"}
            statuses.append(client.post("/sign-in", data=fields, headers=cookie).status_code)
        took_s = time.monotonic() - began
    assert set(statuses) == {403, 429}
    # Each further one waits twice as long: in so many seconds there are no more.
    assert statuses.count(403) <= FREE_BY_ADDRESS + 1 + math.ceil(math.log2(took_s + 1))
    after = read_rows(server.folder, query)[0][0]
    assert isinstance(before, int) and isinstance(after, int)
    assert after - before == statuses.count(403)
    with _client(server) as client:
        assert _signed_in(client) == 303  # from elsewhere


def test_many_who_try_at_once_take_a_bounded_memory_and_hold_up_nobody(server: ClinicProcess) -> None:
    def attempt(number: int) -> int:
        with _client(server, f"198.51.100.{number}") as client:
            return _signed_in(client, "wrong", f"somebody{number}")

    before_mib = server.most_memory_mib
    with ThreadPoolExecutor(40) as pool:
        attempts = [pool.submit(attempt, number) for number in range(120)]
        waits = []
        for _ in range(10):
            asked = time.monotonic()
            assert httpx.get(f"{server.url}/v1/clinic", timeout=10).status_code == 200
            waits.append(time.monotonic() - asked)
        statuses = {each.result() for each in attempts}
    assert statuses <= {403, 503}
    assert max(waits) < 5
    # Two at once, of 64 MiB each.
    assert server.most_memory_mib - before_mib < 2 * 64 + 32


def test_over_tls_the_cookie_is_for_this_host_alone_and_plain_http_gets_none(tmp_path: Path) -> None:
    with ClinicRig(tmp_path / "clinic") as clinic:
        employ(clinic)
    (tmp_path / "pem").write_bytes(self_signed())
    tls = ("--certificate", str(tmp_path / "pem"), "--private-key", str(tmp_path / "pem"))
    with ClinicProcess(tmp_path / "clinic", *tls) as process:
        trusted = ssl.create_default_context(cafile=str(tmp_path / "pem"))
        with httpx.Client(base_url=process.url, headers={"Origin": process.url}, verify=trusted, timeout=60) as client:
            assert "max-age" in client.get("/sign-in").headers["strict-transport-security"]
            assert _signed_in(client) == 303
            assert set(client.cookies) == {"__Host-vitalkeep", "__Host-vitalkeep-door"}
            assert client.get("/privacy").status_code == 200
            plain = client.post("/sign-out", data={"csrf": "x"}, headers={"Origin": process.url.replace("s:", ":")})
            assert plain.status_code == 403
        # What is no TLS gets nothing of HTTP at all.
        assert b"HTTP" not in _sent(process, f"GET /sign-in HTTP/1.1\r\n{HEAD}\r\n")


def test_a_name_that_the_proxy_did_not_send_is_refused(server: ClinicProcess, tmp_path: Path) -> None:
    with ClinicRig(tmp_path / "clinic") as clinic:
        employ(clinic, "reception", None)
    header = "X-Forwarded-User: reception\r\n"
    elsewhere = ("--proxy-header", "X-Forwarded-User", "--proxy-address", "192.0.2.1")
    here = ("--proxy-header", "X-Forwarded-User", "--proxy-address", "127.0.0.1")
    own = "Sec-Fetch-Site: same-origin\r\nX-Forwarded-For: 192.0.2.1\r\n"
    with ClinicProcess(tmp_path / "clinic", *here) as process:
        assert _sent(process, f"GET /privacy HTTP/1.1\r\n{HEAD}{header}\r\n").startswith(b"HTTP/1.1 200")
        stranger = header.replace("reception", "stranger")
        _require_refused(_sent(process, f"GET /privacy HTTP/1.1\r\n{HEAD}{stranger}\r\n"), 403)
    with ClinicProcess(tmp_path / "clinic", *elsewhere) as process:
        _require_refused(_sent(process, f"POST /sign-out HTTP/1.1\r\n{HEAD}{own}{header}\r\n"), 403)
        _require_refused(_sent(process, f"POST /sign-out HTTP/1.1\r\n{HEAD}{own}\r\n"), 401)
    # Where the proxy is another, or none, the header says nothing.
    _require_refused(_sent(server, f"POST /sign-out HTTP/1.1\r\n{HEAD}{own}{header}\r\n"), 303)


NASTY = (
    *(
        "",
        " ",
        "\0",
        "%00",
        "../../clinic.keys",
        "P-" + "0" * 8,
        "p-7k3qf2m1",
        "P-7K3QF2M1/..",
        "' OR 1=1 --",
        "\ufffd",
    ),
    *(
        "-1",
        "0",
        "9" * 500,
        "1e9",
        "NaN",
        "inf",
        "٣",
        "2026-02-30",
        "0000-00-00",
        "10000-01-01",
        "\u202e",
        "{{1234*5678}}",
    ),
    *("<script>alert(1)</script>", '"><img src=x>', "x" * 1000, "a\r\nb", "\ud83d", "${jndi:ldap://x}", "__class__"),
)


@pytest.fixture(scope="module")
def inside(server: ClinicProcess) -> Iterator[httpx.Client]:
    with _client(server) as client:
        assert _signed_in(client) == 303
        yield client


@pytest.mark.parametrize("value", NASTY, ids=[str(number) for number in range(len(NASTY))])
def test_behind_the_door_nothing_that_is_asked_is_a_mistake_of_ours(inside: httpx.Client, value: str) -> None:
    text = value.encode("utf-8", "surrogatepass")
    quoted = quote_from_bytes(text, safe="")
    names = ("page", "before", "order", "sort", "search", "q", "done", "from", "to", "day", "_count", "patient", "code")
    query = "&".join(f"{name}={quoted}" for name in names)
    paths = ["/", "/patients", "/cohort", "/privacy", "/pair", "/audit", "/settings", f"/patients/{quoted}"]
    paths += ["/export/cards.csv", f"/export/cards/{quoted}.csv", "/fhir/R4/Patient", f"/fhir/R4/Patient/{quoted}"]
    paths += ["/fhir/R4/Observation", f"/fhir/R4/{quoted}", f"/static/{quoted}", f"/{quoted}"]
    for path in paths:
        answer = inside.get(f"{path}?{query}")
        assert answer.status_code < 500, (path, answer.status_code)
        assert b"<script>alert" not in answer.content, path
        assert b"7006652" not in answer.content, path


@pytest.mark.parametrize("value", NASTY, ids=[str(number) for number in range(len(NASTY))])
def test_behind_the_door_no_form_is_a_mistake_of_ours(inside: httpx.Client, value: str) -> None:
    csrf = _csrf(inside.get("/settings"))
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    quoted = quote_from_bytes(value.encode("utf-8", "surrogatepass"), safe="")
    pages = inside.get("/settings").text + inside.get("/pair").text
    names = set(re.findall(r'name="([a-z_]+)"', pages)) - {"csrf", "viewport", "robots", "referrer"} | {
        "label",
        "pseudonym",
    }
    body = f"csrf={csrf}&" + "&".join(f"{name}={quoted}" for name in sorted(names))
    for path in ("/settings", "/pair", "/pair/revoke", "/patients/P-7K3QF2M1"):
        for sent in (body, f"csrf={csrf}", f"csrf={csrf}&{quoted}={quoted}"):
            answer = inside.post(path, content=sent, headers=form)
            assert answer.status_code < 500, (path, answer.status_code)
            assert b"<script>alert" not in answer.content, path
