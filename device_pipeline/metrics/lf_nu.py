"""LF and HF in normalised units add up to 100: what the two bands share, and nothing of VLF."""

from __future__ import annotations

from typing import ClassVar

from device_pipeline.metrics.kept import Kept
from device_pipeline.nn_series import NnSeries
from device_pipeline.nn_spectrum import LF_LEAST_S


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
        bands = series.welch and series.welch.lf_hf_ms2
        return 100.0 * bands[0] / sum(bands) if bands and sum(bands) > 0 else None
