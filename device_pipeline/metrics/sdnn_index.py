"""What is left of the spread when the wandering from one five minutes to the next is taken away."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from device_pipeline.metrics.kept import Kept
from device_pipeline.nn_long import LEAST_SEGMENTS, SEGMENT_S, five_minutes
from device_pipeline.nn_series import NnSeries


class SdnnIndex(Kept):
    """Mean of the standard deviations (n - 1) of the NN intervals of all 5-minute segments, ms.

    Segments as for SDANN.
    """

    name: ClassVar[str] = "sdnn_index_ms"
    unit: ClassVar[str] = "ms"
    source: ClassVar[str] = "Task Force ESC/NASPE 1996, Circulation 93:1043, Table 1: SDNN index"
    min_intervals: ClassVar[int] = 2
    min_span_s: ClassVar[float] = 0.95 * LEAST_SEGMENTS * SEGMENT_S
    absent: ClassVar[str] = "gaps"

    @staticmethod
    def batch(series: NnSeries) -> float | None:
        segments = five_minutes(series)
        if len(segments) < LEAST_SEGMENTS:
            return None
        return float(np.mean([np.std(nn_ms, ddof=1) for nn_ms in segments]))
