"""A middle that a few intervals wrongly kept cannot move."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from device_pipeline.metrics.kept import Kept
from device_pipeline.nn_series import NnSeries


class MedianNn(Kept):
    """Median of the NN intervals, ms; of an even number, the mean of the middle two."""

    name: ClassVar[str] = "median_nn_ms"
    unit: ClassVar[str] = "ms"
    source: ClassVar[str] = (
        "the sample median; reported beside the mean by F. Shaffer and J. P. Ginsberg 2017, Front Public Health 5:258"
    )
    min_intervals: ClassVar[int] = 1
    absent: ClassVar[str] = "undefined"

    @staticmethod
    def batch(series: NnSeries) -> float | None:
        return float(np.median(series.nn_ms)) if series.n else None
