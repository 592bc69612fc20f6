"""How far a stretch of a pulse wave can be trusted: every number comes from the wave itself, whatever its unit.

The parts, each 0 to 1 (`_part` maps [bad, fine] to it); the index is the smallest of them, so that no virtue hides a
fault:

- likeness: the median correlation of each pulse with the mean pulse of the stretch's surroundings (Orphanidou et al.
  2015, doi:10.1109/JBHI.2014.2338351, who ask for 0.86 on average);
- steadiness: how little the heights of the upstrokes spread around their median;
- explained: how much of all that rises in the wave belongs to an upstroke that was taken for a pulse;
- lopsidedness: the skewness of the slope (Elgendi 2016, doi:10.3390/bioengineering3040021, finds skewness the best
  single index): a pulse rises faster than it falls, noise does not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

GOOD_INDEX = 0.5
LIKENESS = (0.72, 0.96)
SPREAD = (0.80, 0.20)
EXPLAINED = (0.50, 0.90)
SKEWNESS = (0.0, 0.5)
CLIPPED_SHARE = (0.15, 0.02)  # of the samples lie in flat runs at the rail
MIN_STEPS = 8.0  # a pulse that is not this many steps of the converter high cannot be told from its rounding


@dataclass(frozen=True, slots=True)
class Verdict:
    """`reason` is None where `index` >= GOOD_INDEX."""

    index: float
    reason: str | None


def judge_pulses(
    slope: NDArray[np.float64],
    peaks: NDArray[np.intp],
    heights: NDArray[np.float64],
    *,
    risen: float,
    skewness: float,
    width: tuple[int, int],
) -> Verdict:
    """Judges the pulses at `peaks` (indices of the steepest upstroke in `slope`), whose upstrokes rise by `heights`.

    `risen` is the sum of everything that rises in the same stretch, `width` the samples before and after a peak that
    make up a pulse. Fewer than three pulses cannot be compared: index 0.
    """
    if len(peaks) < 3:
        return Verdict(0.0, "noise")
    before, after = width
    inside = peaks[(peaks >= before) & (peaks + after <= len(slope))]
    if len(inside) < 3:
        return Verdict(0.0, "noise")
    pulses = slope[inside[:, None] + np.arange(-before, after)]
    pulses = pulses - pulses.mean(axis=1, keepdims=True)
    pulses /= np.sqrt(np.einsum("ij,ij->i", pulses, pulses))[:, None] + 1e-300
    total = pulses.sum(axis=0)
    # each pulse against the mean of the others: against a mean that holds itself even noise looks alike
    others = total - pulses
    likeness = np.einsum("ij,ij->i", pulses, others) / (np.sqrt(np.einsum("ij,ij->i", others, others)) + 1e-300)
    middle = float(np.median(heights))
    spread = float(np.median(np.abs(heights - middle))) * 1.4826 / middle if middle > 0 else 1.0
    explained = float(heights.sum()) / risen if risen > 0 else 0.0
    index = min(
        _part(float(np.median(likeness)), LIKENESS),
        _part(spread, SPREAD),
        _part(explained, EXPLAINED),
        _part(skewness, SKEWNESS),
    )
    return Verdict(index, None if index >= GOOD_INDEX else "noise")


def clipped_index(raw: NDArray[np.float64], low: float, high: float, run: int) -> float:
    """1 where no sample lies in a run of `run` or more equal samples at the rails `low` and `high`, 0 where many do."""
    n = len(raw)
    if n < run:
        return 1.0
    at_rail = ((raw == low) | (raw == high)).astype(np.int8)
    if int(at_rail.sum()) < run:
        return 1.0
    edges = np.flatnonzero(np.diff(at_rail, prepend=0, append=0))
    lengths = edges[1::2] - edges[::2]
    return _part(float(lengths[lengths >= run].sum()) / n, CLIPPED_SHARE)


def steps_high(height: float, raw: NDArray[np.float64]) -> float:
    """How many steps of the converter a pulse is high; the smallest change in `raw` is the step."""
    changes = np.abs(np.diff(raw))
    changes = changes[changes > 0]
    return height / float(changes.min()) if len(changes) else 0.0


def _part(value: float, ends: tuple[float, float]) -> float:
    bad, fine = ends
    return min(1.0, max(0.0, (value - bad) / (fine - bad)))
