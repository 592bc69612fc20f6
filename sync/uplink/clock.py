"""The only place in this room that asks what time it is, or waits."""

from __future__ import annotations

import threading
import time
from typing import Protocol


class UplinkClock(Protocol):
    def now_ns(self) -> int:
        """Nanoseconds since the Unix epoch; may jump when the system's clock is set."""

    def sleep_s(self, seconds: float) -> bool:
        """False: told to stop, before the time was over or after."""


class SystemUplinkClock:
    def __init__(self) -> None:
        self._stop = threading.Event()

    def now_ns(self) -> int:
        return time.time_ns()

    def sleep_s(self, seconds: float) -> bool:
        return not self._stop.wait(seconds)

    def stop(self) -> None:
        """May be called from a signal handler."""
        self._stop.set()
