"""Waveforms as the nets see them: another rate, no baseline, a size of their own. Pure functions of arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def moving_mean(x: Floats, n: int) -> Floats:
    """Mean over `n` samples around each one (`n` odd), the ends held; shape (m,) to (m,)."""
    if n <= 1:
        return x
    half = n // 2
    padded = np.concatenate([np.full(half + 1, x[0]), x, np.full(half, x[-1])])
    total = np.cumsum(padded)
    return np.asarray((total[n:] - total[:-n]) / n, dtype=np.float64)


def at_rate(x: Floats, fs_hz: float, to_hz: float, count: int) -> Floats:
    """`count` samples at `to_hz` from the first one of `x` on, by straight lines; what is too fast is smoothed first.

    Beyond its end the last value of `x` stands.
    """
    n = round(fs_hz / to_hz / 2) * 2 - 1
    return np.asarray(np.interp(np.arange(count) / to_hz, np.arange(len(x)) / fs_hz, moving_mean(x, n)))


def without_baseline(x: Floats, fs_hz: float) -> Floats:
    """Less a mean over 0.2 s of a mean over 0.6 s: what is left of QRS, P and T waves passes, wander does not."""
    short = moving_mean(x, round(0.2 * fs_hz / 2) * 2 + 1)
    return np.asarray(x - moving_mean(short, round(0.6 * fs_hz / 2) * 2 + 1))
