"""What the clinic's process counts while it runs: of no person, no device and no address; gone when it stops.

Whoever may count needs these alone; interfaces/prometheus.py writes them down.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import Counter

# seconds; the pages are meant to take less than 0.3
BUCKETS_S = (0.005, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
# What becomes of a message. Beside `refused` stands a reason of sync/receipt.py, else none.
OUTCOMES = ("stored", "duplicate", "refused", "no_envelope", "too_large", "too_slow", "too_many", "not_now", "internal")


class Counters:
    """Used by any number of threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._messages: Counter[tuple[str, str]] = Counter()
        self._sign_ins: Counter[bool] = Counter()
        self._database_errors = 0
        self._requests: dict[tuple[str, str], list[int]] = {}
        self._seconds: dict[tuple[str, str], float] = {}

    def message(self, outcome: str, reason: str = "") -> None:
        assert outcome in OUTCOMES
        with self._lock:
            self._messages[outcome, reason] += 1

    def sign_in(self, *, succeeded: bool) -> None:
        with self._lock:
            self._sign_ins[succeeded] += 1

    def database_error(self) -> None:
        with self._lock:
            self._database_errors += 1

    def request(self, route: str, status: int, seconds: float) -> None:
        """`route`: its template, never a path: a path may name a patient."""
        key = route, f"{status // 100}xx"
        with self._lock:
            buckets = self._requests.setdefault(key, [0] * (len(BUCKETS_S) + 1))
            buckets[bisect_left(BUCKETS_S, seconds)] += 1
            self._seconds[key] = self._seconds.get(key, 0.0) + seconds

    # -- as they stand

    def messages(self) -> dict[tuple[str, str], int]:
        """By outcome and reason."""
        with self._lock:
            return dict(self._messages)

    def sign_ins(self) -> dict[bool, int]:
        """By whether they succeeded."""
        with self._lock:
            return {succeeded: self._sign_ins[succeeded] for succeeded in (True, False)}

    def database_errors(self) -> int:
        with self._lock:
            return self._database_errors

    def requests(self) -> dict[tuple[str, str], tuple[list[int], float]]:
        """By route and class of status: how many fell into each of BUCKETS_S and above, and the seconds of all."""
        with self._lock:
            return {key: (list(buckets), self._seconds[key]) for key, buckets in self._requests.items()}
