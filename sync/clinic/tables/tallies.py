"""How many patients gave which value, window by window: counted in the database, and of nobody by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sync.clinic.card import LEAST_WORN, MONTHS
from sync.clinic.database.database import Row, Transaction

# A value, and how many patients have it.
Tally = list[tuple[float, int]]


@dataclass(frozen=True, slots=True, repr=False)
class QuarterTally:
    """`shown`: the medians that may be shown; `left_out`: how many patients' medians may not."""

    shown: Tally
    left_out: int


class Tallies:
    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def counts(self, statistic: str, version: int, first_window: int, until_window: int) -> dict[int, Tally]:
        """By window of 28 days, from the first to the one before `until_window`."""
        rows = self._tx.all(
            'SELECT "window", value, count(*) FROM answers WHERE statistic = ? AND version = ? AND length_days = 28'
            ' AND "window" >= ? AND "window" < ? GROUP BY "window", value ORDER BY "window", value',
            (statistic, version, first_window, until_window),
        )
        found: dict[int, Tally] = {}
        for window, value, count in rows:
            found.setdefault(window, []).append((value, count))
        return found

    def medians(
        self, statistics: Sequence[tuple[str, int]], first_window: int, until_window: int
    ) -> dict[tuple[str, int], QuarterTally]:
        """By statistic and window of 84 days; `statistics`: each with its version."""
        found: dict[tuple[str, int], QuarterTally] = {}
        for window in range(first_window, until_window):
            for statistic, version, value, count, shown in self._quarter(statistics, window):
                if (statistic, version) in statistics:
                    known = found.get((statistic, window), QuarterTally([], 0))
                    told = [*known.shown, (value, shown)] if shown else known.shown
                    found[statistic, window] = QuarterTally(told, known.left_out + count - shown)
        return found

    def _quarter(self, statistics: Sequence[tuple[str, int]], window: int) -> list[Row]:
        """Statistic, version, value, how many gave it, and of how many of them it may be shown, as card.py has it.

        One quarter at a time: what is asked of it then stands in a few stretches of one index.
        """
        names = ", ".join("?" * len(statistics))
        return self._tx.all(
            "WITH worn AS (SELECT device FROM answers WHERE statistic = 'worn_days' AND length_days = 28"
            ' AND "window" >= ? AND "window" < ? GROUP BY device HAVING count(*) = ? AND sum(value) >= ?)'
            " SELECT q.statistic, q.version, q.value, count(*),"
            " sum(CASE WHEN q.device IN (SELECT device FROM worn) THEN 1 ELSE 0 END)"
            f' FROM answers q WHERE q.statistic IN ({names}) AND q.length_days = 84 AND q."window" = ?'
            " GROUP BY q.statistic, q.version, q.value ORDER BY q.statistic, q.version, q.value",
            (
                window * MONTHS,
                (window + 1) * MONTHS,
                MONTHS,
                LEAST_WORN,
                *(name for name, _ in statistics),
                window,
            ),
        )
