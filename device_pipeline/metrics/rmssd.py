"""RMSSD counts only differences of intervals that touch; one left out takes two differences with it."""

from __future__ import annotations

import math
import sys
from typing import ClassVar

import numpy as np

from device_pipeline.nn_series import NnSeries


class Rmssd:
    """Root mean square of the differences between adjacent NN intervals, ms."""

    name: ClassVar[str] = "rmssd_ms"
    unit: ClassVar[str] = "ms"
    source: ClassVar[str] = "Task Force ESC/NASPE 1996, Circulation 93:1043, Table 1: RMSSD"
    min_intervals: ClassVar[int] = 2
    max_intervals: ClassVar[int] = sys.maxsize
    min_span_s: ClassVar[float] = 0.0
    absent: ClassVar[str] = "gaps"

    def __init__(self) -> None:
        self._last_ms: float | None = None
        self._differences = 0
        self._mean_square = 0.0

    def update(self, nn_ms: float, gap_ms: float) -> None:
        if gap_ms == 0 and self._last_ms is not None:
            difference_ms = nn_ms - self._last_ms
            self._differences += 1
            self._mean_square += (difference_ms * difference_ms - self._mean_square) / self._differences
        self._last_ms = nn_ms

    def value(self) -> float | None:
        return math.sqrt(self._mean_square) if self._differences else None

    @staticmethod
    def batch(series: NnSeries) -> float | None:
        difference_ms = series.differences_ms
        return float(np.sqrt(np.mean(difference_ms**2))) if len(difference_ms) else None
