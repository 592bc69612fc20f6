"""How long the first answer takes: `vitalkeep --version`, a process of its own each time."""

from __future__ import annotations

import statistics
import sys
from pathlib import Path

from benchmarks.child import run_measured
from benchmarks.table import table

RUNS = 5


def main() -> None:
    command = Path(sys.executable).with_name("vitalkeep")
    rows = []
    for option in ("--version", "--help"):
        measured = [run_measured([command, option]) for _ in range(RUNS)]
        wall_s = statistics.median(each.wall_s for each in measured)
        rows.append([f"vitalkeep {option}", f"{wall_s:.3f}", f"{max(each.max_rss_mb for each in measured):.0f}"])
    print(f"Median of {RUNS} runs\n")
    print(table(["command", "s", "peak MB"], rows))


if __name__ == "__main__":
    main()
