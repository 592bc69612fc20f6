"""Whose requests are let in, for as long as this process runs."""

from __future__ import annotations

from sync.clinic.clock import ClinicClock
from sync.clinic.desk.sessions import Sessions


class Desk:
    """One in a process; used in the event loop's thread."""

    def __init__(self, clock: ClinicClock) -> None:
        self.clock = clock
        self.sessions = Sessions(clock)
