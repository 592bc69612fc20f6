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
SHIFTS = (0, -2, 2)  # points that a complex may be moved by where it is compared: R is not always the same peak
_UNIT = 4000.0  # whole numbers in a mV
_LARGEST_MV = 8.0


def whole_numbers(waves: Floats) -> Floats:
    """Waves in mV (n, POINTS) as whole numbers of 1 / _UNIT mV, without their mean."""
    units = np.rint(np.clip(np.nan_to_num(waves), -_LARGEST_MV, _LARGEST_MV) * _UNIT)
    return np.asarray(units - np.rint(units.sum(axis=1, keepdims=True) / POINTS))


def complexes(units: Floats, shift: int = 0) -> NDArray[np.float32]:
    """The QRS complexes (n, len(COMPARED)), moved, without their mean, of norm UNITY, in whole numbers."""
    part = units[:, COMPARED + shift]
    n = len(COMPARED)
    part = n * part - part.sum(axis=1, keepdims=True)
    norm = np.sqrt((part * part).sum(axis=1, keepdims=True)) + 1e-9
    return np.asarray(np.rint(part * (UNITY / norm)), dtype=np.float32)


def moved_complexes(units: Floats) -> NDArray[np.float32]:
    """The complexes at each of SHIFTS: (len(SHIFTS), n, len(COMPARED))."""
    return np.stack([complexes(units, shift) for shift in SHIFTS], dtype=np.float32)


def alike(moved: NDArray[np.float32], held: NDArray[np.float32]) -> NDArray[np.float32]:
    """Cosines in 1 / UNITY² of moved complexes (shifts, n, k) with held ones (m, k), where they fit best: (n, m)."""
    best: NDArray[np.float32] = moved[0] @ held.T
    for part in moved[1:]:
        np.maximum(best, part @ held.T, out=best)
    return best


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
    units: Floats,
    held: NDArray[np.float32],
    cosines: NDArray[np.float32],
    rr_s: Floats,
    turn: Floats,
    last: NDArray[np.float32],
) -> Usual:
    """From a window of n beats: `units` (n, POINTS), `held` (n, k) their complexes, `rr_s` (n,) with NaN.

    `cosines` (n, n) in 1 / UNITY²; `turn` (n,): how much later a beat came than was usual, thousandths; early ones
    count less. `last`: the usual complex (len(COMPARED),) until now, zeros where there is none; it is kept where it
    still fits.
    """
    n = len(units)
    near = np.asarray(cosines > ALIKE, dtype=np.float32)
    near.flat[:: n + 1] = 1.0
    weight = np.where(turn < -EARLY, 0.25, 1.0).astype(np.float32)
    count = near @ weight
    score = count * np.where(held @ last > ALIKE, 1.5, 1.0)
    first = int(np.argmax(score))
    mine = near[first]
    mine_n = float(mine.sum())
    usual = np.rint(mine.astype(np.float64) @ units / mine_n)
    others = 1 - mine
    count = (near @ others) * others
    second, theirs, theirs_n = int(np.argmax(count)), np.zeros(n), 0.0
    other = np.zeros(POINTS)
    if count[second] >= 2:
        theirs = (near[second] * others).astype(np.float64)
        theirs_n = float(theirs.sum())
        other = np.rint(theirs @ units / theirs_n)
    else:
        second = -1
    both = mine > 0
    both[1:] &= both[:-1]
    known = np.sort(rr_s[both & ~np.isnan(rr_s)])
    if len(known) < 3:
        known = np.sort(rr_s[~np.isnan(rr_s)])
    if len(known) == 0:
        known = np.array([0.8])
    m = float(known[len(known) // 2])
    spread = (known[(3 * len(known)) // 4] - known[len(known) // 4]) / m
    share, share2 = mine_n / n, theirs_n / n
    turn1 = float(mine.astype(np.float64) @ turn) / mine_n / 1000
    turn2 = float(theirs @ turn) / max(theirs_n, 1.0) / 1000
    told = np.array([m * 2 - 1.6, min(spread * 5, 4.0), share * 2, share2 * 4, turn1 * 5, turn2 * 5])
    return Usual(np.stack([usual, other]), (first, second), m, told)
