"""The shape of the Poincaré plot, whatever its size."""

from __future__ import annotations

from typing import ClassVar

from device_pipeline.metrics.kept import Kept
from device_pipeline.metrics.sd1 import Sd1
from device_pipeline.metrics.sd2 import Sd2
from device_pipeline.nn_series import NnSeries


class Sd1Sd2(Kept):
    """SD1 / SD2, a number without a unit."""

    name: ClassVar[str] = "sd1_sd2_ratio"
    unit: ClassVar[str] = ""
    source: ClassVar[str] = "M. Brennan et al. 2001, IEEE Trans Biomed Eng 48:1342: SD1 / SD2"
    min_intervals: ClassVar[int] = 3
    absent: ClassVar[str] = "undefined"

    @staticmethod
    def batch(series: NnSeries) -> float | None:
        sd1_ms, sd2_ms = Sd1.batch(series), Sd2.batch(series)
        return sd1_ms / sd2_ms if sd1_ms is not None and sd2_ms else None
