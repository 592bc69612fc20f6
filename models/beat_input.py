"""One beat as the beat models see it: a second of one lead around its R peak, at one rate. Pure functions."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from models.waveform import Floats

RATE_HZ = 128.0
BEFORE, AFTER = 56, 72  # points before the R peak, and from it on
POINTS = BEFORE + AFTER
BEFORE_S = (BEFORE + 2) / RATE_HZ  # how much signal a beat needs on either side
AFTER_S = (AFTER + 2) / RATE_HZ
_FRACTIONS = 16  # of a sample, that a beat's place is told in


def beat_waves(ecg_mv: Floats, fs_hz: float, at: Floats) -> Floats:
    """The beats whose R peaks lie at samples `at` (n,) of `ecg_mv` (a fraction is allowed): (n, POINTS) at RATE_HZ, mV.

    Each point is a mean over the time it stands for. Beyond either end of `ecg_mv` its first or last value stands; what
    lies further than BEFORE_S before or AFTER_S after a beat is not looked at.
    """
    places = np.round(np.asarray(at) * _FRACTIONS)
    whole = np.floor(places / _FRACTIONS)
    before, share = _points(fs_hz)
    fraction = (places - whole * _FRACTIONS).astype(np.int64)
    first = before[fraction] + whole.astype(np.int64)[:, None]
    last = len(ecg_mv) - 1
    if first.size and (first.min() < 0 or first.max() >= last):
        a = ecg_mv.take(first.clip(0, last))
        rise = ecg_mv.take((first + 1).clip(0, last)) - a
    else:
        a, rise = ecg_mv.take(first), np.diff(ecg_mv).take(first)
    rise *= share[fraction]
    rise += a
    total: Floats = rise[:, :POINTS].copy()
    for k in range(POINTS, rise.shape[1], POINTS):
        total += rise[:, k : k + POINTS]
    total /= rise.shape[1] // POINTS
    return total


@lru_cache(maxsize=8)
def _points(fs_hz: float) -> tuple[NDArray[np.int64], Floats]:
    """Of a beat so many sixteenths of a sample off: the sample before each place that is looked at, counted from the
    beat's own, and how far the place lies beyond it; (_FRACTIONS, parts * POINTS), the first part of each point first.
    """
    step = fs_hz / RATE_HZ
    parts = max(1, int(np.ceil(step)))
    offsets = ((np.arange(parts) - (parts - 1) / 2)[:, None] / parts + np.arange(-BEFORE, AFTER)) * step
    where = np.arange(_FRACTIONS)[:, None] / _FRACTIONS + offsets.reshape(-1)
    before = np.floor(where)
    return before.astype(np.int64), where - before
