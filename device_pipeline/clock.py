"""The only place in this room that asks what time it is: standard library only. Who needs time is handed a Clock."""

from __future__ import annotations

import ctypes
import time
from pathlib import Path
from typing import Protocol

# systemd-timesyncd(8): touched when the clock was set from a server, at the latest; gone at the next boot.
_TIMESYNC = Path("/run/systemd/timesync/synchronized")
# adjtimex(2): the state of a clock that nothing keeps in step.
_TIME_ERROR = 5
_TIMEX_BYTES = 1024  # more than any kernel's struct timex; all zero: read only


class Clock(Protocol):
    def now_ns(self) -> int:
        """Nanoseconds since the Unix epoch; may jump when the system's clock is set."""

    def monotonic_ns(self) -> int:
        """Nanoseconds since some fixed moment; never goes back. For intervals only."""

    def is_synchronised(self) -> bool:
        """Whether `now_ns` has been set right since this machine started. A Raspberry Pi has no clock of its own."""


class SystemClock:
    def now_ns(self) -> int:
        return time.time_ns()

    def monotonic_ns(self) -> int:
        return time.monotonic_ns()

    def is_synchronised(self) -> bool:
        # The kernel forgets after hours without a server, though its crystal is still good to a second or so.
        return _TIMESYNC.exists() or kernel_clock_state() not in (None, _TIME_ERROR)


def kernel_clock_state() -> int | None:
    """What adjtimex(2) returns for a question; None where there is no such call."""
    try:
        state: int = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    except (AttributeError, OSError, TypeError):
        return None
    return state if state >= 0 else None


class ManualClock:
    """Stands still until it is told to move: for tests, and for replays that must not depend on when they run."""

    def __init__(self, now_ns: int = 0, monotonic_ns: int = 0, synchronised: bool = True) -> None:
        self._now_ns = now_ns
        self._monotonic_ns = monotonic_ns
        self._synchronised = synchronised

    def now_ns(self) -> int:
        return self._now_ns

    def monotonic_ns(self) -> int:
        return self._monotonic_ns

    def advance(self, by_ns: int) -> None:
        if by_ns < 0:
            raise ValueError(f"a clock moves forward: {by_ns} ns, expected 0 or more")
        self._now_ns += by_ns
        self._monotonic_ns += by_ns

    def is_synchronised(self) -> bool:
        return self._synchronised

    def set_right(self, now_ns: int) -> None:
        """A time server has answered: the clock may step either way, and is synchronised from here on."""
        self._now_ns = now_ns
        self._synchronised = True
