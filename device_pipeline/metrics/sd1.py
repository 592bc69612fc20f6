"""The width of the Poincaré plot, over pairs of intervals that touch."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from device_pipeline.metrics.kept import Kept
from device_pipeline.nn_series import NnSeries


class Sd1(Kept):
    """Standard deviation (n - 1) of the points (NN k, NN k + 1) across the line of identity, ms."""

    name: ClassVar[str] = "sd1_ms"
    unit: ClassVar[str] = "ms"
    source: ClassVar[str] = "M. Brennan et al. 2001, IEEE Trans Biomed Eng 48:1342, eq. 5: SD1"
    min_intervals: ClassVar[int] = 3
    absent: ClassVar[str] = "gaps"

    @staticmethod
    def batch(series: NnSeries) -> float | None:
        difference_ms = series.differences_ms
        return float(np.std(difference_ms, ddof=1) / np.sqrt(2)) if len(difference_ms) >= 2 else None
