"""Consent: absent means no. Each yes and no is a line that stays: to whom, to what, by which words, on which day.

The newest line of a clinic and statistic is what holds. Days before the yes that holds are no data to that clinic.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sync.private.account import Account
from sync.private.errors import ConsentError
from sync.private.statistic import Statistic

TEXT_VERSION = 1
TEXT = (
    "Once every {days} days, {clinic} receives a noisy figure of: {meaning}. Chance is added on this device, so that"
    " any single day of yours stays hidden (ε = {epsilon:g} a day, of at most 2 over all figures). What lasts for long"
    " shows: that is the purpose. You can take this back at any time; what {clinic} has received by then is deleted"
    " there on request, and what its staff already read cannot be unread."
)


@dataclass(frozen=True, slots=True)
class ConsentLine:
    number: int
    clinic: bytes
    statistic: str
    text_version: int
    granted: bool
    day: date
    at_ns: int


def consent_text(statistic: Statistic, clinic_name: str) -> str:
    """The words that the wearer agrees to; another wording is another TEXT_VERSION."""
    return TEXT.format(
        days=statistic.length_days,
        clinic=clinic_name,
        meaning=statistic.meaning,
        epsilon=statistic.epsilon_milli / 1000,
    )


class Consents:
    def __init__(self, account: Account) -> None:
        self._account = account

    def grant(self, clinic: bytes, statistic: Statistic, day: date, at_ns: int) -> None:
        """A yes that holds already stays as it is: another one would take the days since then away."""
        if self.since(clinic, statistic.name) is None:
            self._add(clinic, statistic.name, True, day, at_ns)

    def withdraw(self, clinic: bytes, statistic_name: str, day: date, at_ns: int) -> None:
        """Raises ConsentError where there is no consent to take back."""
        if self.since(clinic, statistic_name) is None:
            raise ConsentError(f"{statistic_name}: there is no consent to take back")
        self._add(clinic, statistic_name, False, day, at_ns)

    def since(self, clinic: bytes, statistic_name: str) -> date | None:
        """The day of the yes that holds; None: no. A yes to other words than today's does not hold."""
        rows = self._account.rows(
            "SELECT granted, day, text_version FROM consents WHERE clinic = ? AND statistic = ?"
            " ORDER BY number DESC LIMIT 1",
            (clinic, statistic_name),
        )
        if not rows or not rows[0][0] or rows[0][2] != TEXT_VERSION:
            return None
        return date.fromisoformat(rows[0][1])

    def standing(self, clinic: bytes) -> dict[str, date]:
        """By statistic, the day since which consent holds."""
        names = {line.statistic for line in self.log() if line.clinic == clinic}
        held = {name: self.since(clinic, name) for name in sorted(names)}
        return {name: day for name, day in held.items() if day is not None}

    def log(self) -> list[ConsentLine]:
        """Every line, the oldest first."""
        rows = self._account.rows(
            "SELECT number, clinic, statistic, text_version, granted, day, at_ns FROM consents ORDER BY number"
        )
        return [ConsentLine(n, c, s, v, bool(g), date.fromisoformat(d), t) for n, c, s, v, g, d, t in rows]

    def _add(self, clinic: bytes, statistic: str, granted: bool, day: date, at_ns: int) -> None:
        self._account.write(
            "INSERT INTO consents (clinic, statistic, text_version, granted, day, at_ns) VALUES (?, ?, ?, ?, ?, ?)",
            (clinic, statistic, TEXT_VERSION, granted, day.isoformat(), at_ns),
        )
