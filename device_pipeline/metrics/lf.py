"""LF begins at 0.04 Hz: a wave of 25 s, of which 2 minutes hold few enough."""

from __future__ import annotations

from typing import ClassVar

from device_pipeline.metrics.kept import Kept
from device_pipeline.nn_series import NnSeries
from device_pipeline.nn_spectrum import LF_HZ, LF_LEAST_S


class Lf(Kept):
    """Power of the NN intervals in the LF band, [0.04, 0.15) Hz, ms²; spectrum by Welch (`nn_spectrum.welch`)."""

    name: ClassVar[str] = "lf_ms2"
    unit: ClassVar[str] = "ms²"
    source: ClassVar[str] = "Task Force ESC/NASPE 1996, Circulation 93:1043, Table 2: LF"
    min_intervals: ClassVar[int] = 4
    min_span_s: ClassVar[float] = LF_LEAST_S
    absent: ClassVar[str] = "gaps"

    @staticmethod
    def batch(series: NnSeries) -> float | None:
        spectrum = series.welch
        return None if spectrum is None else spectrum.power_ms2(LF_HZ, LF_LEAST_S)
