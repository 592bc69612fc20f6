"""How far a stretch of a pulse wave can be trusted: every number comes from the wave itself, whatever its unit.

The parts, each 0 to 1 (`_part` maps [bad, fine] to it); the index is the smallest of them, so that no virtue hides a
fault:

- likeness: the median correlation of each pulse with the mean pulse of the stretch's surroundings (Orphanidou et al.
  2015, doi:10.1109/JBHI.2014.2338351, who ask for 0.86 on average);
- steadiness: how little the heights of the upstrokes spread around their median;
- explained: how much of all that rises in the wave belongs to an upstroke that was taken for a pulse;
- lean: the skewness of the wave and of its slope (Elgendi 2016, doi:10.3390/bioengineering3040021, finds skewness the
  best single index): a pulse rises faster than it falls and is low longer than high, noise is neither.

Apart from these a stretch can be clipped, or its pulses drown in the steps of the converter (low perfusion).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

GOOD_INDEX = 0.5
LIKENESS = (0.72, 0.96)
SPREAD = (0.80, 0.20)
EXPLAINED = (0.25, 0.75)
LEAN = (0.0, 0.6)
MIN_PULSES = 3  # fewer cannot be compared
CLIPPED_RUN_S = 0.06
CLIPPED_SHARE = (0.15, 0.02)  # of the samples lie in flat runs at the rail
MIN_STEPS = 8.0  # a pulse that is not this many steps of the converter high cannot be told from its rounding


@dataclass(frozen=True, slots=True)
class Verdict:
    """`reason` is None where `index` >= GOOD_INDEX."""

    index: float
    reason: str | None


def judge_wave(
    slope: NDArray[np.float64],
    peaks: NDArray[np.intp],
    heights: NDArray[np.float64],
    *,
    risen: float,
    lean: float,
    width: tuple[int, int],
    level: float,
    raw: NDArray[np.float64],
    own: NDArray[np.float64],
    fs_hz: float,
) -> Verdict:
    """Judges the stretch whose samples are `own`, in surroundings whose samples are `raw` (both at `fs_hz`).

    `slope` is the slope of the surroundings, smoothed and perhaps thinned; `peaks` the indices in it of the pulses, at
    their steepest; `heights` how far each of them rises; `risen` the sum of all that rises; `width` the samples before
    and after a peak that make up a pulse; `lean` as in `pulse_wave`; `level` the usual height in units of `raw`.
    """
    index = _likeness_index(slope, peaks, heights, risen=risen, lean=lean, width=width)
    if _steps_high(level, raw) < MIN_STEPS:
        return Verdict(min(index, 0.5 * GOOD_INDEX), "low_perfusion")
    clipped = _clipped_index(own, float(raw.min()), float(raw.max()), max(3, round(CLIPPED_RUN_S * fs_hz)))
    if clipped < min(index, GOOD_INDEX):
        return Verdict(clipped, "clipped")
    return Verdict(index, None if index >= GOOD_INDEX else "noise")


def _likeness_index(
    slope: NDArray[np.float64],
    peaks: NDArray[np.intp],
    heights: NDArray[np.float64],
    *,
    risen: float,
    lean: float,
    width: tuple[int, int],
) -> float:
    before, after = width
    inside = peaks[(peaks >= before) & (peaks + after <= len(slope))]
    if len(inside) < MIN_PULSES or risen <= 0:
        return 0.0
    pulses = slope[inside[:, None] + np.arange(-before, after)]
    pulses -= pulses.sum(axis=1, keepdims=True) / (before + after)
    pulses /= np.sqrt((pulses * pulses).sum(axis=1))[:, None] + 1e-300
    # each pulse against the mean of the others: against a mean that holds itself even noise looks alike
    others = pulses.sum(axis=0) - pulses
    likeness = (pulses * others).sum(axis=1) / (np.sqrt((others * others).sum(axis=1)) + 1e-300)
    middle = _median(heights)
    spread = 1.4826 * _median(np.abs(heights - middle)) / middle
    return min(
        _part(_median(likeness), LIKENESS),
        _part(spread, SPREAD),
        _part(float(heights.sum()) / risen, EXPLAINED),
        _part(lean, LEAN),
    )


def _clipped_index(raw: NDArray[np.float64], low: float, high: float, run: int) -> float:
    """1 where no sample lies in a run of `run` or more equal samples at the rails `low` and `high`, 0 where many do."""
    at_rail = (raw == low) | (raw == high)
    if np.count_nonzero(at_rail) < run:
        return 1.0
    edges = np.flatnonzero(np.diff(at_rail.astype(np.int8), prepend=0, append=0))
    lengths = edges[1::2] - edges[::2]
    return _part(float(lengths[lengths >= run].sum()) / len(raw), CLIPPED_SHARE)


def _steps_high(height: float, raw: NDArray[np.float64]) -> float:
    """How many steps of the converter a pulse is high; the smallest change in `raw` is the step."""
    changes = np.abs(raw[1:] - raw[:-1])
    step = float(changes.min(where=changes > 0, initial=np.inf))
    return height / step


def _median(v: NDArray[np.float64]) -> float:
    ordered = np.sort(v)
    n = len(ordered)
    return 0.5 * float(ordered[(n - 1) // 2] + ordered[n // 2])


def _part(value: float, ends: tuple[float, float]) -> float:
    bad, fine = ends
    return min(1.0, max(0.0, (value - bad) / (fine - bad)))
