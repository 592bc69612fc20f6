"""What this ratio says of the nerves is disputed (G. E. Billman 2013, Front Physiol 4:26)."""

from __future__ import annotations

from typing import ClassVar

from device_pipeline.metrics.kept import Kept
from device_pipeline.nn_series import NnSeries
from device_pipeline.nn_spectrum import LF_LEAST_S


class LfHf(Kept):
    """LF / HF, a number without a unit."""

    name: ClassVar[str] = "lf_hf_ratio"
    unit: ClassVar[str] = ""
    source: ClassVar[str] = "Task Force ESC/NASPE 1996, Circulation 93:1043, Table 2: LF/HF"
    min_intervals: ClassVar[int] = 4
    min_span_s: ClassVar[float] = LF_LEAST_S
    absent: ClassVar[str] = "gaps"

    @staticmethod
    def batch(series: NnSeries) -> float | None:
        bands = series.welch and series.welch.lf_hf_ms2
        return bands[0] / bands[1] if bands and bands[1] else None
