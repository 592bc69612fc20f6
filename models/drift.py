"""How far the numbers a model sees and says have moved from those where it was made; few of them never shout.

Population stability index: the sum over bins of (q - p) ln(q / p), p the share of the reference in a bin and q the
share seen. By custom below 0.1 is stable and above 0.25 has moved. Of numbers that have not moved at all it comes to
(bins - 1) / n on average (a chi-square over n), so that much is taken off, and a verdict rests on the lower end of its
95 % interval. It says that a model meets something else than where it was made, not that it is wrong.

One wearer is never a population: each of the people a model was made from lies far from all of them together. So
`drifted` needs more than 0.25 and more than any of those people comes to; where a card does not say how far that is,
`watch` is the most that can be said.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from models.card import Reference

STABLE_BELOW = 0.1
DRIFTED_ABOVE = 0.25
LEAST_PER_BIN = 30  # numbers for each bin: then what chance alone does stays below 0.03
_PSEUDO = 0.5  # of a number in each bin (Jeffreys): an empty bin is rare, not impossible
_LEAST_SHARE = 1e-4  # the same for the reference
_ONE_SIDED_95 = 1.645


class Moved(StrEnum):
    TOO_LITTLE = "too_little"
    STABLE = "stable"
    WATCH = "watch"
    DRIFTED = "drifted"


@dataclass(frozen=True, slots=True, repr=False)
class Drift:
    """`psi`, less what chance does, and `low`, its lower 95 % limit: None where `n` is less than `least_n`."""

    verdict: Moved
    n: int
    least_n: int
    psi: float | None = None
    low: float | None = None

    def __repr__(self) -> str:
        return f"<Drift {self.verdict.value} n={self.n}>"


def counts(values: NDArray[np.float64], edges: tuple[float, ...]) -> NDArray[np.int64]:
    """How many of `values` (n,) lie below, between (the lower edge counts in) and above `edges`: (len(edges) + 1,)."""
    return np.bincount(np.searchsorted(edges, values, side="right"), minlength=len(edges) + 1).astype(np.int64)


def drift(reference: Reference, seen: NDArray[np.int64]) -> Drift:
    """`seen`: counts in the bins of `reference`. Raises ValueError where there are more or fewer bins."""
    bins = len(reference.shares)
    if seen.shape != (bins,):
        raise ValueError(f"counts of shape {seen.shape}, expected ({bins},)")
    n, least_n = int(seen.sum()), LEAST_PER_BIN * bins
    if n < least_n:
        return Drift(Moved.TOO_LITTLE, n, least_n)
    p = np.maximum(np.array(reference.shares), _LEAST_SHARE)
    p /= p.sum()
    q = (seen + _PSEUDO) / (n + _PSEUDO * bins)
    ratio = np.log(q / p)
    by_chance = (bins - 1) / n
    psi = max(0.0, float(np.sum((q - p) * ratio)) - by_chance)
    slope = ratio + 1.0 - p / q  # of the index by each share seen: the delta method
    spread = float(np.sum(q * slope**2) - np.sum(q * slope) ** 2) / n + 2 * by_chance / n
    low = max(0.0, psi - _ONE_SIDED_95 * math.sqrt(max(spread, 0.0)))
    return Drift(_moved(low, reference.person), n, least_n, psi, low)


def _moved(low: float, person: float | None) -> Moved:
    if person is None:
        return Moved.WATCH if low >= STABLE_BELOW else Moved.STABLE
    if low > max(DRIFTED_ABOVE, person):
        return Moved.DRIFTED
    return Moved.WATCH if low >= max(STABLE_BELOW, person) else Moved.STABLE
