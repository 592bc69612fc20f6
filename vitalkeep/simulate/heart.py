"""A made-up heart: beats with the breath in them, and the ECG that goes with it. No chance: each run is the same."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

# Around the R peak, in s and mV: P, Q, R, S and T as bell curves (McSharry et al., IEEE TBME 50:289, 2003).
_WAVES = ((-0.17, 0.025, 0.12), (-0.027, 0.010, -0.10), (0.0, 0.011, 1.10), (0.028, 0.010, -0.22), (0.26, 0.045, 0.30))
_REACH_S = 0.45


def beats_s(bpm: float) -> Iterator[float]:
    """Times of R peaks from 0.4 s on, for ever: faster breathing in, slower breathing out."""
    t_s = 0.4
    while True:
        yield t_s
        t_s += 60 / bpm * (1 + 0.04 * math.sin(2 * math.pi * 0.23 * t_s))


class Electrode:
    """The ECG at `fs_hz`, block after block."""

    def __init__(self, fs_hz: float, bpm: float) -> None:
        self._fs_hz = fs_hz
        self._beats = beats_s(bpm)
        self._near: list[float] = []
        self._at = 0

    def next_uv(self, n: int) -> NDArray[np.int64]:
        """The next `n` samples in microvolts."""
        t_s = (self._at + np.arange(n)) / self._fs_hz
        self._at += n
        while not self._near or self._near[-1] < t_s[-1] + _REACH_S:
            self._near.append(next(self._beats))
        self._near = [beat for beat in self._near if beat > t_s[0] - _REACH_S]
        mv = 0.05 * np.sin(2 * np.pi * 0.23 * t_s)
        for beat in self._near:
            for offset_s, width_s, height_mv in _WAVES:
                mv += height_mv * np.exp(-0.5 * ((t_s - beat - offset_s) / width_s) ** 2)
        return np.rint(mv * 1000).astype(np.int64)
