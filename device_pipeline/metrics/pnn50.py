"""pNN50 is a share of the differences that were formed: those left out count neither above nor below."""

from __future__ import annotations

import sys
from typing import ClassVar

import numpy as np

from device_pipeline.nn_series import NnSeries

LIMIT_MS = 50.0


class Pnn50:
    """Share of adjacent NN intervals that differ by more than (strictly) 50 ms, percent.

    The Task Force divides NN50 by the number of intervals. We divide by the number of differences, as every interval
    left out would else lower the value; without any left out the two are one part in n apart.
    """

    name: ClassVar[str] = "pnn50_pct"
    unit: ClassVar[str] = "%"
    source: ClassVar[str] = "Task Force ESC/NASPE 1996, Circulation 93:1043, Table 1: NN50 count, pNN50"
    min_intervals: ClassVar[int] = 2
    max_intervals: ClassVar[int] = sys.maxsize
    min_span_s: ClassVar[float] = 0.0
    absent: ClassVar[str] = "gaps"

    def __init__(self) -> None:
        self._last_ms: float | None = None
        self._differences = 0
        self._above = 0

    def update(self, nn_ms: float, gap_ms: float) -> None:
        if gap_ms == 0 and self._last_ms is not None:
            self._differences += 1
            self._above += abs(nn_ms - self._last_ms) > LIMIT_MS
        self._last_ms = nn_ms

    def value(self) -> float | None:
        return 100.0 * self._above / self._differences if self._differences else None

    @staticmethod
    def batch(series: NnSeries) -> float | None:
        difference_ms = series.differences_ms
        return float(100.0 * np.mean(np.abs(difference_ms) > LIMIT_MS)) if len(difference_ms) else None
