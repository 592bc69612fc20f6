"""The only place in this room that asks what time it is: standard library only. Who needs time is handed a Clock."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    def now_ns(self) -> int:
        """Nanoseconds since the Unix epoch; may jump when the system's clock is set."""

    def monotonic_ns(self) -> int:
        """Nanoseconds since some fixed moment; never goes back. For intervals only."""


class SystemClock:
    def now_ns(self) -> int:
        return time.time_ns()

    def monotonic_ns(self) -> int:
        return time.monotonic_ns()


class ManualClock:
    """Stands still until it is told to move: for tests, and for replays that must not depend on when they run."""

    def __init__(self, now_ns: int = 0, monotonic_ns: int = 0) -> None:
        self._now_ns = now_ns
        self._monotonic_ns = monotonic_ns

    def now_ns(self) -> int:
        return self._now_ns

    def monotonic_ns(self) -> int:
        return self._monotonic_ns

    def advance(self, by_ns: int) -> None:
        if by_ns < 0:
            raise ValueError(f"a clock moves forward: {by_ns} ns, expected 0 or more")
        self._now_ns += by_ns
        self._monotonic_ns += by_ns
