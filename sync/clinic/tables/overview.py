"""What is asked about all patients at once: one look for each into an index, never all that they have sent."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from sync.clinic.database.database import Transaction
from sync.clinic.tables.answers import StoredAnswer
from sync.release import Answer


@dataclass(frozen=True, slots=True, repr=False)
class Patient:
    """`newest`: by length in days, the newest window that an answer has come about, of those lengths asked about."""

    device: bytes
    pseudonym: str
    label: str | None
    enrolled: date
    agreed_on: date
    statistics: Mapping[str, int]
    newest: dict[int, int]


@dataclass(frozen=True, slots=True, repr=False)
class FlaggedPatient:
    """`before`: the value of the month before, where one came."""

    pseudonym: str
    label: str | None
    answer: StoredAnswer
    before: float | None


class Overview:
    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def patients(self, *, with_month: bool) -> list[Patient]:
        """All, by pseudonym; with their newest month where that is asked for: a look into an index for each."""
        month = f", {_NEWEST_MONTH}" if with_month else ""
        rows = self._tx.all(f"SELECT {_PATIENT}{month} FROM devices d ORDER BY d.pseudonym")
        return [_patient(row) for row in rows]

    def without_month(self, window: int, agreed_until: date) -> list[Patient]:
        """Who has answered about no month from `window` on, of those who agreed by then; with month and quarter."""
        rows = self._tx.all(
            f"SELECT {_PATIENT}, {_NEWEST_MONTH}, {_NEWEST_QUARTER} FROM devices d WHERE {_AGREED} <= ? AND NOT EXISTS"
            ' (SELECT 1 FROM answers a WHERE a.device = d.id AND a.length_days = 28 AND a."window" >= ?)'
            " ORDER BY d.pseudonym",
            (agreed_until.isoformat(), window),
        )
        return [_patient(row) for row in rows]

    def flagged(
        self, statistic: str, at_least: float, since_window: int, limit: int, offset: int
    ) -> tuple[int, list[FlaggedPatient]]:
        """How many there are, and some of them, the largest first: of each patient the newest month alone counts, where
        it is `since_window` or later. Who does not agree to it any more is left out.

        Beyond their end are the first ones."""
        rows = self._tx.all(
            f'SELECT f.total, d.pseudonym, d.label, f.device, f."window" FROM ({_FLAGGED}) AS f'
            " JOIN devices d ON d.id = f.device ORDER BY f.value DESC, d.pseudonym LIMIT ? OFFSET ?",
            (statistic, since_window, at_least, f'%"{statistic}"%', limit, offset),
        )
        if not rows and offset:
            return self.flagged(statistic, at_least, since_window, limit, 0)
        return rows[0][0] if rows else 0, [self._flagged(statistic, *row[1:]) for row in rows]

    def _flagged(self, statistic: str, pseudonym: str, label: str | None, device: bytes, window: int) -> FlaggedPatient:
        """One by one, each by its whole key: no database that has counted nothing yet can take another way."""
        rows = self._tx.all(
            f"{_OF_MONTH} UNION ALL {_OF_MONTH} ORDER BY 4 DESC",
            (device, window, statistic, device, window - 1, statistic),
        )
        answer, *before = (StoredAnswer(Answer(*row[:6]), date.fromisoformat(row[6])) for row in rows)
        return FlaggedPatient(pseudonym, label, answer, before[0].answer.value if before else None)

    def incomplete(self, window: int, statistics: Sequence[str], agreed_before: date) -> list[tuple[str, str | None]]:
        """Pseudonym and label of who answered some of what was agreed to about this month, and not all.

        Of those whose agreement has been the same since before that day."""
        agreed = " + ".join("CASE WHEN d.statistics LIKE ? THEN 1 ELSE 0 END" for _ in statistics)
        rows = self._tx.all(
            "SELECT d.pseudonym, d.label FROM devices d JOIN answers a ON a.device = d.id AND a.length_days = 28"
            f' AND a."window" = ? AND a.statistic IN ({", ".join("?" * len(statistics))})'
            f" WHERE {_AGREED} < ? GROUP BY d.pseudonym, d.label, d.statistics"
            f" HAVING count(DISTINCT a.statistic) < {agreed} ORDER BY d.pseudonym",
            (window, *statistics, agreed_before.isoformat(), *(f'%"{statistic}"%' for statistic in statistics)),
        )
        return [(row[0], row[1]) for row in rows]

    def enrolled_since(self, day: date) -> list[Patient]:
        """The newest first."""
        rows = self._tx.all(
            f"SELECT {_PATIENT} FROM devices d WHERE d.enrolled >= ? ORDER BY d.enrolled DESC, d.pseudonym",
            (day.isoformat(),),
        )
        return [_patient(row) for row in rows]

    def withdrawn_since(self, day: date) -> list[date]:
        """The day of each; nothing else is left of them. The newest first."""
        rows = self._tx.all("SELECT day FROM withdrawn WHERE day >= ? ORDER BY day DESC", (day.isoformat(),))
        return [date.fromisoformat(row[0]) for row in rows]

    def count(self) -> int:
        row = self._tx.one("SELECT count(*) FROM devices")
        assert row is not None
        return int(row[0])

    def newest_data_month(self, statistic: str, until_window: int) -> int | None:
        """The newest window of 28 days, before that one, that anybody has answered this about."""
        row = self._tx.one(
            'SELECT max("window") FROM answers WHERE statistic = ? AND length_days = 28 AND "window" < ?',
            (statistic, until_window),
        )
        return None if row is None or row[0] is None else int(row[0])


_AGREED = "COALESCE(d.agreed, d.enrolled)"
_PATIENT = f"d.id, d.pseudonym, d.label, d.enrolled, {_AGREED}, d.statistics"
_NEWEST_MONTH = '(SELECT max(n."window") FROM answers n WHERE n.device = d.id AND n.length_days = 28)'
_NEWEST_QUARTER = '(SELECT max(n."window") FROM answers n WHERE n.device = d.id AND n.length_days = 84)'
# All that is asked of the answers here stands in the index by question.
_FLAGGED = (
    'SELECT a.device, a."window", a.value, count(*) OVER () AS total FROM answers a WHERE a.statistic = ?'
    ' AND a.length_days = 28 AND a."window" >= ? AND a.version = 1 AND a.value >= ? AND EXISTS'
    " (SELECT 1 FROM devices d WHERE d.id = a.device AND d.statistics LIKE ?) AND NOT EXISTS"
    ' (SELECT 1 FROM answers b WHERE b.device = a.device AND b.length_days = 28 AND b."window" > a."window")'
)
_ANSWER = 'a.statistic, a.version, a.length_days, a."window", a.value, a.epsilon_milli, a.received'

_OF_MONTH = (
    f'SELECT {_ANSWER} FROM answers a WHERE a.device = ? AND a.length_days = 28 AND a."window" = ?'
    " AND a.statistic = ? AND a.version = 1"
)


def _patient(row: tuple[Any, ...]) -> Patient:
    newest = {length: int(window) for length, window in zip((28, 84), row[6:], strict=False) if window is not None}
    enrolled, agreed_on = (date.fromisoformat(day) for day in row[3:5])
    return Patient(bytes(row[0]), row[1], row[2], enrolled, agreed_on, _statistics(row[5]), newest)


@lru_cache(maxsize=256)
def _statistics(text: str) -> Mapping[str, int]:
    """Most have agreed to the same: it is read once."""
    return MappingProxyType(json.loads(text))
