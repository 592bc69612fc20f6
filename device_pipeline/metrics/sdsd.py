"""SDSD is the spread of the differences about their mean, where RMSSD takes them about zero."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from device_pipeline.metrics.kept import Kept
from device_pipeline.nn_series import NnSeries


class Sdsd(Kept):
    """Standard deviation (n - 1) of the differences between adjacent NN intervals, ms."""

    name: ClassVar[str] = "sdsd_ms"
    unit: ClassVar[str] = "ms"
    source: ClassVar[str] = "Task Force ESC/NASPE 1996, Circulation 93:1043, Table 1: SDSD"
    min_intervals: ClassVar[int] = 3
    absent: ClassVar[str] = "gaps"

    @staticmethod
    def batch(series: NnSeries) -> float | None:
        difference_ms = series.differences_ms
        return float(np.std(difference_ms, ddof=1)) if len(difference_ms) >= 2 else None
