"""The only place in this room that asks what time it is. Of devices the clinic keeps days, and nothing finer.

The second is written down of what its own staff did, and of nothing else.
"""

from __future__ import annotations

import time
from datetime import UTC, date, datetime
from typing import Protocol


class ClinicClock(Protocol):
    def today(self) -> date:
        """The day in UTC."""

    def moment(self) -> datetime:
        """Now, in UTC; for what staff did."""

    def monotonic_s(self) -> float:
        """Seconds since some fixed moment; for intervals only."""


class SystemClinicClock:
    def today(self) -> date:
        return datetime.now(UTC).date()

    def moment(self) -> datetime:
        return datetime.now(UTC)

    def monotonic_s(self) -> float:
        return time.monotonic()
