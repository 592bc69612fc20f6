"""The beats of one lead in order, held as long as their neighbours need them; what the net sees does not depend on
how they were grouped."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.beat_features import AHEAD, LOCAL, NAMES, PAST, features, later
from models.beat_input import POINTS
from models.usual_beats import COMPARED, Usual, complexes, usual_beats, whole_numbers
from models.waveform import Floats

_GRID = 8  # so many beats share their usual beats
_SHORTEST_S, _LONGEST_S = 0.15, 3.0  # an interval outside is none
_AT_ONCE = 128  # beats worked out together, at most: what bounds the memory


class BeatContext:
    """Beats of one lead in order; gives the inputs of those whose neighbours are known."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._units = np.empty((0, POINTS))
        self._norms = np.empty((0, len(COMPARED)), dtype=np.float32)
        self._rr = np.empty(0)
        self._turn = np.empty(0)
        self._first = 0  # number of the first beat that is held
        self._next = 0  # number of the next beat to be told
        self._usual: dict[int, tuple[Usual, int]] = {}
        self._last: NDArray[np.float32] | None = None

    @property
    def held(self) -> int:
        """Beats held."""
        return len(self._rr)

    def push(self, waves: Floats, rr_s: Floats) -> Floats:
        if not len(waves):
            return np.empty((0, len(NAMES)))
        units = whole_numbers(waves)
        rr_s = np.where((rr_s >= _SHORTEST_S) & (rr_s <= _LONGEST_S), rr_s, np.nan)
        seen = len(self._rr)
        self._units = np.concatenate([self._units, units])
        self._norms = np.concatenate([self._norms, complexes(units)])
        self._rr = np.concatenate([self._rr, rr_s])
        self._turn = np.concatenate([self._turn, later(self._rr, seen)])
        return self._tell(self._first + len(self._rr) - AHEAD)

    def flush(self) -> Floats:
        out = self._tell(self._first + len(self._rr))
        self._begin()
        return out

    def _tell(self, stop: int) -> Floats:
        start, stop = self._next, max(stop, self._next)
        done = [np.empty((0, len(NAMES)))]
        for at in range(start, stop, _AT_ONCE):
            to = min(stop, at + _AT_ONCE)
            cells = range(at // _GRID, (to - 1) // _GRID + 1)
            for c in cells:
                if c not in self._usual:
                    self._usual[c] = self._settle(c)
            usual = [self._usual[c][0] for c in cells]
            origins = np.array([self._usual[c][1] for c in cells]) - self._first
            cell = np.arange(at, to) // _GRID - cells.start
            rows = range(at - self._first, to - self._first)
            done.append(features(self._units, self._norms, self._rr, self._turn, rows, usual, cell, origins))
        self._next = stop
        keep = max(self._first, self._next - PAST - LOCAL - _GRID)
        if keep - self._first >= 256:
            cut = keep - self._first
            self._units, self._norms = self._units[cut:], self._norms[cut:]
            self._rr, self._turn = self._rr[cut:], self._turn[cut:]
            self._first = keep
        for c in [c for c in self._usual if (c + 1) * _GRID <= self._next]:
            del self._usual[c]
        return np.concatenate(done)

    def _settle(self, c: int) -> tuple[Usual, int]:
        low = max(0, c * _GRID + AHEAD - PAST)
        a, b = low - self._first, min(c * _GRID + AHEAD + 1 - self._first, len(self._rr))
        made = usual_beats(self._units[a:b], self._norms[a:b], self._rr[a:b], self._turn[a:b], self._last)
        self._last = complexes(made.units[:1])[0]
        return made, low
