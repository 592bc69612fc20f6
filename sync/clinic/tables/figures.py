"""Which figures there are, a page at a time and by what is asked for: where they stand, not what is in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sync.clinic.catalogue import FIRST_DAY, Question
from sync.clinic.database.database import Transaction, Value


@dataclass(frozen=True, slots=True)
class Days:
    """A period's `edge`, `first` or `last`, is this `day` or a later one (`at_least`), or an earlier one."""

    edge: str
    at_least: bool
    day: date


# All of [any of [all of]].
Wanted = Sequence[Sequence[Sequence[Days]]]


@dataclass(frozen=True, slots=True)
class Place:
    """Of one figure; `device`: the whole id."""

    device: bytes
    length_days: int
    window: int
    statistic: str
    version: int


class Figures:
    """In the order of the table's key, which is the same for every page."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def page(
        self,
        most: int,
        after: Place | None = None,
        device: bytes | None = None,
        questions: Sequence[Question] | None = None,
        days: Wanted = (),
    ) -> list[Place]:
        where, values = _where(device, questions, days)
        if after is not None:
            where += f" AND ({_KEY}) > (?, ?, ?, ?, ?)"
            values += [after.device, after.length_days, after.window, after.statistic, after.version]
        rows = self._tx.all(f"SELECT {_KEY} FROM answers WHERE {where} ORDER BY {_KEY} LIMIT ?", (*values, most))
        return [Place(bytes(row[0]), *row[1:]) for row in rows]

    def holds(
        self,
        place: Place,
        device: bytes | None = None,
        questions: Sequence[Question] | None = None,
        days: Wanted = (),
    ) -> bool:
        where, values = _where(device, questions, days)
        key = place.device, place.length_days, place.window, place.statistic, place.version
        row = self._tx.one(f"SELECT 1 FROM answers WHERE {where} AND ({_KEY}) = (?, ?, ?, ?, ?)", (*values, *key))
        return row is not None

    def count(self, device: bytes | None = None, questions: Sequence[Question] | None = None, days: Wanted = ()) -> int:
        where, values = _where(device, questions, days)
        row = self._tx.one(f"SELECT COUNT(*) FROM answers WHERE {where}", values)
        assert row is not None
        return int(row[0])

    def device(self, beginning: bytes) -> bytes | None:
        """The id that begins so."""
        low, high = beginning.ljust(16, b"\0"), beginning.ljust(16, b"\xff")
        row = self._tx.one("SELECT id FROM devices WHERE id >= ? AND id <= ? ORDER BY id", (low, high))
        return None if row is None else bytes(row[0])


_KEY = 'device, length_days, "window", statistic, version'
_EDGES = {"first": 'length_days * "window"', "last": 'length_days * ("window" + 1) - 1'}


def _where(device: bytes | None, questions: Sequence[Question] | None, days: Wanted) -> tuple[str, list[Value]]:
    clauses, values = ["1 = 1"], list[Value]()
    if questions is not None:
        # One figure of four is found soon in the order of the key: an index of it would first have to be sorted. Days
        # leave few: there the index is the better way.
        statistic = "statistic" if days else "statistic || ''"
        chosen = [f"({statistic} = ? AND version = ?)"] * len(questions)
        clauses.append(f"({' OR '.join(chosen)})" if chosen else "1 = 0")
        values += [each for asked in questions for each in (asked.name, asked.version)]
    if device is not None:
        clauses.append("device = ?")
        values.append(device)
    for group in days:
        alternatives = []
        for conditions in group:
            alternatives.append(
                "("
                + " AND ".join(f"{_EDGES[each.edge]} {'>=' if each.at_least else '<='} ?" for each in conditions)
                + ")"
            )
            values += [(each.day - FIRST_DAY).days for each in conditions]
        clauses.append(f"({' OR '.join(alternatives)})")
    return " AND ".join(clauses), values
