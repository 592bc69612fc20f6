"""LF and HF in normalised units add up to 100: what the two bands share, and nothing of VLF."""

from __future__ import annotations

from typing import ClassVar

from device_pipeline.metrics.kept import Kept
from device_pipeline.nn_series import NnSeries
from device_pipeline.nn_spectrum import HF_HZ, LF_HZ, LF_LEAST_S


class LfNu(Kept):
    """100 LF / (LF + HF), normalised units.

    The Task Force divides by total power less VLF, which with these bands is LF + HF.
    """

    name: ClassVar[str] = "lf_nu"
    unit: ClassVar[str] = "n.u."
    source: ClassVar[str] = "Task Force ESC/NASPE 1996, Circulation 93:1043, Table 2: LF norm"
    min_intervals: ClassVar[int] = 4
    min_span_s: ClassVar[float] = LF_LEAST_S
    absent: ClassVar[str] = "gaps"

    @staticmethod
    def batch(series: NnSeries) -> float | None:
        spectrum = series.welch
        if spectrum is None:
            return None
        lf_ms2, hf_ms2 = spectrum.power_ms2(LF_HZ, LF_LEAST_S), spectrum.power_ms2(HF_HZ, LF_LEAST_S)
        if lf_ms2 is None or hf_ms2 is None or lf_ms2 + hf_ms2 <= 0:
            return None
        return 100.0 * lf_ms2 / (lf_ms2 + hf_ms2)
