"""A width of the histogram that hardly minds a few intervals wrongly kept."""

from __future__ import annotations

from typing import ClassVar

from device_pipeline.metrics.kept import Kept
from device_pipeline.nn_long import HISTOGRAM_LEAST_S, histogram
from device_pipeline.nn_series import NnSeries


class TriangularIndex(Kept):
    """All NN intervals over those in the fullest bin of 1/128 s; without a unit."""

    name: ClassVar[str] = "hrv_triangular_index"
    unit: ClassVar[str] = ""
    source: ClassVar[str] = "Task Force ESC/NASPE 1996, Circulation 93:1043, Table 1: HRV triangular index"
    min_intervals: ClassVar[int] = 2
    min_span_s: ClassVar[float] = HISTOGRAM_LEAST_S
    absent: ClassVar[str] = "undefined"

    @staticmethod
    def batch(series: NnSeries) -> float | None:
        if series.span_s < HISTOGRAM_LEAST_S:
            return None
        return float(series.n / histogram(series)[1].max())
