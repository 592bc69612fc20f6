"""SDNN divides by n - 1, and is summed about the first interval: the spread is small beside the mean."""

from __future__ import annotations

import math
import sys
from typing import ClassVar

import numpy as np

from device_pipeline.nn_series import NnSeries


class Sdnn:
    """Standard deviation of all NN intervals (n - 1), ms. Welford 1962, Technometrics 4:419, on shifted values."""

    name: ClassVar[str] = "sdnn_ms"
    unit: ClassVar[str] = "ms"
    source: ClassVar[str] = "Task Force ESC/NASPE 1996, Circulation 93:1043, Table 1: SDNN"
    min_intervals: ClassVar[int] = 2
    max_intervals: ClassVar[int] = sys.maxsize
    min_span_s: ClassVar[float] = 0.0
    absent: ClassVar[str] = "gaps"

    def __init__(self) -> None:
        self._n = 0
        self._first_ms = 0.0
        self._mean_ms = 0.0
        self._squares = 0.0

    def update(self, nn_ms: float, gap_ms: float) -> None:
        if not self._n:
            self._first_ms = nn_ms
        self._n += 1
        shifted_ms = nn_ms - self._first_ms
        step_ms = shifted_ms - self._mean_ms
        self._mean_ms += step_ms / self._n
        self._squares += step_ms * (shifted_ms - self._mean_ms)

    def value(self) -> float | None:
        return math.sqrt(self._squares / (self._n - 1)) if self._n >= self.min_intervals else None

    @staticmethod
    def batch(series: NnSeries) -> float | None:
        return float(np.std(series.nn_ms, ddof=1)) if series.n >= 2 else None
