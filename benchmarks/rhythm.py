"""What the device makes of the rhythm nets of people left out: python -m benchmarks.rhythm --data DIR --scratch DIR

After models.training.rhythm, which leaves folds.csv and the nets of the folds in the scratch folder. Each long record
goes beat by beat through the stage of the device, judged by the net that did not see its person.
"""

from __future__ import annotations

import argparse
import csv
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from device_pipeline.beat import Beat, BeatSource
from device_pipeline.evaluation.af import FIGURES, AfScore, AfTruth, average, gross, interval, score_af
from device_pipeline.rhythm import Rhythm, RhythmKind
from device_pipeline.rhythm_judge import RhythmJudge
from models.rhythm_input import features
from models.training import rhythm_records
from models.training.dense import Net
from models.training.rhythm import END, FOLDS, START
from models.training.rhythm_records import Heard

LONG = ("afdb", "nsrdb", "mitdb", "apnea_ecg", "hugcdn2014")


class LeftOut:
    """The net of one fold in floating point, as a RhythmModel."""

    name, version = "rhythm", "left out"

    def __init__(self, net: Net, start: float, end: float) -> None:
        self._net = net
        self.start, self.end = start, end

    def probability(self, rr_s: NDArray[np.float64]) -> float:
        return float(1 / (1 + np.exp(-self._net(features(rr_s)[None].astype(np.float32))[0, 0])))


def nets(path: Path) -> list[Net]:
    with np.load(path) as held:
        layers = sum(name.startswith("w") and name.endswith("_0") for name in held.files)
        return [
            Net([held[f"w{k}_{n}"] for k in range(layers)], [held[f"b{k}_{n}"] for k in range(layers)])
            for n in range(FOLDS)
        ]


def scored(record: Heard, model: LeftOut) -> AfScore:
    rhythm = Rhythm(RhythmJudge(lambda: model))
    times_ns = np.round(record.times_s * 1e9).astype(np.int64)
    rr_s = [None, *np.diff(record.times_s).tolist()]
    spans = [
        span
        for t_ns, rr in zip(times_ns.tolist(), rr_s, strict=True)
        for span in rhythm.push(Beat(t_ns, BeatSource.ANNOTATION, rr))
    ] + rhythm.flush()
    told = [(span.start_ns, span.end_ns) for span in spans if span.kind is RhythmKind.AFIB]
    known = [(span.start_ns, span.end_ns) for span in spans]
    return score_af(times_ns, _truth(times_ns, record.af), told, known, int(times_ns[-1]))


def _truth(times_ns: NDArray[np.int64], af: NDArray[np.int64]) -> AfTruth:
    changes = np.flatnonzero(np.diff(af)) + 1
    edges = [0, *changes.tolist(), len(af) - 1]
    spans = [
        (int(times_ns[start]), int(times_ns[end]), int(af[start])) for start, end in pairwise(edges) if end > start
    ]
    masked = tuple((start, end) for start, end, kind in spans if kind < 0)
    return AfTruth(tuple((start, end) for start, end, kind in spans if kind == 1), masked, masked, annotated=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--scratch", type=Path, required=True)
    parser.add_argument("--sets", nargs="*", default=LONG)
    parser.add_argument("--start", type=float, default=START, help="probability at which an episode begins")
    parser.add_argument("--end", type=float, default=END, help="and at which it ends")
    parser.add_argument("--records", action="store_true", help="a line for each record too")
    wanted = parser.parse_args()
    heard = [record for record in rhythm_records.read(wanted.data, wanted.scratch) if record.set in wanted.sets]
    held = [LeftOut(net, wanted.start, wanted.end) for net in nets(wanted.scratch / "left_out.npz")]
    with (wanted.scratch / "folds.csv").open(encoding="utf-8", newline="") as file:
        fold = {(row[0], row[1]): int(row[2]) for row in csv.reader(file)}
    for name in wanted.sets:
        mine = [record for record in heard if record.set == name]
        scores = [scored(record, held[fold[record.set, record.person]]) for record in mine]
        if wanted.records:
            for record, score in zip(mine, scores, strict=True):
                print(f"  {record.person}: tp {score.tp} fn {score.fn} fp {score.fp} tn {score.tn}", flush=True)
        total = gross(scores)
        print(f"{name}: {len(scores)} records, {(total.told - total.told_true)} false episodes")
        for figure in FIGURES:
            value, spread = getattr(total, figure), interval(scores, figure)
            if value is not None:
                told = "" if spread is None else f" ({spread[0]:.4f} to {spread[1]:.4f})"
                mean, n = average(scores, figure)
                print(f"  {figure} {value:.4f}{told}, mean of {n} records {mean:.4f}", flush=True)


if __name__ == "__main__":
    main()
