"""A spread that a few intervals wrongly kept can hardly move."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from device_pipeline.metrics.kept import Kept
from device_pipeline.nn_series import NnSeries


class IqrNn(Kept):
    """Interquartile range of the NN intervals, ms.

    Quartiles by linear interpolation between order statistics (R. J. Hyndman and Y. Fan 1996, type 7).
    """

    name: ClassVar[str] = "iqr_nn_ms"
    unit: ClassVar[str] = "ms"
    source: ClassVar[str] = "R. J. Hyndman and Y. Fan 1996, Am Stat 50:361, definition 7"
    min_intervals: ClassVar[int] = 2
    absent: ClassVar[str] = "undefined"

    @staticmethod
    def batch(series: NnSeries) -> float | None:
        if series.n < 2:
            return None
        low, high = np.quantile(series.nn_ms, (0.25, 0.75))
        return float(high - low)
