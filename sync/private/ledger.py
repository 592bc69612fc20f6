"""The ledger: each question about a window is answered once, for ever, and no day costs more than its cap.

In one transaction: what was answered is looked up; what is past the cap is refused; else the answer is drawn, sealed,
and written with its cost; committed; only then shown. A retry gives the stored bytes. A clinic is no part of the key:
two clinics get one value, sealed to each. Withdrawal refunds nothing.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from device_pipeline.clock import Clock
from device_pipeline.day_summary import DaySummary
from sync.outbox import Outbox, Peer
from sync.private.account import Account
from sync.private.consent import TEXT_VERSION, Consents
from sync.private.counter import Counter, Reached
from sync.private.errors import BudgetError, ConsentError, NotDueError
from sync.private.noise import get_ready
from sync.private.statistic import Statistic
from sync.private.window import Window
from sync.release import Answer, Content, Delete, Enrol, Release
from sync.sealing import ClinicKeys, seal

CAP_MILLI = 2000  # of ε, per calendar day, over all windows that contain it
DAY_NS = 86_400 * 1_000_000_000
# What is drawn is sent at least a day later, at a moment that chance picks in the day after that: the moment of
# drawing, when the device was on, cannot be read off the wire.
SLOT_AFTER_NS = DAY_NS
SLOT_SPREAD_NS = DAY_NS


@dataclass(frozen=True, slots=True)
class Clinic:
    id: bytes
    name: str
    url: str
    keys: ClinicKeys


@dataclass(frozen=True, slots=True)
class Cost:
    """One line of the ledger. `burned`: of a window whose answers are lost; the cost is that of all of them."""

    window: Window
    statistic: str
    version: int
    epsilon_milli: int
    burned: bool = False


class Ledger:
    """`days(window, from_day)` gives the summaries of a window, None for a day without data or before `from_day`;
    `today` is the wearer's day in the ledger's time zone. Raises NotDueError where nobody knows what day it is."""

    def __init__(
        self,
        account: Account,
        counter: Counter,
        clock: Clock,
        signing_key: Ed25519PrivateKey,
        consents: Consents,
        today: Callable[[], date],
        days: Callable[[Window, date], Sequence[DaySummary | None]],
    ) -> None:
        """Raises LedgerError. A database older than the counter has its lost windows burned here, before anything."""
        self._account = account
        self._counter = counter
        self._clock = clock
        self._signing_key = signing_key
        self._consents = consents
        self._today = today
        self._days = days
        self._reconcile()

    def answer(self, statistic: Statistic, window: Window, clinic: Clinic) -> Release | None:
        """The sealed answer for `clinic`, drawn if nobody has asked yet; the same bytes whenever it is asked again.

        None where the stored answer is about days before this clinic's consent. Raises ConsentError where none holds
        or the window was over before it, NotDueError before its time, BudgetError where a day would cost more than the
        cap, or the window is burned.
        """
        if window.length_days != statistic.length_days:
            raise ValueError(f"{statistic.name} is about {statistic.length_days} days, window of {window.length_days}")
        key = (window.length_days, window.index, statistic.name, statistic.version)
        get_ready()
        with self._account.transaction() as db:
            since = self._consents.since(clinic.id, statistic.name)
            if since is None or since > window.last_day:
                raise ConsentError(f"{statistic.name} of {_span(window)}: {clinic.name} has no consent for this time")
            if (today := self._today()) < window.sealed_from:
                raise NotDueError(
                    f"{statistic.name} of {_span(window)}: sealed from {window.sealed_from.isoformat()} on,"
                    f" today is {today.isoformat()}"
                )
            stored = db.execute(
                "SELECT envelope FROM releases WHERE clinic = ? AND length_days = ? AND window = ? AND statistic = ?"
                " AND version = ?",
                (clinic.id, *key),
            ).fetchone()
            if stored is not None:
                return Release.decode(stored[0])
            found = db.execute(
                "SELECT value, from_day, epsilon_milli FROM answers WHERE length_days = ? AND window = ?"
                " AND statistic = ? AND version = ?",
                key,
            ).fetchone()
            first = max(since, window.first_day)
            if found is None:
                self._require_affordable(statistic, window)
                value, epsilon_milli = statistic.draw(self._days(window, first)), statistic.epsilon_milli
                db.execute(
                    "INSERT INTO answers (length_days, window, statistic, version, epsilon_milli, value, from_day,"
                    " drawn_ns) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    (*key, epsilon_milli, value, first.isoformat(), self._clock.now_ns()),
                )
            else:
                value, told_from, epsilon_milli = found
                if date.fromisoformat(told_from) < first:
                    return None
            content = Answer(statistic.name, statistic.version, *key[:2], value, epsilon_milli)
            release, sequence, not_before_ns = self._seal(
                db, content, clinic, wait_ns=SLOT_AFTER_NS + secrets.randbelow(SLOT_SPREAD_NS)
            )
            db.execute(
                "INSERT INTO releases (id, clinic, sequence, length_days, window, statistic, version, envelope,"
                " not_before_ns) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (release.id, clinic.id, sequence, *key, release.encode(), not_before_ns),
            )
        self._count()
        return release

    def control(self, content: Content, clinic: Clinic) -> Release:
        """A message that is no answer: sealed like one, sent as soon as may be."""
        with self._account.transaction() as db:
            release = self._control(db, content, clinic)
        self._count()
        return release

    def grant(self, statistics: Sequence[Statistic], clinic: Clinic, outbox: Outbox) -> None:
        """A yes to each, and the clinic is told what it may have from now on: all of it or nothing."""
        with self._account.transaction() as db:
            for statistic in statistics:
                self._consents.grant(clinic.id, statistic, self._today(), self._clock.now_ns())
            self._control(db, self._agreement(clinic), clinic)
        self._count()
        self._introduce(clinic, outbox)
        self.hand_over(outbox)

    def withdraw(self, statistics: Sequence[str], clinic: Clinic, outbox: Outbox) -> None:
        """Takes consent back: nothing of them leaves any more, from the moment this returns.

        What waits in the outbox is erased. The clinic is told what is left that it may know; where that is nothing, it
        is asked to delete all.
        """
        waiting = {each.id for each in outbox.messages() if each.clinic == clinic.id and each.refused is None}
        with self._account.transaction() as db:
            # Before the outbox is emptied: killed in between, what consent still holds for is put there again.
            for id_ in waiting:
                db.execute("UPDATE releases SET handed_over = 0 WHERE id = ?", (id_,))
        with self._account.transaction() as db:
            for name in statistics:
                self._consents.withdraw(clinic.id, name, self._today(), self._clock.now_ns())
            outbox.drop(clinic.id)
            gone = f"clinic = ? AND statistic IN ({','.join('?' * len(statistics))})"
            db.execute(f"DELETE FROM releases WHERE {gone}", (clinic.id, *statistics))
            if self._consents.standing(clinic.id):
                self._control(db, self._agreement(clinic), clinic)
            else:
                db.execute("DELETE FROM releases WHERE clinic = ?", (clinic.id,))
                self._control(db, Delete(), clinic)
        self._count()
        self._introduce(clinic, outbox)
        self.hand_over(outbox)

    def _introduce(self, clinic: Clinic, outbox: Outbox) -> None:
        """An outbox that was made anew knows nobody."""
        outbox.know(Peer(clinic.id, clinic.name, clinic.url, clinic.keys.sealing, clinic.keys.signing))

    def hand_over(self, outbox: Outbox) -> int:
        """Copies into the outbox what is not there yet; each message once, however often this is called.

        Under the write lock, so that nothing is put there after consent to it was taken back.
        """
        with self._account.transaction() as db:
            rows = db.execute(
                "SELECT id, clinic, envelope, not_before_ns FROM releases WHERE handed_over = 0"
                " ORDER BY clinic, sequence"
            ).fetchall()
            for id_, clinic, envelope, not_before_ns in rows:
                outbox.put(clinic, Release.decode(envelope), not_before_ns)
                db.execute("UPDATE releases SET handed_over = 1 WHERE id = ?", (id_,))
        return len(rows)

    def costs(self) -> list[Cost]:
        """Every line, in order of time."""
        answered = self._account.rows("SELECT length_days, window, statistic, version, epsilon_milli FROM answers")
        burned = self._account.rows("SELECT length_days, window, epsilon_milli FROM burned")
        costs = [Cost(Window(length, index), name, version, cost) for length, index, name, version, cost in answered]
        costs += [Cost(Window(length, index), "", 0, cost, burned=True) for length, index, cost in burned]
        return sorted(costs, key=lambda cost: (cost.window.last_day, cost.window.length_days, cost.statistic))

    def spent_milli(self, day: date) -> int:
        """What is spent of `day`, over all windows that contain it."""
        return _spent(self.costs(), day)

    def _require_affordable(self, statistic: Statistic, window: Window) -> None:
        costs = self.costs()
        if any(cost.burned and cost.window == window for cost in costs):
            raise BudgetError(
                f"{statistic.name} of {_span(window)}: answers about this time were lost with a part of the ledger;"
                " nothing more is answered about it"
            )
        would_cost = max(_spent(costs, day) for day in window.days()) + statistic.epsilon_milli
        if would_cost > CAP_MILLI:
            raise BudgetError(
                f"{statistic.name} of {_span(window)}: a day would cost {would_cost / 1000:g},"
                f" at most {CAP_MILLI / 1000:g} is ever spent on one"
            )

    def _control(self, db: Any, content: Content, clinic: Clinic) -> Release:
        release, sequence, not_before_ns = self._seal(db, content, clinic, wait_ns=0)
        db.execute(
            "INSERT INTO releases (id, clinic, sequence, envelope, not_before_ns) VALUES (?, ?, ?, ?, ?)",
            (release.id, clinic.id, sequence, release.encode(), not_before_ns),
        )
        return release

    def _agreement(self, clinic: Clinic) -> Enrol:
        """Without a token: the device is enrolled, and its signature says that it is this one."""
        key = self._signing_key.public_key().public_bytes_raw().hex()
        return Enrol("", key, dict.fromkeys(self._consents.standing(clinic.id), TEXT_VERSION))

    def _seal(self, db: Any, content: Content, clinic: Clinic, wait_ns: int) -> tuple[Release, int, int]:
        (sequence,) = db.execute(
            "UPDATE clinics SET sequence = sequence + 1 WHERE id = ? RETURNING sequence", (clinic.id,)
        ).fetchone()
        release = seal(content, secrets.token_bytes(16), sequence, self._signing_key, clinic.keys)
        return release, sequence, self._clock.now_ns() + wait_ns

    def _count(self) -> None:
        """Under the write lock, so that of two processes the later one writes the later count."""
        with self._account.transaction():
            known, here = self._counter.read(), self._reached()
            merged = here if known is None else known.with_all_of(here)
            if merged != known:
                self._counter.write(merged)

    def _reached(self) -> Reached:
        spent = {(w.length_days, w.index): milli for w, milli in _by_window(self.costs()).items()}
        rows = self._account.rows("SELECT lower(hex(id)), sequence FROM clinics")
        return Reached(spent, dict(rows))

    def _reconcile(self) -> None:
        """Counter missing: made from the ledger. Ledger ahead: the counter follows. Ledger behind: windows burn."""
        with self._account.transaction() as db:
            known, here = self._counter.read() or Reached(), self._reached()
            for window, milli in known.spent_milli.items():
                if milli > here.spent_milli.get(window, 0):
                    db.execute(
                        "INSERT INTO burned (length_days, window, epsilon_milli, at_ns) VALUES (?, ?, ?, ?)"
                        " ON CONFLICT DO NOTHING",
                        (*window, milli, self._clock.now_ns()),
                    )
            for clinic, sequence in known.sequences.items():
                db.execute(
                    "UPDATE clinics SET sequence = ? WHERE id = ? AND sequence < ?",
                    (sequence, bytes.fromhex(clinic), sequence),
                )
        self._count()


def _by_window(costs: Sequence[Cost]) -> dict[Window, int]:
    """A burned window costs what all of its answers did, those still known included."""
    answered: dict[Window, int] = defaultdict(int)
    burned: dict[Window, int] = {}
    for cost in costs:
        if cost.burned:
            burned[cost.window] = cost.epsilon_milli
        else:
            answered[cost.window] += cost.epsilon_milli
    return {window: max(answered[window], burned.get(window, 0)) for window in {*answered, *burned}}


def _spent(costs: Sequence[Cost], day: date) -> int:
    return sum(milli for window, milli in _by_window(costs).items() if day in window)


def _span(window: Window) -> str:
    return f"{window.first_day.isoformat()} to {window.last_day.isoformat()}"
