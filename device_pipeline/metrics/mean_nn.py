"""Mean NN interval; its running mean moves from the first interval, so that no large sum loses digits."""

from __future__ import annotations

import sys
from typing import ClassVar

import numpy as np

from device_pipeline.nn_series import NnSeries


class MeanNn:
    """Mean of the NN intervals, ms."""

    name: ClassVar[str] = "mean_nn_ms"
    unit: ClassVar[str] = "ms"
    source: ClassVar[str] = "Task Force ESC/NASPE 1996, Circulation 93:1043, Time Domain Methods: mean NN interval"
    min_intervals: ClassVar[int] = 1
    max_intervals: ClassVar[int] = sys.maxsize
    min_span_s: ClassVar[float] = 0.0
    absent: ClassVar[str] = "gaps"

    def __init__(self) -> None:
        self._n = 0
        self._mean_ms = 0.0

    def update(self, nn_ms: float, gap_ms: float) -> None:
        self._n += 1
        self._mean_ms += (nn_ms - self._mean_ms) / self._n

    def value(self) -> float | None:
        return self._mean_ms if self._n >= self.min_intervals else None

    @staticmethod
    def batch(series: NnSeries) -> float | None:
        return float(np.mean(series.nn_ms)) if series.n >= 1 else None
