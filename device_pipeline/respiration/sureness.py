"""The quality of a respiration rate: the share of such rates that were within 2 breaths a minute of the truth."""

from __future__ import annotations

import math

LEAST_QUALITY = 0.72
SLOPE, OFFSET = 0.754, 0.934
_MOST = 0.9999


def sureness(share: float) -> float:
    """0 to 1 from how likely the tracker takes the rate to be: Platt scaling, fitted on people not learnt from."""
    share = min(max(share, 1.0 - _MOST), _MOST)
    return 1.0 / (1.0 + math.exp(-(SLOPE * math.log(share / (1.0 - share)) + OFFSET)))
