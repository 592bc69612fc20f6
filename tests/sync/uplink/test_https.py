"""On the wire is what must be and no more; and nothing goes where it should not."""

from __future__ import annotations

import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from sync.uplink.https import HttpsTransport
from sync.uplink.transport import TransportError
from tests.rigs.certificate import self_signed

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nSet-Cookie: who=1\r\n\r\nbody"


class _Server(socketserver.ThreadingTCPServer):
    """Answers every request with the same bytes and keeps what it was asked."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, answer: bytes, tls: ssl.SSLContext | None = None) -> None:
        self.answer = answer
        self.tls = tls
        self.asked: list[bytes] = []
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class _Handler(socketserver.BaseRequestHandler):
    server: _Server

    def handle(self) -> None:
        connection: socket.socket = self.request
        if self.server.tls is not None:
            try:
                connection = self.server.tls.wrap_socket(connection, server_side=True)
            except (ssl.SSLError, OSError):
                return
        data = b""
        while b"\r\n\r\n" not in data and (more := connection.recv(65536)):
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        length = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line[:15] == b"content-length:"), 0)
        while len(body) < length and (more := connection.recv(65536)):
            body += more
        self.server.asked.append(head + b"\r\n\r\n" + body)
        with suppress(OSError):
            connection.sendall(self.server.answer)
            connection.shutdown(socket.SHUT_WR)
            connection.close()


@contextmanager
def _serving(answer: bytes, tls: ssl.SSLContext | None = None) -> Iterator[_Server]:
    with _Server(answer, tls) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def _url(server: _Server, path: str = "/v1/messages") -> str:
    return f"http://127.0.0.1:{server.port}{path}"


def test_a_request_says_no_more_than_it_must(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    transport = HttpsTransport()
    with _serving(OK) as server:
        for _ in range(2):
            assert transport.post(_url(server), b"x" * 1024, 128) == b"body"
        head, _, body = server.asked[0].partition(b"\r\n\r\n")
        assert body == b"x" * 1024
        lines = head.decode().split("\r\n")
        assert lines[0] == "POST /v1/messages HTTP/1.1"
        assert sorted(line.lower() for line in lines[1:]) == [
            "accept: application/octet-stream",
            "connection: close",
            "content-length: 1024",
            "content-type: application/octet-stream",
            f"host: 127.0.0.1:{server.port}",
        ]
        # the second request like the first: no cookie came back
        assert server.asked[1] == server.asked[0]


def test_what_is_asked_for_keys_says_no_more_than_it_must() -> None:
    with _serving(OK) as server:
        assert HttpsTransport().get(_url(server, "/v1/clinic"), 128) == b"body"
        names = {line.split(b":")[0].lower() for line in server.asked[0].strip().split(b"\r\n")[1:]}
        assert names == {b"host", b"accept", b"connection"}


@pytest.mark.parametrize("status", [b"301 Moved", b"302 Found", b"307 Temporary Redirect", b"308 Permanent Redirect"])
def test_a_redirect_is_not_followed(status: bytes) -> None:
    with _serving(OK) as elsewhere:
        moved = b"HTTP/1.1 %s\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n" % (status, _url(elsewhere).encode())
        with _serving(moved) as server, pytest.raises(TransportError, match="HTTP 30"):
            HttpsTransport().post(_url(server), b"x", 128)
        assert elsewhere.asked == []


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n", "HTTP 429"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 129\r\n\r\n" + bytes(129), "more than 128 bytes"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 128\r\n\r\n" + bytes(9), "ProtocolError"),
        (b"garbage\r\n\r\n", "ProtocolError"),
        (b"", "ProtocolError"),
    ],
)
def test_an_answer_that_is_none_is_told(answer: bytes, told: str) -> None:
    with _serving(answer) as server, pytest.raises(TransportError, match=told):
        HttpsTransport().post(_url(server), b"x" * 1024, 128)


@pytest.mark.parametrize(
    "url",
    [
        "http://clinic.example/v1/messages",
        "http://127.0.0.1.clinic.example/",
        "http://10.0.0.1/",
        "ftp://127.0.0.1/",
        "http://127.0.0.1@clinic.example/",
        "http://localhost.clinic.example/",
    ],
)
def test_nothing_goes_anywhere_without_tls_but_to_this_machine(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(*_: object, **__: object) -> object:
        raise AssertionError("a name was looked up")

    monkeypatch.setattr(socket, "getaddrinfo", asked)
    with pytest.raises(TransportError, match="not https"):
        HttpsTransport().post(url, b"x", 128)


def test_nobody_there_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(TransportError, match="ConnectError"):
        HttpsTransport().post(f"http://127.0.0.1:{port}/", b"x", 128)


def test_silence_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(TransportError, match="Timeout"):
        HttpsTransport(timeout_s=0.2).post(f"http://127.0.0.1:{silent.getsockname()[1]}/", b"x", 128)


def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    chain = tmp_path / "chain.pem"
    chain.write_bytes(self_signed())
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(chain)
    with _serving(OK, tls) as server:
        with pytest.raises(TransportError, match="ConnectError"):
            HttpsTransport().post(f"https://localhost:{server.port}/", b"x" * 1024, 128)
        assert server.asked == []
