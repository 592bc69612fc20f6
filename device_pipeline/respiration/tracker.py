"""Which rate the wearer breathes at, from what each window says and what the windows around it said.

A hidden Markov model, decoded with a fixed lag: the state is the rate, and whether one of the sources shows the second
harmonic of breathing rather than breathing itself. Such a source does so for a long time, because of how the heart lies
in the chest, so what the other source once said of it is remembered. Any window may also be wrong altogether, which is
why its evidence is never worth more than OUTLIER allows.
"""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from models.respiration import OCTAVE, RATES_BPM, RATES_N

Floats = NDArray[np.float64]

LAG = 1  # windows
TEMPER = 0.5  # windows overlap by three quarters, so each says only a part of something new
OUTLIER = 0.2
HARMONIC = 0.1  # share of people in whose ECG (or PPG) the second harmonic outweighs breathing
KEEPS = 0.98  # from one window to the next the same source shows the same harmonic
WALK_BINS, JUMP = 1.2, 0.005
NEAR_BINS = 3  # a rate this near is the same: 9 %

_LOW = np.maximum(np.arange(RATES_N) - NEAR_BINS, 0)
_HIGH = np.minimum(np.arange(RATES_N) + NEAR_BINS + 1, RATES_N)
_NOTHING: Floats = np.full(RATES_N, 1.0 / RATES_N)


def evidence(logits: Floats | None) -> tuple[Floats, Floats]:
    """How likely what one source showed is at each rate, if it shows breathing, and if it shows twice of it."""
    if logits is None:
        return _NOTHING, _NOTHING
    likely = np.exp(TEMPER * (logits - logits.max()))
    likely = (1.0 - OUTLIER) * likely / likely.sum() + OUTLIER / RATES_N
    doubled = np.full(RATES_N, OUTLIER / RATES_N)
    doubled[:-OCTAVE] = likely[OCTAVE:]
    return likely, doubled


class Tracker:
    """Takes the windows one by one, in order, each with the logits of both sources, None where there are none."""

    def __init__(self) -> None:
        near = np.abs(np.arange(RATES_N)[:, None] - np.arange(RATES_N))
        walk = np.exp(-near / WALK_BINS)
        self._walk = (1.0 - JUMP) * walk / walk.sum(axis=1, keepdims=True) + JUMP / RATES_N
        self._walk_back = np.ascontiguousarray(self._walk.T)
        usual = np.array([1.0 - 2.0 * HARMONIC, HARMONIC, HARMONIC])
        self._stay = KEEPS * np.eye(3) + (1.0 - KEEPS) * usual
        self._now = usual[:, None] * _NOTHING
        self._waiting: deque[tuple[Floats, Floats]] = deque()  # (filtered, evidence) of windows not told yet

    def push(self, ecg: Floats | None, ppg: Floats | None) -> Floats | None:
        """How likely each rate was LAG windows ago, (RATES_N,); None while there was no such window."""
        (ecg_one, ecg_two), (ppg_one, ppg_two) = evidence(ecg), evidence(ppg)
        seen = np.stack((ecg_one * ppg_one, ecg_two * ppg_one, ecg_one * ppg_two))
        now = (self._stay.T @ self._now @ self._walk) * seen
        self._now = now / now.sum()
        self._waiting.append((self._now, seen))
        return self._pop() if len(self._waiting) > LAG else None

    def unknowing(self) -> Tracker:
        """One that waits for as many windows as this one, and has seen nothing in them."""
        other = Tracker()
        for _ in self._waiting:
            other.push(None, None)
        return other

    def flush(self) -> list[Floats]:
        """The last LAG windows, told with less of what came after them."""
        return [self._pop() for _ in range(len(self._waiting))]

    def _pop(self) -> Floats:
        back = np.ones((3, RATES_N))
        for _, seen in reversed(list(self._waiting)[1:]):
            back = self._stay @ (back * seen) @ self._walk_back
            back /= back.sum()
        filtered, _ = self._waiting.popleft()
        likely = (filtered * back).sum(axis=0)
        return np.asarray(likely / likely.sum(), dtype=np.float64)


def best_rate(likely: Floats) -> tuple[float, float]:
    """(rate in breaths a minute, how likely it is within NEAR_BINS of it)."""
    sums = np.zeros(RATES_N + 1)
    np.cumsum(likely, out=sums[1:])
    share = sums[_HIGH] - sums[_LOW]
    best = int(share.argmax())
    near = slice(max(0, best - NEAR_BINS), best + NEAR_BINS + 1)
    rate_bpm = float((likely[near] * RATES_BPM[near]).sum() / likely[near].sum())
    return rate_bpm, min(1.0, float(share[best]))
