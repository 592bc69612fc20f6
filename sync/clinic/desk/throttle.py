"""How fast passwords may be tried: after a few wrong ones each further try waits longer, up to a minute, for no longer.

Counted in memory by name and by address, under a keyed hash whose key never leaves the process. A name that is being
tried from elsewhere does not hold up an address from which it was signed in before.
"""

from __future__ import annotations

import hashlib
import secrets
from collections import OrderedDict
from dataclasses import dataclass

from sync.clinic.clock import ClinicClock
from sync.clinic.rate_limit import network_of

FREE_BY_NAME = 5
FREE_BY_ADDRESS = 10
LONGEST_S = 60.0
FORGOTTEN_AFTER_S = 3600.0
MOST = 10_000


@dataclass(slots=True)
class _Tries:
    wrong: int
    last_s: float


class Throttle:
    """Used in one thread."""

    def __init__(self, clock: ClinicClock) -> None:
        self._clock = clock
        self._key = secrets.token_bytes(32)
        self._tries: OrderedDict[bytes, _Tries] = OrderedDict()
        self._known: OrderedDict[bytes, None] = OrderedDict()

    def wait_s(self, name: str, address: str) -> float:
        """How long this try has to wait. At 0 the try counts as a wrong one, until `was_right` or `was_nothing`."""
        now_s = self._clock.monotonic_s()
        by_name, by_address, together = self._hashes(name, address)
        counted = [(by_address, FREE_BY_ADDRESS)]
        # One that signed in from here before waits for what went wrong from here alone.
        counted.append((together, FREE_BY_NAME) if together in self._known else (by_name, FREE_BY_NAME))
        wait = max(self._left_s(hashed, free, now_s) for hashed, free in counted)
        if wait <= 0:
            for hashed in (by_name, by_address, together):
                self._count(hashed, now_s)
        return max(wait, 0.0)

    def was_right(self, name: str, address: str) -> None:
        by_name, by_address, together = self._hashes(name, address)
        for hashed in (by_name, by_address, together):
            self._tries.pop(hashed, None)
        self._known[together] = None
        self._known.move_to_end(together)
        if len(self._known) > MOST:
            self._known.popitem(last=False)

    def was_nothing(self, name: str, address: str) -> None:
        """This try was not looked at, and is not a wrong one."""
        for hashed in self._hashes(name, address):
            tries = self._tries.get(hashed)
            if tries is None:
                continue
            tries.wrong -= 1
            if tries.wrong <= 0:
                del self._tries[hashed]

    def _left_s(self, hashed: bytes, free: int, now_s: float) -> float:
        tries = self._tries.get(hashed)
        if tries is None or now_s - tries.last_s >= FORGOTTEN_AFTER_S or tries.wrong < free:
            return 0.0
        return tries.last_s + min(2.0 ** min(tries.wrong - free, 10), LONGEST_S) - now_s

    def _count(self, hashed: bytes, now_s: float) -> None:
        tries = self._tries.pop(hashed, None)
        if tries is None or now_s - tries.last_s >= FORGOTTEN_AFTER_S:
            tries = _Tries(0, now_s)
        tries.wrong, tries.last_s = tries.wrong + 1, now_s
        self._tries[hashed] = tries
        if len(self._tries) > MOST:
            self._tries.popitem(last=False)

    def _hashes(self, name: str, address: str) -> tuple[bytes, bytes, bytes]:
        name_bytes, address_bytes = name.encode("utf-8", "surrogatepass"), network_of(address).encode()
        return (
            self._hash(b"name", name_bytes),
            self._hash(b"address", address_bytes),
            self._hash(b"both", hashlib.sha256(name_bytes).digest() + address_bytes),
        )

    def _hash(self, kind: bytes, value: bytes) -> bytes:
        return hashlib.blake2b(value, key=self._key, digest_size=16, person=kind).digest()
