"""How often noise alone flags a person for AF-days, and how often it hides one: the tables that the docs quote.

python -m benchmarks.af_decisions [--draws 1000000]

By the closed forms of sync/clinic/af_decision.py; at the end, the largest difference to what drawn noise gives.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence

import numpy as np

from benchmarks.table import table
from sync.clinic.af_decision import EPSILON, THRESHOLDS, DecisionTable, decision_table, percent


def shown(found: DecisionTable, rows: Sequence[tuple[int, tuple[float, ...]]]) -> str:
    head = ["true days", *(f"{threshold} or more" for threshold in found.thresholds)]
    return table(head, [[str(days), *map(percent, rates)] for days, rates in rows])


def furthest(found: DecisionTable, draws: int, seed: int = 1) -> float:
    """The largest difference of a rate of `rows` to the share of drawn noise, as a probability."""
    chance, p = np.random.default_rng(seed), -math.expm1(-found.epsilon)
    noise = chance.geometric(p, draws) - chance.geometric(p, draws)
    return max(
        abs(rate - float((days + noise >= threshold).mean()))
        for days, rates in found.rows
        for threshold, rate in zip(found.thresholds, rates, strict=True)
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=1_000_000)
    draws = parser.parse_args().draws
    found = decision_table(THRESHOLDS, epsilon=EPSILON)
    print(f"flagged in one window, ε = {found.epsilon:g}\n\n{shown(found, found.rows)}\n")
    print(f"flagged in two windows in a row\n\n{shown(found, found.twice)}\n")
    rates = ", ".join(
        f"{threshold} or more: {percent(rate)}"
        for threshold, rate in zip(found.thresholds, found.in_a_year, strict=True)
    )
    print(f"without a single such day, at least once in a year of 13 windows: {rates}")
    print(f"furthest from {draws:,} draws: {100 * furthest(found, draws):.2f} percentage points")


if __name__ == "__main__":
    main()
