"""Mean heart rate: beats over the time they took, so 60 000 over the mean NN, never the mean of momentary rates."""

from __future__ import annotations

import sys
from typing import ClassVar

import numpy as np

from device_pipeline.nn_series import NnSeries

MS_PER_MIN = 60_000.0


class MeanHr:
    """Mean heart rate over the NN intervals, beats per minute."""

    name: ClassVar[str] = "mean_hr_bpm"
    unit: ClassVar[str] = "bpm"
    source: ClassVar[str] = "Task Force ESC/NASPE 1996, Circulation 93:1043, Time Domain Methods: mean heart rate"
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
        return MS_PER_MIN / self._mean_ms if self._n >= self.min_intervals else None

    @staticmethod
    def batch(series: NnSeries) -> float | None:
        return float(MS_PER_MIN / np.mean(series.nn_ms)) if series.n >= 1 else None
