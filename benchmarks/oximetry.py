"""The desaturation index of an oximeter against the apnoea that an expert marked, night by night.

    python -m benchmarks.oximetry [--nights 83]

Nights of the HuGCDN2014 set (CC BY 4.0) are looked for in VITALKEEP_DATA, or in ../shared/data: saturation at 1 Hz and
for each minute whether it held an apnoea. Nothing in the definition of a desaturation was fitted to them.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata, spearmanr

from benchmarks.child import ROOT
from benchmarks.table import table
from device_pipeline.oximetry.oximeter import Oximeter
from device_pipeline.oximetry.oxygenation import Oxygenation, OxygenSummary, summed
from sensors.samples import Gap, GapReason, Quantity, Reading

SECOND_NS = 10**9
MANY_PCT = 10.0  # of the minutes: no night of the set lies near it, they have at most 6 or at least 21


@dataclass(frozen=True, slots=True, repr=False)
class Night:
    """`spo2_pct`, shape (n,), at 1 Hz, 0 where there is none; `apnoea`, shape (minutes,), 1 where there was one."""

    name: str
    spo2_pct: NDArray[np.float64]
    apnoea: NDArray[np.float64]


def nights(path: Path) -> Iterator[Night]:
    with np.load(path) as held:
        for name in sorted({key.split("_")[0] for key in held}):
            spo2_pct = np.nan_to_num(held[f"{name}_spo2_1hz"].astype(np.float64))
            apnoea = held[f"{name}_label_1min"].astype(np.float64)[: len(spo2_pct) // 60]
            yield Night(name, spo2_pct, apnoea)


def summary(night: Night) -> OxygenSummary:
    """The night as an oximeter would have told it."""
    oximeter = Oximeter(origin_ns=0, live=False)
    oximeter.begin(0)
    found: list[object] = []
    for second, value in enumerate(night.spo2_pct.tolist()):
        if value > 0:
            found += oximeter.push(Reading(Quantity.SPO2, "spo2", second * SECOND_NS, value))
        else:
            found += oximeter.push(Gap("spo2", second * SECOND_NS, (second + 1) * SECOND_NS, GapReason.MISSING))
    found += oximeter.flush(len(night.spo2_pct) * SECOND_NS)
    whole = summed(hour for hour in found if isinstance(hour, Oxygenation))
    assert whole is not None
    return whole


def auc(positive: NDArray[np.bool_], score: NDArray[np.float64]) -> float:
    """Area under the ROC curve: how often one of the positive lies above one of the others."""
    n = int(positive.sum())
    ranks = rankdata(score)
    return float((ranks[positive].sum() - n * (n + 1) / 2) / (n * (len(score) - n)))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.oximetry", description=__doc__)
    parser.add_argument("--nights", type=int, default=83, metavar="N", help="only every so many that N are left")
    options = parser.parse_args(arguments)
    folder = Path(os.environ.get("VITALKEEP_DATA", ROOT.parent / "shared" / "data")) / "hugcdn2014"
    path = folder / "hugcdn2014_compact_derived.npz"
    if not path.exists():
        print(f"no nights: {path.name} is in neither VITALKEEP_DATA nor ../shared/data", file=sys.stderr)
        return 0
    held = list(nights(path))
    held = held[:: max(1, len(held) // options.nights)]
    started_s = time.perf_counter()
    told = [summary(night) for night in held]
    took_s = time.perf_counter() - started_s
    minutes = np.array([100 * night.apnoea.mean() for night in held])
    many = minutes >= MANY_PCT
    scores = {
        "desaturations of 3 % an hour": np.array([night.odi3_per_h or 0.0 for night in told]),
        "desaturations of 4 % an hour": np.array([night.odi4_per_h or 0.0 for night in told]),
        "time under 90 %": np.array([night.below_90_pct or 0.0 for night in told]),
    }
    rows = []
    for name, score in scores.items():
        medians = [float(np.median(score[part])) for part in (~many, many)]
        rows.append(
            [
                name,
                f"{auc(many, score):.3f}",
                f"{spearmanr(score, minutes).statistic:.3f}",
                f"{np.corrcoef(score, minutes)[0, 1]:.3f}",
                *(f"{median:.1f}" for median in medians),
            ]
        )
    print(table(["", "AUC", "Spearman", "Pearson", f"median of {(~many).sum()}", f"median of {many.sum()}"], rows))
    hours = sum(len(night.spo2_pct) for night in held) / 3600
    print(f"\n{len(held)} nights, {hours:.0f} h, in {took_s:.0f} s: {hours * 3600 / took_s:,.0f} times real time")
    return 0


if __name__ == "__main__":
    sys.exit(main())
