"""A frequency of the grid: no finer than one over the length of the segments."""

from __future__ import annotations

from typing import ClassVar

from device_pipeline.metrics.kept import Kept
from device_pipeline.nn_series import NnSeries
from device_pipeline.nn_spectrum import LF_HZ, LF_LEAST_S


class LfPeak(Kept):
    """Where the spectrum is highest in the LF band, Hz."""

    name: ClassVar[str] = "lf_peak_hz"
    unit: ClassVar[str] = "Hz"
    source: ClassVar[str] = (
        "Task Force ESC/NASPE 1996, Circulation 93:1043, Frequency Domain Methods: LF, at its highest"
    )
    min_intervals: ClassVar[int] = 4
    min_span_s: ClassVar[float] = LF_LEAST_S
    absent: ClassVar[str] = "gaps"

    @staticmethod
    def batch(series: NnSeries) -> float | None:
        spectrum = series.welch
        return None if spectrum is None else spectrum.peak_hz(LF_HZ, LF_LEAST_S)
