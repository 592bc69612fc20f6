"""The sum of VLF, LF and HF, so there is none where VLF is none."""

from __future__ import annotations

from typing import ClassVar

from device_pipeline.metrics.kept import Kept
from device_pipeline.nn_series import NnSeries
from device_pipeline.nn_spectrum import HF_HZ, VLF_HZ, VLF_LEAST_S


class TotalPower(Kept):
    """Power of the NN intervals up to 0.4 Hz, VLF + LF + HF, ms²."""

    name: ClassVar[str] = "total_power_ms2"
    unit: ClassVar[str] = "ms²"
    source: ClassVar[str] = "Task Force ESC/NASPE 1996, Circulation 93:1043, Table 2: 5-min total power"
    min_intervals: ClassVar[int] = 4
    min_span_s: ClassVar[float] = VLF_LEAST_S
    absent: ClassVar[str] = "gaps"

    @staticmethod
    def batch(series: NnSeries) -> float | None:
        spectrum = series.welch
        return None if spectrum is None else spectrum.power_ms2((VLF_HZ[0], HF_HZ[1]), VLF_LEAST_S)
