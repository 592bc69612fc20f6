"""A metric of the whole series, which no running sum can give: it keeps the intervals and works them out when asked."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np

from device_pipeline.nn_series import NnSeries


class Kept(ABC):
    """The streaming half of such a metric; a subclass brings the definition."""

    name: ClassVar[str]
    unit: ClassVar[str]
    source: ClassVar[str]
    min_intervals: ClassVar[int] = 2
    min_span_s: ClassVar[float] = 0.0
    max_intervals: ClassVar[int] = sys.maxsize
    absent: ClassVar[str] = "undefined"

    def __init__(self) -> None:
        self._nn_ms: list[float] = []
        self._gap_ms: list[float] = []

    def update(self, nn_ms: float, gap_ms: float) -> None:
        self._nn_ms.append(nn_ms)
        self._gap_ms.append(gap_ms)

    def value(self) -> float | None:
        return self.batch(NnSeries(np.array(self._nn_ms, dtype=np.float64), np.array(self._gap_ms, dtype=np.float64)))

    @staticmethod
    @abstractmethod
    def batch(series: NnSeries) -> float | None:
        """The definition."""
