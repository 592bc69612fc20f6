"""How the mean wanders from one five minutes to the next."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from device_pipeline.metrics.kept import Kept
from device_pipeline.nn_long import LEAST_SEGMENTS, SEGMENT_S, five_minutes
from device_pipeline.nn_series import NnSeries


class Sdann(Kept):
    """Standard deviation (n - 1) of the mean NN intervals of all 5-minute segments, ms.

    Segments follow one another from the beginning; one of which NN intervals cover less than half does not count.
    """

    name: ClassVar[str] = "sdann_ms"
    unit: ClassVar[str] = "ms"
    source: ClassVar[str] = "Task Force ESC/NASPE 1996, Circulation 93:1043, Table 1: SDANN"
    min_intervals: ClassVar[int] = 2
    min_span_s: ClassVar[float] = 0.95 * LEAST_SEGMENTS * SEGMENT_S
    absent: ClassVar[str] = "gaps"

    @staticmethod
    def batch(series: NnSeries) -> float | None:
        segments = five_minutes(series)
        if len(segments) < LEAST_SEGMENTS:
            return None
        return float(np.std([np.mean(nn_ms) for nn_ms in segments], ddof=1))
