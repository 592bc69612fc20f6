"""How exact the figures are that may leave, by simulation: the tables that docs/privacy.md quotes.

python -m benchmarks.privacy_tables [--draws 2000]
"""

from __future__ import annotations

import argparse

from sync.count_noise import count_within
from sync.private.error_bars import WORN_OF_QUARTER, expected, made_up_day
from sync.private.registry import STATISTICS
from sync.private.window import QUARTER_DAYS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=2000, help="simulated windows of each row")
    draws = parser.parse_args().draws
    print("| figure | days worn | mean error | 95 % within |")
    print("|---|---|---|---|")
    for statistic in STATISTICS:
        quarter = statistic.length_days == QUARTER_DAYS
        worn_days = WORN_OF_QUARTER if quarter else (statistic.length_days, 0)
        for one in expected(statistic, made_up_day, worn_days, draws):
            worn = f"{one.worn_days} of {statistic.length_days}"
            print(f"| `{statistic.name}` | {worn} | {one.mean_error:.2f} {statistic.unit} | {one.within:.1f} |")
    print(f"\nof a count at ε = 0.5, by its formula: 95 % within {count_within(0.5)} days")


if __name__ == "__main__":
    main()
