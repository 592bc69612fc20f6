"""One beat as the beat models see it: a second of one lead around its R peak, at one rate. Pure functions."""

from __future__ import annotations

import numpy as np

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
    step = fs_hz / RATE_HZ
    parts = max(1, int(np.ceil(step)))
    offsets = (np.arange(-BEFORE, AFTER)[:, None] + (np.arange(parts) - (parts - 1) / 2) / parts) * step
    places = np.round(np.asarray(at) * _FRACTIONS) / _FRACTIONS
    whole = np.floor(places)
    where = (places - whole)[:, None, None] + offsets
    low = np.floor(where)
    share = where - low
    first = (low + whole[:, None, None]).astype(np.int64)
    last = len(ecg_mv) - 1
    a, b = ecg_mv[np.clip(first, 0, last)], ecg_mv[np.clip(first + 1, 0, last)]
    points = a + share * (b - a)
    total = points[:, :, 0].copy()
    for k in range(1, parts):
        total += points[:, :, k]
    return np.asarray(total / parts)
