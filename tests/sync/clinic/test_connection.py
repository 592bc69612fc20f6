"""Connections: one address opens so many, and who sends no request is let go of."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from sync.clinic.connection import HEADERS_WITHIN_S, MOST_OF_ONE_ADDRESS, ClinicConnection, behind
from sync.clinic.desk.peer import network


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

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self.socket if name == "socket" else default

    def abort(self) -> None:
        self.is_aborted = True

    def is_closing(self) -> bool:
        return self.is_aborted

    def close(self) -> None:
        self.is_aborted = True


class _Clock:
    """In place of a loop: what is to be called later, and when."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.later: list[float] = []

    def call_later(self, delay: float, *arguments: Any) -> asyncio.TimerHandle:
        self.later.append(delay)
        return self.loop.call_later(delay, *arguments)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.loop, name)


class _Server:
    def __init__(self) -> None:
        self.clock = _Clock()
        self.state = ServerState()
        self.kind = ClinicConnection
        self.config = uvicorn.Config(lambda *_: None, lifespan="off", log_level="error", http=ClinicConnection)
        self.config.load()

    def connect(self, address: str) -> tuple[ClinicConnection, _Transport]:
        connection = self.kind(self.config, self.state, {}, self.clock)  # type: ignore[arg-type]
        transport = _Transport(address)
        connection.connection_made(transport)
        return connection, transport

    def opened(self, *addresses: str) -> int:
        return sum(not self.connect(address)[1].is_aborted for address in addresses)


@pytest.fixture
def server() -> Iterator[_Server]:
    server = _Server()
    yield server
    server.clock.loop.close()


def test_one_address_opens_so_many_and_keeps_no_other_out(server: _Server) -> None:
    assert server.opened(*["192.0.2.1"] * 200) == MOST_OF_ONE_ADDRESS
    assert server.opened("192.0.2.2") == 1


def test_one_network_of_ipv6_is_one_address(server: _Server) -> None:
    assert server.opened(*(f"2001:db8::{number:x}" for number in range(1, 200))) == MOST_OF_ONE_ADDRESS
    assert server.opened("2001:db8:0:1::1") == 1


def test_this_machine_may_speak_for_all(server: _Server) -> None:
    assert server.opened(*["127.0.0.1"] * 200, *["::1"] * 200) == 400


def test_a_proxy_that_was_named_may_speak_for_all_too(server: _Server) -> None:
    server.kind = behind([network("192.0.2.1")])
    assert server.opened(*["192.0.2.1"] * 200) == 200
    assert server.opened(*["192.0.2.2"] * 200) == MOST_OF_ONE_ADDRESS


def test_one_that_ends_makes_room(server: _Server) -> None:
    connection, _ = server.connect("192.0.2.1")
    assert server.opened(*["192.0.2.1"] * (MOST_OF_ONE_ADDRESS - 1)) == MOST_OF_ONE_ADDRESS - 1
    assert server.opened("192.0.2.1") == 0
    connection.connection_lost(None)
    for each in [each for each in server.state.connections if each.transport.is_closing()]:
        each.connection_lost(None)
    assert server.opened("192.0.2.1", "192.0.2.1") == 1


def test_bytes_that_make_no_request_win_no_time(server: _Server) -> None:
    connection, _ = server.connect("192.0.2.1")
    for piece in (b"GET / HT", b"TP/1.1\r\n", b"Host: a\r\n", b"X: "):
        connection.data_received(piece)
    assert server.clock.later == [HEADERS_WITHIN_S]


def test_who_has_sent_none_is_let_go_of(server: _Server) -> None:
    connection, transport = server.connect("192.0.2.1")
    connection.data_received(b"GET / HTTP/1.1\r\n")
    connection._give_up()
    assert transport.is_aborted
