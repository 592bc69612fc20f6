"""The only place in this room that asks what time it is. The clinic keeps days; nothing finer is ever written down."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime
from typing import Protocol


class ClinicClock(Protocol):
    def today(self) -> date:
        """The day in UTC."""

    def monotonic_s(self) -> float:
        """Seconds since some fixed moment; for intervals only."""


class SystemClinicClock:
    def today(self) -> date:
        return datetime.now(UTC).date()

    def monotonic_s(self) -> float:
        return time.monotonic()
