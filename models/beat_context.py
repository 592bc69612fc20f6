"""The beats of one lead in order, held as long as their neighbours need them; what the net sees does not depend on
how they were grouped."""

from __future__ import annotations

import numpy as np

from models.beat_features import AHEAD, NAMES, PAST, Held, Setting, features
from models.beat_input import POINTS
from models.beat_times import LOCAL, later
from models.kept_shapes import KeptShapes
from models.usual_beats import COMPARED, SHIFTS, alike, complexes, moved_complexes, usual_beats, whole_numbers
from models.waveform import Floats

_GRID = 8  # so many beats share what is usual
_AT_ONCE = 128  # beats worked out together, at most: what bounds the memory
_SPARE = 256  # beats that are let go of together
_SHORTEST_S, _LONGEST_S = 0.15, 3.0  # an interval outside is none


class BeatContext:
    """Beats of one lead in order; gives the inputs of those whose neighbours are known."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        empty = np.empty((len(SHIFTS), 0, len(COMPARED)), dtype=np.float32)
        self._held = Held(np.empty((0, POINTS)), empty, np.empty(0), np.empty(0))
        self._first = 0  # number of the first beat that is held
        self._next = 0  # number of the next beat to be told
        self._usual = complexes(np.zeros((1, POINTS)))[0]
        self._shapes = KeptShapes()
        self._kept = 0  # number of the first beat that the shapes were not told of
        self._settings: dict[int, tuple[Setting, int]] = {}  # with the number of the first beat that it is from

    @property
    def held(self) -> int:
        """Beats held."""
        return len(self._held.turn)

    def push(self, waves: Floats, rr_s: Floats) -> Floats:
        """`waves` (n, POINTS) in mV, `rr_s` (n,) the interval before each, NaN where not known: (m, len(NAMES))."""
        if not len(waves):
            return np.empty((0, len(NAMES)))
        units = whole_numbers(waves)
        held, seen = self._held, self.held
        sound = (rr_s >= _SHORTEST_S) & (rr_s <= _LONGEST_S)
        intervals_s = np.concatenate([held.rr_s, np.where(sound, rr_s, np.nan)])
        self._held = Held(
            np.concatenate([held.units, units]),
            np.concatenate([held.moved, moved_complexes(units)], axis=1),
            intervals_s,
            np.concatenate([held.turn, later(intervals_s, seen)]),
        )
        return self._tell(self._first + self.held - AHEAD)

    def flush(self) -> Floats:
        """What was still waiting for its neighbours; then all is forgotten."""
        out = self._tell(self._first + self.held)
        self._begin()
        return out

    def _tell(self, stop: int) -> Floats:
        done = [np.empty((0, len(NAMES)))]
        for at in range(self._next, stop, _AT_ONCE):
            to = min(stop, at + _AT_ONCE)
            cells = range(at // _GRID, (to - 1) // _GRID + 1)
            settings = []
            for c in cells:
                if c not in self._settings:
                    self._settings[c] = self._settle(c)
                setting, number = self._settings[c]
                settings.append(Setting(setting.usual, setting.shapes, number - self._first))
            rows = range(at - self._first, to - self._first)
            done.append(features(self._held, rows, settings, np.arange(at, to) // _GRID - cells.start))
        self._next = max(stop, self._next)
        cut = self._next - PAST - LOCAL - _GRID - self._first
        if cut >= _SPARE:
            held = self._held
            self._held = Held(held.units[cut:], held.moved[:, cut:], held.rr_s[cut:], held.turn[cut:])
            self._first += cut
        for c in [c for c in self._settings if (c + 1) * _GRID <= self._next]:
            del self._settings[c]
        return np.concatenate(done)

    def _settle(self, c: int) -> tuple[Setting, int]:
        """What is usual for the beats of a cell: from those up to AHEAD after its first one."""
        low = max(0, c * _GRID + AHEAD - PAST)
        a, b = low - self._first, min(c * _GRID + AHEAD + 1 - self._first, self.held)
        held = self._held
        moved = held.moved[:, a:b]
        near = alike(moved, moved[0])
        usual = usual_beats(held.units[a:b], moved[0], near, held.rr_s[a:b], held.turn[a:b], self._usual)
        self._usual = complexes(usual.units[:1])[0]
        new = slice(self._kept - self._first, b)
        shapes = self._shapes.add(held.units[new], held.moved[:, new], held.turn[new], usual.rr_s)
        self._kept = b + self._first
        return Setting(usual, shapes, a), low
