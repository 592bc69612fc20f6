"""Connections: who sends no request, or does not read the answer, is let go of."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from sync.clinic.connection import (
    HEADERS_WITHIN_S,
    LEAST_READ_BYTES,
    READ_WITHIN_S,
    STOP_WITHIN_S,
    ClinicConnection,
)


class _Socket:
    def __init__(self, address: str) -> None:
        self._address = address
        self.options: list[tuple[int, ...]] = []

    def getpeername(self) -> tuple[str, int]:
        return self._address, 50000

    def getsockname(self) -> tuple[str, int]:
        return "192.0.2.254", 443

    def setsockopt(self, *option: int) -> None:
        self.options.append(option)


class _Transport(asyncio.Transport):
    def __init__(self, address: str) -> None:
        super().__init__()
        self.socket = _Socket(address)
        self.is_aborted = False
        self.is_closed = False
        self.unread = 0

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self.socket if name == "socket" else default

    def abort(self) -> None:
        self.is_aborted = True

    def is_closing(self) -> bool:
        return self.is_aborted or self.is_closed

    def close(self) -> None:
        self.is_closed = True

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def get_write_buffer_size(self) -> int:
        return self.unread

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.unread += len(data)


class _Clock:
    """In place of a loop: what is to be called later, and when; it is when a test says so."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.later: list[float] = []
        self.now_s = 0.0
        self._due: list[tuple[float, asyncio.TimerHandle]] = []

    def call_later(self, delay: float, *arguments: Any) -> asyncio.TimerHandle:
        self.later.append(delay)
        handle = self.loop.call_later(delay, *arguments)
        self._due.append((self.now_s + delay, handle))
        return handle

    def create_task(self, work: Coroutine[Any, Any, None]) -> asyncio.Future[None]:
        """Of an app that is at work for ever."""
        work.close()
        return self.loop.create_future()

    def wait(self, seconds: float) -> None:
        """All that falls due within them is done, each at its time."""
        end_s = self.now_s + seconds
        while due := [each for each in self._due if each[0] <= end_s]:
            self._due.remove(first := min(due, key=lambda each: each[0]))
            self.now_s = first[0]
            if not first[1].cancelled():
                first[1]._run()
        self.now_s = end_s

    def __getattr__(self, name: str) -> Any:
        return getattr(self.loop, name)


class _Server:
    def __init__(self) -> None:
        self.clock = _Clock()
        self.state = ServerState()
        self.config = uvicorn.Config(lambda *_: None, lifespan="off", log_level="error", http=ClinicConnection)
        self.config.load()

    def connect(self, address: str = "192.0.2.1") -> tuple[ClinicConnection, _Transport]:
        connection = ClinicConnection(self.config, self.state, {}, self.clock)  # type: ignore[arg-type]
        transport = _Transport(address)
        connection.connection_made(transport)
        return connection, transport


@pytest.fixture
def server() -> Iterator[_Server]:
    server = _Server()
    yield server
    server.clock.loop.close()


def test_bytes_that_make_no_request_win_no_time(server: _Server) -> None:
    connection, _ = server.connect("192.0.2.1")
    for piece in (b"GET / HT", b"TP/1.1\r\n", b"Host: a\r\n", b"X: "):
        connection.data_received(piece)
    assert server.clock.later == [HEADERS_WITHIN_S]


def test_who_has_sent_none_is_let_go_of(server: _Server) -> None:
    connection, transport = server.connect()
    connection.data_received(b"GET / HTTP/1.1\r\n")
    server.clock.wait(HEADERS_WITHIN_S - 1)
    assert not transport.is_aborted
    server.clock.wait(1)
    assert transport.is_aborted


def _at_work(server: _Server) -> tuple[ClinicConnection, _Transport]:
    connection, transport = server.connect()
    connection.data_received(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    server.clock.wait(1000)
    assert not transport.is_aborted
    return connection, transport


def test_who_does_not_read_an_answer_is_let_go_of(server: _Server) -> None:
    connection, transport = _at_work(server)
    transport.write(bytes(LEAST_READ_BYTES))
    connection.pause_writing()
    server.clock.wait(READ_WITHIN_S - 1)
    assert not transport.is_aborted
    server.clock.wait(1)
    assert transport.is_aborted


def test_who_reads_slowly_is_heard_out(server: _Server) -> None:
    connection, transport = _at_work(server)
    transport.write(bytes(10 * LEAST_READ_BYTES))
    connection.pause_writing()
    for _ in range(9):
        transport.unread -= LEAST_READ_BYTES
        server.clock.wait(READ_WITHIN_S)
    connection.resume_writing()
    server.clock.wait(1000)
    assert not transport.is_aborted


def _answer(server: _Server, connection: ClinicConnection, body: bytes) -> None:
    """The whole of it, in one piece."""
    run, headers = server.clock.loop.run_until_complete, [(b"content-length", str(len(body)).encode())]
    run(connection.cycle.send({"type": "http.response.start", "status": 200, "headers": headers}))
    run(connection.cycle.send({"type": "http.response.body", "body": body}))


def test_who_reads_the_rest_of_a_long_answer_slowly_is_heard_out(server: _Server) -> None:
    """It was all handed over, and the connection is to be closed when it was read."""
    connection, transport = _at_work(server)
    _answer(server, connection, bytes(10 * LEAST_READ_BYTES))
    connection.pause_writing()
    for _ in range(9):
        transport.unread -= LEAST_READ_BYTES
        server.clock.wait(READ_WITHIN_S)
    assert transport.is_closed and not transport.is_aborted
    server.clock.wait(READ_WITHIN_S)
    assert transport.is_aborted


def test_the_rest_of_a_short_answer_is_not_kept_for_ever(server: _Server) -> None:
    """So little that nobody was told to pause, on a connection that was closed meanwhile."""
    connection, transport = _at_work(server)
    _answer(server, connection, b"a")
    server.clock.wait(READ_WITHIN_S - 1)
    assert transport.is_closed and not transport.is_aborted
    server.clock.wait(1)
    assert transport.is_aborted


def test_an_answer_that_was_given_up_is_not_kept_for_ever(server: _Server) -> None:
    _, transport = _at_work(server)
    transport.write(b"half of it")
    transport.close()
    server.clock.wait(READ_WITHIN_S)
    assert transport.is_aborted


def test_a_server_that_stops_waits_for_nobody_for_ever(server: _Server) -> None:
    connection, transport = _at_work(server)
    connection.shutdown()
    server.clock.wait(STOP_WITHIN_S - 1)
    assert not transport.is_aborted
    server.clock.wait(1)
    assert transport.is_aborted


def test_nothing_is_left_to_do_for_one_that_ended(server: _Server) -> None:
    connection, transport = _at_work(server)
    connection.pause_writing()
    connection.connection_lost(ConnectionResetError())
    server.clock.wait(1000)
    assert not transport.is_aborted
