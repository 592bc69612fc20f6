"""One connection to the clinic: whoever takes too long, or opens too many, makes room for the others.

uvicorn has no limit of its own on how slowly a request may come: a thousand connections that never finish one would be
all it has. Bodies have their limits where they are read (wire.py, desk/form.py).
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Sequence

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from sync.clinic.desk.peer import Network
from sync.clinic.rate_limit import network_of

HEADERS_WITHIN_S = 15.0
# Of one address that is not this machine: a proxy here speaks for all.
MOST_OF_ONE_ADDRESS = 64


class ClinicConnection(H11Protocol):
    # Who speaks for many: besides this machine, proxies that were named.
    proxies: Sequence[Network] = ()
    _counted: str | None = None
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        # asyncio does it only where a socket says its protocol, which those of socket.create_server do not: without it
        # each answer on a connection that stays waits for 40 ms.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.client is not None and not self._speaks_for_many(self.client[0]):
            self._counted = network_of(self.client[0])
            others = sum(getattr(each, "_counted", None) == self._counted for each in self.connections)
            if others > MOST_OF_ONE_ADDRESS:
                transport.abort()
                return
        self._await_request()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._is_at_work():
            self._stop_waiting()
        elif self._deadline is None and not self.transport.is_closing():
            self._await_request()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self._is_at_work() and not self.transport.is_closing():
            self._await_request()

    def _speaks_for_many(self, address: str) -> bool:
        number = ipaddress.ip_address(address.partition("%")[0])
        return number.is_loopback or any(number in network for network in self.proxies)

    def _is_at_work(self) -> bool:
        """A whole head of a request is here, and its answer is not done."""
        return self.cycle is not None and not self.cycle.response_complete

    def _await_request(self) -> None:
        self._stop_waiting()
        self._deadline = self.loop.call_later(HEADERS_WITHIN_S, self._give_up)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        self._deadline = None
        if self.transport.is_closing():
            return
        if self.conn.our_state is h11.IDLE:
            self.conn.send(h11.ConnectionClosed())
        self.transport.abort()


def behind(proxies: Sequence[Network]) -> type[ClinicConnection]:
    return type("ProxiedConnection", (ClinicConnection,), {"proxies": tuple(proxies)})
