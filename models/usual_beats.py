"""The wearer's usual beats, out of the last two minutes: whatever is odd is so against them.

Every sum here is one of whole numbers, hence exact, in whatever order it is taken.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.beat_input import BEFORE, POINTS
from models.waveform import Floats

UNITY = 1000.0  # norm of a QRS complex where complexes are compared
ALIKE = 0.85 * UNITY**2
EARLY = 120  # thousandths of the usual interval
COMPARED = np.arange(BEFORE - 14, BEFORE + 20)  # the points that complexes are compared at
_UNIT = 4000.0  # whole numbers in a mV
_LARGEST_MV = 8.0


def whole_numbers(waves: Floats) -> Floats:
    """Waves in mV (n, POINTS) as whole numbers of 1 / _UNIT mV, without their mean."""
    units = np.rint(np.clip(np.nan_to_num(waves), -_LARGEST_MV, _LARGEST_MV) * _UNIT)
    return np.asarray(units - np.rint(units.sum(axis=1, keepdims=True) / POINTS))


def complexes(units: Floats) -> NDArray[np.float32]:
    """The QRS complexes (n, len(COMPARED)) without their mean, of norm UNITY, in whole numbers."""
    part = units[:, COMPARED]
    n = len(COMPARED)
    part = n * part - part.sum(axis=1, keepdims=True)
    norm = np.sqrt((part * part).sum(axis=1, keepdims=True)) + 1e-9
    return np.asarray(np.rint(part * (UNITY / norm)), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Usual:
    """The wearer's usual beats while some beats pass: `units` (2, POINTS), whole; the second is the next most usual.

    `medoids`: which beats of the window stand for them (the second is -1 where there is none); `rr_s`: the interval
    between two usual beats; `told` the numbers that go into every beat's input.
    """

    units: Floats
    medoids: tuple[int, int]
    rr_s: float
    told: Floats


def usual_beats(
    units: Floats, norms: NDArray[np.float32], rr_s: Floats, turn: Floats, last: NDArray[np.float32] | None
) -> Usual:
    """From a window of n beats: `units` (n, POINTS), `norms` their `complexes`, `rr_s` (n,) with NaN.

    `turn` (n,): how much later a beat came than was usual, thousandths; early ones count less. `last`: the usual
    complex (len(COMPARED),) until now, which is kept where it still fits.
    """
    n = len(units)
    near = norms @ norms.T > ALIKE
    near.flat[:: n + 1] = True
    ones = near.astype(np.float32)  # sums of quarters, exact in it
    count = ones @ np.where(turn < -EARLY, np.float32(0.25), np.float32(1.0))
    score = count
    if last is not None:
        fits = norms @ last
        score = count * np.where(fits > ALIKE, 1.5, 1.0)
    first = int(np.argmax(score))
    mine = near[first]
    usual = np.rint(units[mine].sum(axis=0) / np.count_nonzero(mine))
    others = ~mine
    second, other = -1, np.zeros(POINTS)
    if np.count_nonzero(others) >= 2:
        count2 = np.where(others, ones @ others.astype(np.float32), 0.0)
        second = int(np.argmax(count2))
        if count2[second] >= 2:
            theirs = near[second] & others
            other = np.rint(units[theirs].sum(axis=0) / np.count_nonzero(theirs))
        else:
            second = -1
    both = mine.copy()
    both[1:] &= mine[:-1]
    known = np.sort(rr_s[both & ~np.isnan(rr_s)])
    if len(known) < 3:
        known = np.sort(rr_s[~np.isnan(rr_s)])
    if len(known) == 0:
        known = np.array([0.8])
    m = float(known[len(known) // 2])
    spread = (known[(3 * len(known)) // 4] - known[len(known) // 4]) / m
    share = np.count_nonzero(mine) / n
    share2, turn2 = 0.0, 0.0
    if second >= 0:
        share2 = np.count_nonzero(theirs) / n
        turn2 = float(turn[theirs].sum()) / np.count_nonzero(theirs) / 1000
    turn1 = float(turn[mine].sum()) / np.count_nonzero(mine) / 1000
    told = np.array([m * 2 - 1.6, min(spread * 5, 4.0), share * 2, share2 * 4, turn1 * 5, turn2 * 5])
    return Usual(np.stack([usual, other]), (first, second), m, told)
