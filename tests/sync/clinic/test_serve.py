"""The server itself: TLS that never begins, answers that nobody reads, signals, files that are not there."""

from __future__ import annotations

import asyncio
import errno
import os
import resource
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from starlette.types import Receive, Scope, Send

from sync.clinic import connection, serve, server
from sync.clinic.errors import ClinicError
from sync.clinic.listening import ListeningSocket
from sync.clinic.server import ClinicLoop, ClinicServer
from tests.architecture.house import ROOT
from tests.rigs.certificate import self_signed
from tests.rigs.clinic import ClinicRig
from tests.rigs.clinic_process import ClinicProcess


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    file = tmp_path / "certificate.pem"
    file.write_bytes(self_signed())
    return file


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with ClinicRig(tmp_path / "clinic"):
        return tmp_path / "clinic"


async def _long(scope: Scope, receive: Receive, send: Send) -> None:
    """More than lies in any buffer on the way, in pieces."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range(1000):
        await send({"type": "http.response.body", "body": bytes(65536), "more_body": True})
    await send({"type": "http.response.body"})


class _Running:
    def __init__(self, port: int, server: ClinicServer, thread: threading.Thread) -> None:
        self.port = port
        self.server = server
        self.thread = thread

    def stop(self) -> float:
        """How long it took, in seconds."""
        began = time.monotonic()
        self.server.should_exit = True
        self.thread.join(timeout=20)
        assert not self.thread.is_alive()
        return time.monotonic() - began


@contextmanager
def _running(certificate: Path | None = None) -> Iterator[_Running]:
    config = serve._configured(_long, certificate, certificate)
    with ListeningSocket.at("127.0.0.1", 0, most=100, spoken_for=()) as listening:
        server_ = ClinicServer(config)
        thread = threading.Thread(target=server_.run, kwargs={"sockets": [listening]}, daemon=True)
        running = _Running(listening.getsockname()[1], server_, thread)
        thread.start()
        yield running
        running.stop()


def _ends_within(outside: socket.socket, seconds: float) -> bool:
    outside.settimeout(seconds)
    with suppress(ConnectionResetError, ssl.SSLError):
        try:
            while outside.recv(65536):
                pass
        except TimeoutError:
            return False
    return True


def test_who_never_begins_tls_is_let_go_of(monkeypatch: pytest.MonkeyPatch, certificate: Path) -> None:
    assert server.HANDSHAKE_WITHIN_S <= 10
    monkeypatch.setattr(server, "HANDSHAKE_WITHIN_S", 0.3)
    with _running(certificate) as running, socket.create_connection(("127.0.0.1", running.port)) as outside:
        assert _ends_within(outside, 5)


def test_with_tls_one_address_opens_so_many_before_any_handshake(certificate: Path) -> None:
    with _running(certificate) as running:
        outside = [socket.create_connection(("127.0.0.1", running.port)) for _ in range(65)]
        assert _ends_within(outside[64], 3)
        assert not _ends_within(outside[0], 0.2)
        for each in outside:
            each.close()


@pytest.mark.parametrize("with_tls", [False, True])
def test_who_does_not_read_makes_room(monkeypatch: pytest.MonkeyPatch, certificate: Path, with_tls: bool) -> None:
    monkeypatch.setattr(connection, "READ_WITHIN_S", 0.5)
    with _running(certificate if with_tls else None) as running, _asking(running.port, with_tls):
        open_ = running.server.server_state.connections
        _require(lambda: len(open_) == 1)
        _require(lambda: not open_)


@pytest.mark.parametrize("with_tls", [False, True])
def test_a_stop_waits_so_long_for_who_does_not_read(
    monkeypatch: pytest.MonkeyPatch, certificate: Path, with_tls: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(connection, "STOP_WITHIN_S", 0.5)
    with _running(certificate if with_tls else None) as running, _asking(running.port, with_tls):
        _require(lambda: len(running.server.server_state.connections) == 1)
        assert 0.4 < running.stop() < 5
    assert capfd.readouterr() == ("", "")


@contextmanager
def _asking(port: int, with_tls: bool) -> Iterator[None]:
    """And reading nothing of the answer."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", port)) as plain:
        outside = context.wrap_socket(plain) if with_tls else plain
        with outside:
            outside.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            yield


