"""How fast and how large each file of a model is on this machine, and which of them says the same the soonest.

Times are of single calls on golden inputs, by the clock; memory is what the process grew by when a net was loaded and
first called.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.card import ModelCard
from models.interpreter import Net
from models.registry import ModelRow, Scorer
from models.variant_choice import files

WARM_N = 5
LEAST_N, MOST_N = 20, 2000
SAME_STEPS = 16.0  # of the coarsest output among the files: what two roundings of one net may lie apart, summed up
FASTER = 0.9  # share of the shipped file's time that another must stay below to be taken for it


@dataclass(frozen=True, slots=True)
class Timed:
    """One file of a model with so many threads; times in µs of one call.

    `memory_kib`: None where the system does not tell it. `apart`: the largest difference of a score from the shipped
    file's; `same`: whether that is within bounds.
    """

    model: str
    weights: str
    sha256: str
    precision: str
    size_bytes: int
    threads: int
    calls: int
    p50_us: float
    p99_us: float
    memory_kib: int | None
    apart: float
    same: bool


def timed(row: ModelRow, threads: Sequence[int], seconds: float) -> Iterator[Timed]:
    """Every file of the model's card with every number of threads, the shipped one first; `seconds` for each.

    Raises ModelError, OSError where one of them cannot be run.
    """
    card = ModelCard.read(row.card)
    with np.load(row.golden) as golden:
        inputs = [
            {spec.name: np.asarray(golden[spec.name][k]) for spec in card.inputs} for k in range(len(golden["scores"]))
        ]
    held: list[Scorer] = []  # what was loaded stays, lest the next one be given its memory
    shipped: NDArray[np.float64] | None = None
    steps: list[float] = []
    for file in files(card):
        is_net = file.weights.endswith(".tflite")
        for count in threads if is_net else (1,):
            before_kib = _resident_kib()
            weights = row.card.with_name(file.weights).read_bytes()
            net: Scorer = Net(weights, card, count) if row.scorer is Net else row.scorer(weights, card)
            held.append(net)
            net(**inputs[0])
            after_kib = _resident_kib()
            said = np.array([net(**one) for one in inputs])
            shipped = said if shipped is None else shipped
            steps.append(net.step)
            apart = float(np.abs(said - shipped).max())
            took_us = _times_us(net, inputs, seconds)
            yield Timed(
                card.name,
                file.weights,
                file.sha256,
                file.precision,
                file.size_bytes,
                count,
                len(took_us),
                float(np.percentile(took_us, 50)),
                float(np.percentile(took_us, 99)),
                None if before_kib is None or after_kib is None else max(0, after_kib - before_kib),
                apart,
                apart <= SAME_STEPS * max(steps),
            )


def best(rows: Sequence[Timed]) -> Timed:
    """Of one model, with one thread: the shipped file, or the fastest that says the same and is faster by a tenth.

    With one thread, since the others of a small machine have the radio and the store to serve.
    """
    alone = [row for row in rows if row.threads == 1]
    shipped = alone[0]
    others = [row for row in alone[1:] if row.same and row.p50_us < FASTER * shipped.p50_us]
    return min(others, key=lambda row: row.p50_us, default=shipped)


def cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0))


def _times_us(net: Scorer, inputs: list[dict[str, NDArray[np.float64]]], seconds: float) -> NDArray[np.float64]:
    for k in range(WARM_N):
        net(**inputs[k % len(inputs)])
    took: list[int] = []
    until_ns = time.perf_counter_ns() + round(seconds * 1e9)
    while len(took) < LEAST_N or (len(took) < MOST_N and time.perf_counter_ns() < until_ns):
        one = inputs[len(took) % len(inputs)]
        began_ns = time.perf_counter_ns()
        net(**one)
        took.append(time.perf_counter_ns() - began_ns)
    return np.array(took) / 1e3


def _resident_kib() -> int | None:
    """Memory of this process that is no file's; None where /proc does not say."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) for line in lines if line.startswith("RssAnon:")), None)
