"""HF is where breathing shows, if the wearer breathes 9 to 24 times a minute."""

from __future__ import annotations

from typing import ClassVar

from device_pipeline.metrics.kept import Kept
from device_pipeline.nn_series import NnSeries
from device_pipeline.nn_spectrum import HF_HZ, HF_LEAST_S


class Hf(Kept):
    """Power of the NN intervals in the HF band, [0.15, 0.4) Hz, ms²; spectrum by Welch (`nn_spectrum.welch`)."""

    name: ClassVar[str] = "hf_ms2"
    unit: ClassVar[str] = "ms²"
    source: ClassVar[str] = "Task Force ESC/NASPE 1996, Circulation 93:1043, Table 2: HF"
    min_intervals: ClassVar[int] = 4
    min_span_s: ClassVar[float] = HF_LEAST_S
    absent: ClassVar[str] = "gaps"

    @staticmethod
    def batch(series: NnSeries) -> float | None:
        spectrum = series.welch
        return None if spectrum is None else spectrum.power_ms2(HF_HZ, HF_LEAST_S)
