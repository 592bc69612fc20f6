"""Shapes of beats that were seen before, kept over about twenty minutes: what outlasts them is what is usual.

Where odd beats fill minutes, the last two minutes alone would call them usual. Every sum is one of whole numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.beat_input import POINTS
from models.usual_beats import ALIKE, COMPARED, EARLY, alike, complexes
from models.waveform import Floats

KEPT = 6
_FADE = 1 - 1 / 128  # of a shape's weight, each time beats are added
_HEAVIEST = 200.0  # a shape follows what changes slowly
_SLOW = 1 / 24  # of the usual interval, each time


@dataclass(frozen=True, slots=True)
class Shapes:
    """`usual` (POINTS,), whole; `complexes` (KEPT, len(COMPARED)); of each its share, and how much later it comes."""

    usual: Floats
    complexes: NDArray[np.float32]
    share: Floats
    turn: Floats
    rr_s: float
    place: int  # of the usual one


class KeptShapes:
    """Takes beats in groups of a few."""

    def __init__(self) -> None:
        self._units = np.zeros((KEPT, POINTS))
        self._complexes = np.zeros((KEPT, len(COMPARED)), dtype=np.float32)
        self._weight = np.zeros(KEPT)
        self._turn = np.zeros(KEPT)
        self._rr_s: float | None = None

    def add(self, units: Floats, norms: NDArray[np.float32], turn: Floats, rr_s: float) -> Shapes:
        """`units` (n, POINTS), `norms` (shifts, n, k) their complexes, `turn` as in usual_beats; `rr_s` the
        interval that is usual by now."""
        self._weight = self._weight * _FADE
        n = len(units)
        for _ in range(2):
            cosines = alike(norms, self._complexes)
            best = np.argmax(cosines, axis=1)
            fits = cosines[np.arange(n), best] > ALIKE
            if fits.all():
                break
            new = norms[0, np.argmin(fits)]
            place = int(np.argmin(self._weight))
            self._units[place], self._complexes[place] = units[np.argmin(fits)], new
            self._weight[place], self._turn[place] = 0.0, 0.0
        mine = (best[:, None] == np.arange(KEPT)) & fits[:, None]
        count = mine.sum(axis=0)
        heavy = np.minimum(self._weight, _HEAVIEST)
        total = np.maximum(heavy + count, 1e-9)
        where = np.flatnonzero(count)
        sums = mine[:, where].T.astype(np.float64) @ units
        self._units[where] = np.rint((self._units[where] * heavy[where, None] + sums) / total[where, None])
        late = mine[:, where].T.astype(np.float64) @ turn
        self._turn[where] = np.rint((self._turn[where] * heavy[where] + late) / total[where])
        self._complexes[where] = complexes(self._units[where])
        self._weight += count
        self._rr_s = rr_s if self._rr_s is None else self._rr_s + _SLOW * (rr_s - self._rr_s)
        score = self._weight * np.where(self._turn < -EARLY, 0.25, 1.0)
        place = int(np.argmax(score))
        share = self._weight / max(float(self._weight.sum()), 1e-9)
        return Shapes(self._units[place].copy(), self._complexes.copy(), share, self._turn.copy(), self._rr_s, place)
