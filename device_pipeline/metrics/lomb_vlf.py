"""VLF of the intervals as they lie, nothing resampled: a second opinion on what the spline makes of holes."""

from __future__ import annotations

from typing import ClassVar

from device_pipeline.metrics.kept import Kept
from device_pipeline.nn_series import NnSeries
from device_pipeline.nn_spectrum import VLF_HZ, VLF_LEAST_S


class LombVlf(Kept):
    """Power of the NN intervals in the VLF band, [1/300, 0.04) Hz, ms², by Lomb and Scargle.

    `nn_spectrum.lomb_scargle` says how it is scaled.
    """

    name: ClassVar[str] = "lomb_vlf_ms2"
    unit: ClassVar[str] = "ms²"
    source: ClassVar[str] = (
        "N. R. Lomb 1976, Astrophys Space Sci 39:447; J. D. Scargle 1982, Astrophys J 263:835; band as of VLF"
    )
    min_intervals: ClassVar[int] = 4
    min_span_s: ClassVar[float] = VLF_LEAST_S
    absent: ClassVar[str] = "gaps"

    @staticmethod
    def batch(series: NnSeries) -> float | None:
        spectrum = series.lomb_scargle
        return None if spectrum is None else spectrum.power_ms2(VLF_HZ, VLF_LEAST_S)
