"""A Metric is fed one normal-to-normal interval at a time, and at every moment equals its batch definition.

Intervals that are left out (ectopic, missed, extra) are told by `follows`: no difference is formed across them.
"""

from __future__ import annotations

from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray


class Metric(Protocol):
    """`name` ends in the unit. `source` is the paper and clause that define the value.

    `min_intervals`: below this many intervals there is no value; a metric of successive differences also needs one.
    """

    name: ClassVar[str]
    unit: ClassVar[str]
    source: ClassVar[str]
    min_intervals: ClassVar[int]

    def update(self, nn_ms: float, follows: bool) -> None:
        """Takes the next NN interval; `follows` is False when it does not directly follow the NN interval before."""

    def value(self) -> float | None:
        """The value over all intervals so far, None while there are too few."""

    @staticmethod
    def batch(nn_ms: NDArray[np.float64], follows: NDArray[np.bool_]) -> float | None:
        """The definition, as one formula over arrays of shape (n,); what `value` must equal."""
