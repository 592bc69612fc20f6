"""The only place in this room that asks what time it is: standard library only. Arrival times never go back."""

from __future__ import annotations

import time
from collections.abc import Callable


class ArrivalClock:
    """The host's clock, made so that it never goes back: set back, it runs on at the pace of the monotonic one."""

    def __init__(
        self, wall_ns: Callable[[], int] = time.time_ns, monotonic_ns: Callable[[], int] = time.monotonic_ns
    ) -> None:
        self._wall_ns = wall_ns
        self._monotonic_ns = monotonic_ns
        self._last_ns = wall_ns()
        self._last_monotonic_ns = monotonic_ns()

    def now_ns(self) -> int:
        """Nanoseconds since the Unix epoch."""
        monotonic_ns = self._monotonic_ns()
        wall_ns = self._wall_ns()
        if wall_ns < self._last_ns:
            wall_ns = self._last_ns + (monotonic_ns - self._last_monotonic_ns)
        self._last_ns, self._last_monotonic_ns = wall_ns, monotonic_ns
        return wall_ns
