"""Before a bundle is let in it is tried: it fits where it is to go, and says of golden inputs what it said before."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from models.arrays import read_arrays
from models.bundle import Bundle, version_key
from models.card import ModelCard
from models.errors import BundleError, GoldenError, ModelError
from models.registry import ModelRow, Scorer, row_of

_LEAST_CALLS = 64
_MOST_ROWS = 256


@dataclass(frozen=True, slots=True)
class Golden:
    """`worst_steps`: the largest difference from the golden scores, in steps of the output; `latency_us`: the median
    of a call, in processor time."""

    rows: int
    worst_steps: float
    latency_us: float


def fitting_row(bundle: Bundle, program: str) -> ModelRow:
    """The model that it is of. Raises BundleError where this program has no place for it."""
    row = row_of(bundle.name)
    if row is None:
        raise BundleError(f"{bundle.name}: no model of this program ({program})")
    if not row.replaceable:
        raise BundleError(f"{bundle.name}: it finds beats or rates, and comes with the program alone")
    if version_key(bundle.manifest.minimum_program) > version_key(program):
        raise BundleError(
            f"{bundle.name} {bundle.version}: made for vitalkeep {bundle.manifest.minimum_program}, this is {program}"
        )
    ours = ModelCard.read(row.card)
    if _contract(bundle.card) != _contract(ours):
        raise BundleError(
            f"{bundle.name} {bundle.version}: other inputs, labels or thresholds than {ours.version}, which this"
            " program has: made for another version of it"
        )
    return row


def tried(bundle: Bundle, scorer: Scorer) -> Golden:
    """Raises GoldenError where a golden score is missed by more than a step; ModelError where it does not run."""
    where = f"{bundle.name} {bundle.version}: golden.npz"
    golden = read_arrays(bundle.golden, where)
    names = [spec.name for spec in bundle.card.inputs]
    if set(golden) != {*names, "scores"}:
        raise GoldenError(f"{where}: {sorted(golden)}, expected {sorted([*names, 'scores'])}"[:200])
    scores = golden["scores"].astype(np.float64)
    n = len(scores) if scores.ndim else 0
    if not 0 < n <= _MOST_ROWS or not np.isfinite(scores).all():
        raise GoldenError(f"{where}: {n} rows of scores, or some no numbers; 1 to {_MOST_ROWS} of numbers expected")
    for spec in bundle.card.inputs:
        if golden[spec.name].shape != (n, *spec.shape):
            raise GoldenError(f"{where}: {spec.name} {golden[spec.name].shape}, expected {(n, *spec.shape)}")
    worst, took_ns = 0.0, []
    for call in range(max(n, _LEAST_CALLS)):
        row = call % n
        inputs = {name: golden[name][row] for name in names}
        begin_ns = time.thread_time_ns()
        try:
            said = scorer(**inputs)
        except (RuntimeError, ValueError) as problem:
            raise ModelError(f"{where}: it does not run ({type(problem).__name__})") from problem
        took_ns.append(time.thread_time_ns() - begin_ns)
        if said.shape != scores[row].shape or not np.isfinite(said).all():
            raise GoldenError(
                f"{where}: row {row}: scores {said.shape} or some that are none, expected {scores[row].shape}"
            )
        worst = max(worst, float(np.abs(said - scores[row]).max()) / scorer.step)
    if worst > 1.0:
        raise GoldenError(f"{where}: off by {worst:.1f} steps, at most one expected")
    return Golden(n, worst, float(np.median(took_ns)) / 1e3)


def _contract(card: ModelCard) -> object:
    inputs = [(spec.name, spec.shape, spec.unit, spec.low, spec.high, spec.rate_hz) for spec in card.inputs]
    return inputs, card.labels, sorted(card.thresholds)
