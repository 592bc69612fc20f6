"""Where connections come in: so many of one address and so many in all, counted before anything was said on them.

With TLS nothing above knows of a connection before its handshake is done, so who never begins one is counted here.
"""

from __future__ import annotations

import ipaddress
import socket
import weakref
from collections import Counter
from collections.abc import Sequence
from typing import Any, Self

from sync.clinic.desk.peer import Network
from sync.clinic.rate_limit import network_of

BACKLOG = 128
# Of one address that does not speak for many.
MOST_OF_ONE_ADDRESS = 64


class _Counted(socket.socket):
    """One that came in; `leave` is called once, when it is closed or forgotten."""

    leave: weakref.finalize[Any, Any] | None = None

    def close(self) -> None:
        super().close()
        if self.leave is not None:
            self.leave()


class ListeningSocket(socket.socket):
    """Closes at once what comes in above its limits."""

    most: int
    spoken_for: Sequence[Network]
    _open: Counter[str]

    @classmethod
    def at(cls, host: str, port: int, *, most: int, spoken_for: Sequence[Network]) -> Self:
        """`most` connections at once; `spoken_for`: addresses that speak for many others. Raises OSError, and
        UnicodeError for what can be no host."""
        host.encode("idna")  # what socket does with it, but it would leave a socket behind
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        plain = socket.create_server((host, port), family=family, backlog=BACKLOG)
        listening = cls(family, socket.SOCK_STREAM, fileno=plain.detach())
        listening.most = most
        listening.spoken_for = tuple(spoken_for)
        listening._open = Counter()
        return listening

    def accept(self) -> tuple[socket.socket, Any]:
        """The next within the limits. Raises BlockingIOError where there is none, or only too many for now."""
        for _ in range(BACKLOG):
            plain, address = super().accept()
            network = network_of(address[0])
            if self._is_full(address[0], network):
                plain.close()
                continue
            counted = _Counted(plain.family, plain.type, plain.proto, fileno=plain.detach())
            self._open[network] += 1
            counted.leave = weakref.finalize(counted, _leave, self._open, network)
            return counted, address
        raise BlockingIOError

    def _is_full(self, address: str, network: str) -> bool:
        if self._open.total() >= self.most:
            return True
        return self._open[network] >= MOST_OF_ONE_ADDRESS and not self._speaks_for_many(address)

    def _speaks_for_many(self, address: str) -> bool:
        number = ipaddress.ip_address(address.partition("%")[0])
        return any(number in network for network in self.spoken_for)


def _leave(open_: Counter[str], network: str) -> None:
    open_[network] -= 1
    if not open_[network]:
        del open_[network]