def _require(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 5
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_0_and_the_database_closed(folder: Path, tmp_path: Path, number: signal.Signals) -> None:
    with ClinicProcess(folder, errors=tmp_path / "errors") as process:
        with socket.create_connection(("127.0.0.1", process.port)) as outside:
            outside.sendall(b"GET /v1/clinic HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            assert _ends_within(outside, 10)
        assert process._end(number) == 0
    assert (tmp_path / "errors").read_text() == ""
    assert not [each.name for each in folder.iterdir() if each.name.endswith(("-wal", "-shm"))]


def test_a_signal_right_after_the_first_line_ends_it_in_the_same_way(folder: Path) -> None:
    process = ClinicProcess(folder)
    process.start()
    assert process.stop() == 0


def _served(folder: Path, *options: str | bytes) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sync.clinic", "serve", "--data", str(folder), "--port", "0", *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)


def test_a_certificate_or_key_that_is_not_there_is_named(folder: Path, certificate: Path, tmp_path: Path) -> None:
    absent = str(tmp_path / "absent.pem")
    for files in ((absent, str(certificate)), (str(certificate), absent)):
        done = _served(folder, "--certificate", files[0], "--private-key", files[1])
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == f"{absent}: No such file or directory\n"


def test_what_is_no_certificate_is_named(folder: Path, certificate: Path, tmp_path: Path) -> None:
    (tmp_path / "text.pem").write_text("text")
    done = _served(folder, "--certificate", str(tmp_path / "text.pem"), "--private-key", str(certificate))
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.count("\n") == 1 and f"{tmp_path / 'text.pem'} and {certificate}: " in done.stderr


def test_a_host_that_can_be_none_is_told_in_a_line(folder: Path) -> None:
    done = _served(folder, "--host", "\u00e9..b")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[1:] == ["'\\xe9..b': can be no address to listen at"]


def test_a_host_that_no_bytes_can_be_made_of_is_told_too() -> None:
    with pytest.raises(ClinicError, match="can be no address to listen at"):
        serve._run(_long, "\udcff", 0, None, None, print, [])


def test_out_of_files_is_told_once(capfd: pytest.CaptureFixture[str]) -> None:
    loop = ClinicLoop()
    try:
        for _ in range(3):
            loop.call_exception_handler(
                {"message": "accept", "exception": OSError(errno.EMFILE, "Too many open files")}
            )
    finally:
        loop.close()
    assert capfd.readouterr().err == "connections wait: Too many open files (told once)\n"


def test_out_of_files_it_goes_on_when_there_are_some_again(capfd: pytest.CaptureFixture[str]) -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    with _running() as running:
        _require(lambda: running.server.started)
        lowest = os.dup(0)
        os.close(lowest)
        outside = socket.socket()
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest + 1, before[1]))
        try:
            outside.connect(("127.0.0.1", running.port))
            time.sleep(0.3)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)
        with outside:
            outside.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            outside.settimeout(5)
            assert outside.recv(8) == b"HTTP/1.1"
    assert capfd.readouterr().err == "connections wait: Too many open files (told once)\n"


def test_there_is_room_for_as_many_as_are_let_in() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        most = serve._make_room()
        assert most < resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        assert 0 < most <= serve.MOST_OPEN
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_other_mistakes_of_the_loop_are_told_as_ever(caplog: pytest.LogCaptureFixture) -> None:
    loop = ClinicLoop()
    try:
        loop.call_exception_handler({"message": "another", "exception": OSError(errno.EIO, "Input/output error")})
    finally:
        loop.close()
    assert isinstance(loop, asyncio.SelectorEventLoop) and "another" in caplog.text
