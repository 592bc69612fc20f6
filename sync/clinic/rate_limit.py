"""How much one address may ask within ten minutes: counted in memory, under a keyed hash, and forgotten after them.

The key is made when the process starts and never leaves it: neither a core dump of later nor the disk tells who asked.
"""

from __future__ import annotations

import hashlib
import ipaddress
import secrets
from collections import Counter

from sync.clinic.clock import ClinicClock

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
WINDOW_S = 600.0


class RateLimit:
    """`most` requests of one address within WINDOW_S; 0: no limit."""

    def __init__(self, most: int, clock: ClinicClock) -> None:
        self._most = most
        self._clock = clock
        self._began_s = clock.monotonic_s()
        self._forget()

    def admits(self, address: str) -> bool:
        """Counts this request too."""
        if self._most == 0:
            return True
        now_s = self._clock.monotonic_s()
        if now_s - self._began_s >= WINDOW_S:
            self._began_s = now_s
            self._forget()
        hashed = hashlib.blake2b(network_of(address).encode(), key=self._key, digest_size=16).digest()
        self._asked[hashed] += 1
        return self._asked[hashed] <= self._most

    def _forget(self) -> None:
        self._key = secrets.token_bytes(32)
        self._asked: Counter[bytes] = Counter()


def network_of(address: str) -> str:
    """One customer has a whole network of 64 bits of IPv6, and one address of IPv4, however that is written."""
    try:
        found = plain(ipaddress.ip_address(address.partition("%")[0]))
    except ValueError:
        return address
    return str(found) if found.version == 4 else str(ipaddress.ip_network((found, 64), strict=False))


def plain(address: Address) -> Address:
    """One of IPv4 within IPv6 (::ffff:203.0.113.7) is that of IPv4."""
    return address if isinstance(address, ipaddress.IPv4Address) else address.ipv4_mapped or address
