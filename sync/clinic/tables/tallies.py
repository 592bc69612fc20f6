"""How many patients gave which value, window by window: counted in the database, and of nobody by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sync.clinic.card import LEAST_WORN, MONTHS
from sync.clinic.database.database import Transaction

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
        marks = " OR ".join("(q.statistic = ? AND q.version = ?)" for _ in statistics)
        rows = self._tx.all(
            'SELECT q.statistic, q."window", CASE WHEN w.device IS NULL THEN 0 ELSE 1 END AS shown, q.value, count(*)'
            f" FROM answers q LEFT JOIN {_WORN_ENOUGH} AS w"
            ' ON w.device = q.device AND w.quarter = q."window"'
            f' WHERE ({marks}) AND q.length_days = 84 AND q."window" >= ? AND q."window" < ?'
            ' GROUP BY q.statistic, q."window", shown, q.value ORDER BY q.value',
            (
                first_window * MONTHS,
                until_window * MONTHS,
                LEAST_WORN,
                *(each for statistic in statistics for each in statistic),
                first_window,
                until_window,
            ),
        )
        found: dict[tuple[str, int], QuarterTally] = {}
        for statistic, window, is_shown, value, count in rows:
            known = found.get((statistic, window), QuarterTally([], 0))
            if is_shown:
                known.shown.append((value, count))
            else:
                known = QuarterTally(known.shown, known.left_out + count)
            found[statistic, window] = known
        return found


# As card.py has it: the noisy worn_days of all months of a quarter, and enough of them.
_WORN_ENOUGH = (
    f'(SELECT device, "window" / {MONTHS} AS quarter FROM answers'
    ' WHERE statistic = \'worn_days\' AND length_days = 28 AND "window" >= ? AND "window" < ?'
    f' GROUP BY device, "window" / {MONTHS} HAVING sum(value) >= ? AND count(*) = {MONTHS})'
)
