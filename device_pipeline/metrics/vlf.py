"""Slow waves need a record that holds some of them whole: in less than 5 minutes there is no VLF."""

from __future__ import annotations

from typing import ClassVar

from device_pipeline.metrics.kept import Kept
from device_pipeline.nn_series import NnSeries
from device_pipeline.nn_spectrum import VLF_HZ, VLF_LEAST_S


class Vlf(Kept):
    """Power of the NN intervals in the VLF band, [1/300, 0.04) Hz, ms²; spectrum by Welch (`nn_spectrum.welch`)."""

    name: ClassVar[str] = "vlf_ms2"
    unit: ClassVar[str] = "ms²"
    source: ClassVar[str] = "Task Force ESC/NASPE 1996, Circulation 93:1043, Table 2: VLF"
    min_intervals: ClassVar[int] = 4
    min_span_s: ClassVar[float] = VLF_LEAST_S
    absent: ClassVar[str] = "gaps"

    @staticmethod
    def batch(series: NnSeries) -> float | None:
        spectrum = series.welch
        return None if spectrum is None else spectrum.power_ms2(VLF_HZ, VLF_LEAST_S)
