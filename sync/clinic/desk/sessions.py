"""Who is signed in: kept in the memory of this one process, by the SHA-256 of a token that only the browser has.

A session ends after 30 minutes without a request, after 12 hours, at sign-out, and when the process does.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

from sync.clinic.clock import ClinicClock

IDLE_S = 30 * 60.0
LONGEST_S = 12 * 3600.0
MOST = 1000
TOKEN_BYTES = 32


@dataclass(slots=True, repr=False)
class Session:
    """`credential`: what the name was signed in with; another one in the table, or none, ends it."""

    name: str
    credential: str
    csrf: str
    began_s: float
    seen_s: float


class Sessions:
    """Used by many threads."""

    def __init__(self, clock: ClinicClock) -> None:
        self._clock = clock
        self._by_hash: dict[bytes, Session] = {}
        self._lock = threading.Lock()

    def begin(self, name: str, credential: str) -> tuple[str, Session]:
        """A token for the cookie. The session that was idle the longest makes room where there are MOST."""
        now_s = self._clock.monotonic_s()
        token = secrets.token_urlsafe(TOKEN_BYTES)
        session = Session(name, credential, secrets.token_urlsafe(TOKEN_BYTES), now_s, now_s)
        with self._lock:
            self._keep(lambda each: not _over(each, now_s))
            while len(self._by_hash) >= MOST:
                del self._by_hash[min(self._by_hash, key=lambda hashed: self._by_hash[hashed].seen_s)]
            self._by_hash[_hashed(token)] = session
        return token, session

    def find(self, token: str) -> Session | None:
        """Counts as a request of it."""
        hashed, now_s = _hashed(token), self._clock.monotonic_s()
        with self._lock:
            session = self._by_hash.get(hashed)
            if session is None:
                return None
            if _over(session, now_s):
                del self._by_hash[hashed]
                return None
            session.seen_s = now_s
        return session

    def end(self, token: str) -> None:
        with self._lock:
            self._by_hash.pop(_hashed(token), None)

    def end_all(self, name: str, credential: str | None) -> None:
        """All of this name that were signed in with this credential."""
        with self._lock:
            self._keep(lambda each: (each.name, each.credential) != (name, credential))

    def __len__(self) -> int:
        return len(self._by_hash)

    def _keep(self, which: Callable[[Session], bool]) -> None:
        self._by_hash = {hashed: each for hashed, each in self._by_hash.items() if which(each)}


def _over(session: Session, now_s: float) -> bool:
    return now_s - session.seen_s >= IDLE_S or now_s - session.began_s >= LONGEST_S


def _hashed(token: str) -> bytes:
    return sha256(token.encode("utf-8", "surrogatepass")).digest()
