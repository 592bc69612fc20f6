"""The size of the Poincaré plot, as the ellipse that has its width and length."""

from __future__ import annotations

import math
from typing import ClassVar

from device_pipeline.metrics.kept import Kept
from device_pipeline.metrics.sd1 import Sd1
from device_pipeline.metrics.sd2 import Sd2
from device_pipeline.nn_series import NnSeries


class EllipseArea(Kept):
    """Area of the ellipse with half axes SD1 and SD2, π SD1 SD2, ms²."""

    name: ClassVar[str] = "ellipse_area_ms2"
    unit: ClassVar[str] = "ms²"
    source: ClassVar[str] = "M. Brennan et al. 2001, IEEE Trans Biomed Eng 48:1342: the ellipse of SD1 and SD2"
    min_intervals: ClassVar[int] = 3
    absent: ClassVar[str] = "gaps"

    @staticmethod
    def batch(series: NnSeries) -> float | None:
        sd1_ms, sd2_ms = Sd1.batch(series), Sd2.batch(series)
        return None if sd1_ms is None or sd2_ms is None else math.pi * sd1_ms * sd2_ms
