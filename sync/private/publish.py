"""Seals what is due: for each clinic and statistic that the wearer consented to, every window that is over.

All of it can be done again at any time: what was answered is not drawn anew, what was handed over is not handed over
twice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from device_pipeline.clock import Clock
from device_pipeline.day_summary import DaySummary
from sync.outbox import Outbox, Peer
from sync.private.account import Account
from sync.private.clinics import clinics
from sync.private.consent import Consents
from sync.private.counter import Counter
from sync.private.errors import BudgetError, NotDueError
from sync.private.identity import signing_key
from sync.private.ledger import Clinic, Ledger
from sync.private.registry import STATISTICS
from sync.private.statistic import Statistic
from sync.private.summaries import Summaries
from sync.private.window import FIRST_DAY, Window, sealable, window_of
from sync.private.zone import ledger_zone


@dataclass(frozen=True, slots=True)
class Refusal:
    """What was due and not answered, for ever or for now, and why."""

    clinic: str
    statistic: str
    window: Window
    reason: str


@dataclass(frozen=True, slots=True)
class Published:
    """`sealed`: answers there are now that were not before. `handed_over`: messages that went to the outbox."""

    days_kept: int
    sealed: int
    handed_over: int
    refused: tuple[Refusal, ...]


class Publisher:
    """The room of one wearer: opens the account in `folder`, beside the store, whose key it has."""

    def __init__(
        self,
        folder: Path,
        counter_folder: Path,
        clock: Clock,
        work_out: Callable[[date, ZoneInfo], DaySummary | None],
    ) -> None:
        """`work_out(day, zone)` summarises a stored day. Raises LedgerError."""
        self.account = Account(folder)
        self.zone = ledger_zone(self.account)
        self.consents = Consents(self.account)
        self.summaries = Summaries(self.account, lambda day: work_out(day, self.zone))
        self._clock = clock
        key = signing_key(self.account)
        self.device_key = key.public_key().public_bytes_raw()
        self.ledger = Ledger(
            self.account, Counter(counter_folder), clock, key, self.consents, self.today, self.summaries.days
        )

    def close(self) -> None:
        self.account.close()

    def today(self) -> date:
        """Raises NotDueError while the clock has not been set right: a wrong day would seal a window too early."""
        if not self._clock.is_synchronised():
            raise NotDueError(
                "the clock of this device has not been set right since it started: nothing is agreed to or sealed"
            )
        return datetime.fromtimestamp(self._clock.now_ns() // 1_000_000_000, self.zone).date()

    def publish(self, outbox: Outbox) -> Published:
        """Raises NotDueError while nobody knows what day it is, LedgerError, OutboxError."""
        today = self.today()
        due = self.due(today)
        first_days = [day for clinic in clinics(self.account) for day in self.consents.standing(clinic.id).values()]
        kept = 0
        if first_days:
            kept = self.summaries.keep(today, max(min(first_days), FIRST_DAY), self._clock.now_ns())
        refused: list[Refusal] = []
        before = len(self.ledger.costs())
        for clinic, statistic, window in due:
            try:
                self.ledger.answer(statistic, window, clinic)
            except BudgetError as problem:
                refused.append(Refusal(clinic.name, statistic.name, window, str(problem)))
        sealed = len(self.ledger.costs()) - before
        return Published(kept, sealed, self.hand_over(outbox), tuple(refused))

    def hand_over(self, outbox: Outbox) -> int:
        """What is sealed goes to the outbox, which is told of the clinics first; gives how many messages."""
        for clinic in clinics(self.account):
            outbox.know(Peer(clinic.id, clinic.name, clinic.url, clinic.keys.sealing, clinic.keys.signing))
        return self.ledger.hand_over(outbox)

    def due(self, today: date) -> list[tuple[Clinic, Statistic, Window]]:
        """In order of time: each window that consent reaches into, and that is over long enough."""
        found = []
        for clinic in clinics(self.account):
            for statistic in STATISTICS:
                since = self.consents.since(clinic.id, statistic.name)
                newest = sealable(today, statistic.length_days)
                if since is None or newest is None:
                    continue
                first = window_of(max(since, FIRST_DAY), statistic.length_days).index
                windows = (Window(statistic.length_days, index) for index in range(first, newest.index + 1))
                found += [(clinic, statistic, window) for window in windows]
        # Of one day in the order of the registry: what a median is shown by, the days worn, is there before it.
        return sorted(found, key=lambda one: (one[2].last_day, one[0].name))
