"""How far a stretch of acceleration can be trusted, 0 to 1; good from 0.5 on.

The index is the smallest of: how much of the stretch there is, how little of it lies at the end of the sensor's range
(none is 1, a twentieth is 0), and 0 for an axis that never moves while another does.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

GOOD_INDEX = 0.5
SATURATED_SHARE = 0.05
LEAST_RAIL_G = 1.9  # no sensor for bodies has a smaller range
STUCK_G = 0.02  # an axis that stays exactly the same while another moves so far is broken
GRAVITY_G = (0.5, 2.5)  # the mean norm of anything that is measured in g on this planet, even in a run
SATURATED, STUCK_AXIS, FLAT_LINE, OUT_OF_RANGE = "saturated", "stuck_axis", "flat_line", "out_of_range"


def quality(values: NDArray[np.float64], cover: float) -> tuple[float, str | None]:
    """Index and what is wrong of `values`, shape (n, 3), g, n > 0; `cover`: the share of the samples that came."""
    spread = values.max(axis=0) - values.min(axis=0)
    if not spread.any():
        return 0.0, FLAT_LINE
    if spread.min() == 0 and spread.max() > STUCK_G:
        return 0.0, STUCK_AXIS
    norm = float(np.sqrt((values * values).sum(axis=1)).mean())
    if not GRAVITY_G[0] <= norm <= GRAVITY_G[1]:
        return 0.0, OUT_OF_RANGE
    index = min(1.0, cover)
    highest = float(np.abs(values).max())
    if highest >= LEAST_RAIL_G:
        at_rail = np.abs(values) >= highest * (1 - 1e-3)
        again = (at_rail[1:] & at_rail[:-1]).any(axis=1)  # a peak touches the end of the range once, a rail is held
        saturated = 1.0 - float(again.mean()) / SATURATED_SHARE
        if saturated < index:
            return max(0.0, saturated), SATURATED if saturated < GOOD_INDEX else None
    return index, None
