"""What the net for the shape of beats looks at: half a second around the R peak, in sizes of the wearer's own QRS."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.beat_input import BEFORE
from models.waveform import Floats

FROM, TO = BEFORE - 26, BEFORE + 38  # points of a wave of models/beat_input.py: 0.2 s before the R peak to 0.3 s after
LOOKED_AT = TO - FROM
QRS = slice(16, 38)  # of what is looked at: 80 ms before the R peak to 90 ms after
MOST = 3.0  # beyond, it is cut
LEAST_SIZE_MV = 1e-3
FAST = (
    0.75  # of the usual interval: after a shorter one the last beat's T wave comes into view, and the own comes early
)
STAYS = slice(18, 42)  # of what is looked at, then: 60 ms before the R peak to 120 ms after


def qrs_size(waves: Floats) -> Floats:
    """From the lowest to the highest point around the R peak, mV: (n, POINTS) to (n,)."""
    part = waves[:, FROM:TO][:, QRS]
    return np.asarray(part.max(axis=1) - part.min(axis=1))


def looks(waves: Floats, size_mv: float) -> Floats:
    """(n, POINTS) of models/beat_input.py to (n, LOOKED_AT): mean 0, `size_mv` becomes 2."""
    part = waves[:, FROM:TO]
    part = part - part.mean(axis=1, keepdims=True)
    return np.asarray(np.clip(part * (2.0 / max(size_mv, LEAST_SIZE_MV)), -MOST, MOST))


def without_neighbours(looked: Floats, usual: Floats, is_fast: NDArray[np.bool_]) -> Floats:
    """Of the beats that `is_fast`, (n,), all but STAYS as it usually is: `usual` (LOOKED_AT,) stands there instead."""
    if not is_fast.any():
        return looked
    out = looked.copy()
    fast = out[is_fast]
    # the baseline is that of the QRS itself
    fast -= (fast[:, STAYS] - usual[STAYS]).mean(axis=1, keepdims=True)
    fast[:, : STAYS.start], fast[:, STAYS.stop :] = usual[: STAYS.start], usual[STAYS.stop :]
    out[is_fast] = np.clip(fast, -MOST, MOST)
    return out
