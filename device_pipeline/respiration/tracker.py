"""Which rate the wearer breathes at, from what each window says and what the windows around it said.

A hidden Markov model, decoded with a fixed lag: the state is the rate, and whether one of the sources shows the second
harmonic of breathing rather than breathing itself. Such a source does so for a long time, because of how the heart lies
in the chest, so what the other source once said of it is remembered. Any window may also be wrong altogether, which is
why its evidence is never worth more than OUTLIER allows.
"""

from __future__ import annotations

from collections.abc import Sequence

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


def evidence(logits: Sequence[Floats | None]) -> tuple[Floats, Floats]:
    """How likely what one source showed in k windows is at each rate, if it shows breathing, and if it shows twice of
    it: (k, RATES_N) each."""
    likely, doubled = np.full((2, len(logits), RATES_N), 1.0 / RATES_N)
    told = [row for row, seen in enumerate(logits) if seen is not None]
    if told:
        rows = np.stack([seen for seen in logits if seen is not None])
        rows = np.exp(TEMPER * (rows - rows.max(axis=1, keepdims=True)))
        rows = (1.0 - OUTLIER) * rows / rows.sum(axis=1, keepdims=True) + OUTLIER / RATES_N
        likely[told] = rows
        doubled[told, -OCTAVE:] = OUTLIER / RATES_N
        doubled[told, :-OCTAVE] = rows[:, OCTAVE:]
    return likely, doubled


class Tracker:
    """Takes the windows in order, some at a time, each with the logits of both sources, None where there are none.

    However many come at a time, each is told the same bit for bit.
    """

    def __init__(self) -> None:
        near = np.abs(np.arange(RATES_N)[:, None] - np.arange(RATES_N))
        walk = np.exp(-near / WALK_BINS)
        self._walk = (1.0 - JUMP) * walk / walk.sum(axis=1, keepdims=True) + JUMP / RATES_N
        self._walk_back = np.ascontiguousarray(self._walk.T)
        usual = np.array([1.0 - 2.0 * HARMONIC, HARMONIC, HARMONIC])
        self._stay = KEEPS * np.eye(3) + (1.0 - KEEPS) * usual
        self._stay_back = np.ascontiguousarray(self._stay.T)
        self._now = usual[:, None] * _NOTHING
        # (windows, 3, RATES_N), filtered and evidence, of windows not told yet
        self._filtered: Floats = np.empty((0, 3, RATES_N))
        self._seen: Floats = np.empty((0, 3, RATES_N))

    def push(self, ecg: Sequence[Floats | None], ppg: Sequence[Floats | None]) -> Floats:
        """(windows, RATES_N) how likely each rate was in the windows up to LAG ago that were not told yet."""
        (ecg_one, ecg_two), (ppg_one, ppg_two) = evidence(ecg), evidence(ppg)
        seen = np.stack((ecg_one * ppg_one, ecg_two * ppg_one, ecg_one * ppg_two), axis=1)
        filtered = np.empty_like(seen)
        for row, each in enumerate(seen):
            now = self._stay_back @ self._now @ self._walk
            now *= each
            now /= now.sum()
            filtered[row] = self._now = now
        self._filtered = np.concatenate((self._filtered, filtered))
        self._seen = np.concatenate((self._seen, seen))
        return self._pop(max(0, len(self._seen) - LAG), LAG)

    def unknowing(self) -> Tracker:
        """One that waits for as many windows as this one, and has seen nothing in them."""
        other = Tracker()
        nothing = [None] * len(self._seen)
        other.push(nothing, nothing)
        return other

    def flush(self) -> Floats:
        """(windows, RATES_N) of the last LAG windows, told with less of what came after them."""
        left = [self._pop(1, after) for after in range(len(self._seen) - 1, -1, -1)]
        return np.concatenate(left) if left else np.empty((0, RATES_N))

    def _pop(self, n: int, after: int) -> Floats:
        """The `n` oldest windows, each told with the `after` windows that came after it."""
        back = np.ones((n, 3, RATES_N))
        for later in range(after, 0, -1):
            back = self._stay @ (back * self._seen[later : later + n]) @ self._walk_back
            back /= back.reshape(n, 3 * RATES_N).sum(axis=1)[:, None, None]
        back *= self._filtered[:n]
        likely = back[:, 0] + back[:, 1] + back[:, 2]
        self._filtered, self._seen = self._filtered[n:], self._seen[n:]
        return np.asarray(likely / likely.sum(axis=1, keepdims=True), dtype=np.float64)


def best_rates(likely: Floats) -> list[tuple[float, float]]:
    """Of each row (windows, RATES_N): (rate in breaths a minute, how likely it is within NEAR_BINS of it)."""
    sums = np.zeros((2, len(likely), RATES_N + 1))
    np.cumsum(likely, axis=1, out=sums[0, :, 1:])
    np.cumsum(likely * RATES_BPM, axis=1, out=sums[1, :, 1:])
    near, weighed = sums[:, :, _HIGH] - sums[:, :, _LOW]
    best = near.argmax(axis=1)
    rows = np.arange(len(likely))
    share = near[rows, best]
    rate_bpm = weighed[rows, best] / share
    return list(zip(rate_bpm.tolist(), np.minimum(share, 1.0).tolist(), strict=True))
