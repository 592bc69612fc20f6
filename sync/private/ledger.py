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

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from device_pipeline.clock import Clock
from device_pipeline.day_summary import DaySummary
from sync.private.account import Account
from sync.private.counter import Counter, Spent
from sync.private.errors import BudgetError
from sync.private.statistic import Statistic
from sync.private.window import Window
from sync.release import Answer, Content, Release
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
    """`days(window, from_day)` gives the summaries of a window, None for a day without data or before `from_day`."""

    def __init__(
        self,
        account: Account,
        counter: Counter,
        clock: Clock,
        signing_key: Ed25519PrivateKey,
        days: Callable[[Window, date], Sequence[DaySummary | None]],
    ) -> None:
        """Raises LedgerError. A database older than the counter has its lost windows burned here, before anything."""
        self._account = account
        self._counter = counter
        self._clock = clock
        self._signing_key = signing_key
        self._days = days
        self._reconcile()

    def answer(self, statistic: Statistic, window: Window, from_day: date, clinic: Clinic) -> Release | None:
        """The sealed answer for `clinic`, drawn if nobody has asked yet; the same bytes whenever it is asked again.

        None where the stored answer reaches further back than `from_day`, the first day this clinic may know of.
        Raises BudgetError where a day would cost more than the cap, or the window is burned.
        """
        if window.length_days != statistic.length_days:
            raise ValueError(f"{statistic.name} is about {statistic.length_days} days, window of {window.length_days}")
        key = (window.length_days, window.index, statistic.name, statistic.version)
        with self._account.transaction() as db:
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
            first = max(from_day, window.first_day)
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
            release, sequence, not_before_ns = self._seal(db, content, clinic, slot=True)
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
            release, sequence, not_before_ns = self._seal(db, content, clinic, slot=False)
            db.execute(
                "INSERT INTO releases (id, clinic, sequence, envelope, not_before_ns) VALUES (?, ?, ?, ?, ?)",
                (release.id, clinic.id, sequence, release.encode(), not_before_ns),
            )
        return release

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

    def _seal(self, db: object, content: Content, clinic: Clinic, slot: bool) -> tuple[Release, int, int]:
        (sequence,) = db.execute(  # type: ignore[attr-defined]
            "UPDATE clinics SET sequence = sequence + 1 WHERE id = ? RETURNING sequence", (clinic.id,)
        ).fetchone()
        release = seal(content, secrets.token_bytes(16), sequence, self._signing_key, clinic.keys)
        wait_ns = SLOT_AFTER_NS + secrets.randbelow(SLOT_SPREAD_NS) if slot else 0
        return release, sequence, self._clock.now_ns() + wait_ns

    def _count(self) -> None:
        """Under the write lock, so that of two processes the later one writes the later count."""
        with self._account.transaction():
            known = self._counter.read()
            merged = dict(known or {})
            for window, milli in self._spent_by_window().items():
                merged[window] = max(milli, merged.get(window, 0))
            if merged != known:
                self._counter.write(merged)

    def _spent_by_window(self) -> Spent:
        return {(window.length_days, window.index): milli for window, milli in _by_window(self.costs()).items()}

    def _reconcile(self) -> None:
        """Counter missing: made from the ledger. Ledger ahead: the counter follows. Ledger behind: windows burn."""
        with self._account.transaction() as db:
            here = self._spent_by_window()
            for window, milli in (self._counter.read() or {}).items():
                if milli > here.get(window, 0):
                    db.execute(
                        "INSERT INTO burned (length_days, window, epsilon_milli, at_ns) VALUES (?, ?, ?, ?)"
                        " ON CONFLICT DO NOTHING",
                        (*window, milli, self._clock.now_ns()),
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
