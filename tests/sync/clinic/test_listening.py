"""Connections are counted where they come in, before a word is said on them: one address opens so many."""

from __future__ import annotations

import gc
import socket
import warnings
from collections.abc import Iterator

import pytest

from sync.clinic.desk.peer import LOOPBACK, network
from sync.clinic.listening import MOST_OF_ONE_ADDRESS, ListeningSocket


class _Door:
    def __init__(self, host: str = "127.0.0.1", *, most: int = 1000, proxies: tuple[str, ...] = ()) -> None:
        self.listening = ListeningSocket.at(host, 0, most=most, spoken_for=[network(each) for each in proxies])
        self.listening.setblocking(False)
        self.outside: list[socket.socket] = []
        self.inside: list[socket.socket] = []

    def ring(self, times: int, address: str = "127.0.0.1") -> int:
        """How many are let in of those that come from `address`."""
        before = len(self.inside)
        for _ in range(times):
            target = self.listening.getsockname()
            self.outside.append(socket.create_connection(target[:2], source_address=(address, 0), timeout=5))
            try:
                self.inside.append(self.listening.accept()[0])
            except BlockingIOError:
                continue
        return len(self.inside) - before

    def close(self) -> None:
        for each in (self.listening, *self.outside, *self.inside):
            each.close()


@pytest.fixture
def doors() -> Iterator[list[_Door]]:
    doors: list[_Door] = []
    yield doors
    for door in doors:
        door.close()


def test_one_address_opens_so_many_and_keeps_no_other_out(doors: list[_Door]) -> None:
    doors.append(door := _Door())
    assert door.ring(MOST_OF_ONE_ADDRESS + 20) == MOST_OF_ONE_ADDRESS
    assert door.ring(1, "127.0.0.2") == 1


def test_those_above_the_limit_are_closed_at_once(doors: list[_Door]) -> None:
    doors.append(door := _Door())
    door.ring(MOST_OF_ONE_ADDRESS + 1)
    assert door.outside[-1].recv(1) == b""
    door.outside[0].settimeout(0.05)
    with pytest.raises(TimeoutError):
        door.outside[0].recv(1)


def test_so_many_are_open_in_all(doors: list[_Door]) -> None:
    doors.append(door := _Door(most=10, proxies=("127.0.0.0/8",)))
    assert door.ring(15) == 10
    assert door.ring(1, "127.0.0.2") == 0


def test_a_proxy_that_was_named_may_speak_for_many(doors: list[_Door]) -> None:
    doors.append(door := _Door(proxies=("127.0.0.1",)))
    assert door.ring(MOST_OF_ONE_ADDRESS + 20) == MOST_OF_ONE_ADDRESS + 20
    assert door.ring(MOST_OF_ONE_ADDRESS + 20, "127.0.0.2") == MOST_OF_ONE_ADDRESS


def test_one_that_ends_makes_room(doors: list[_Door]) -> None:
    doors.append(door := _Door(most=2))
    assert door.ring(3) == 2
    door.inside[0].close()
    door.inside[0].close()
    assert door.ring(2) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        door.inside.pop()  # forgotten, not closed
        gc.collect()
    assert door.ring(2) == 1


def test_one_network_of_ipv6_is_one_address(doors: list[_Door]) -> None:
    door = _Door("::1") if socket.has_ipv6 else pytest.skip("no IPv6 here")
    doors.append(door)
    assert door.ring(MOST_OF_ONE_ADDRESS + 1, "::1") == MOST_OF_ONE_ADDRESS
    open_, most = door.listening._open, MOST_OF_ONE_ADDRESS
    assert open_ == {"::/64": most}
    assert door.listening._is_full("::2", "::/64") and not door.listening._is_full("2001:db8::1", "2001:db8::/64")


def test_this_machine_may_speak_for_all() -> None:
    with ListeningSocket.at("127.0.0.1", 0, most=1000, spoken_for=LOOPBACK) as listening:
        listening._open.update({"127.0.0.1": 500, "::/64": 400})
        assert not listening._is_full("127.0.0.1", "127.0.0.1") and not listening._is_full("::1", "::/64")
        assert not listening._is_full("192.0.2.1", "192.0.2.1")
        assert listening._is_full("::2", "::/64")
