"""What the net for the shape of beats looks at: half a second around the R peak, in sizes of the wearer's own QRS."""

from __future__ import annotations

import numpy as np

from models.beat_input import BEFORE
from models.waveform import Floats

FROM, TO = BEFORE - 26, BEFORE + 38  # points of a wave of models/beat_input.py: 0.2 s before the R peak to 0.3 s after
LOOKED_AT = TO - FROM
QRS = slice(16, 38)  # of what is looked at: 80 ms before the R peak to 90 ms after
MOST = 3.0  # beyond, it is cut
LEAST_SIZE_MV = 1e-3


def qrs_size(waves: Floats) -> Floats:
    """From the lowest to the highest point around the R peak, mV: (n, POINTS) to (n,)."""
    part = waves[:, FROM:TO][:, QRS]
    return np.asarray(part.max(axis=1) - part.min(axis=1))


def looks(waves: Floats, size_mv: float) -> Floats:
    """(n, POINTS) of models/beat_input.py to (n, LOOKED_AT): mean 0, `size_mv` becomes 2."""
    part = waves[:, FROM:TO]
    part = part - part.mean(axis=1, keepdims=True)
    return np.asarray(np.clip(part * (2.0 / max(size_mv, LEAST_SIZE_MV)), -MOST, MOST))
