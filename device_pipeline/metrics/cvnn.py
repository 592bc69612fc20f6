"""A spread beside the mean it is about, since a slow heart varies more."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from device_pipeline.metrics.kept import Kept
from device_pipeline.nn_series import NnSeries


class Cvnn(Kept):
    """Coefficient of variation of the NN intervals, 100 SDNN / mean NN, percent."""

    name: ClassVar[str] = "cvnn_pct"
    unit: ClassVar[str] = "%"
    source: ClassVar[str] = "Task Force ESC/NASPE 1996, Circulation 93:1043, Table 1: SDNN, over the mean NN interval"
    min_intervals: ClassVar[int] = 2
    absent: ClassVar[str] = "undefined"

    @staticmethod
    def batch(series: NnSeries) -> float | None:
        if series.n < 2:
            return None
        return float(100.0 * np.std(series.nn_ms, ddof=1) / np.mean(series.nn_ms))
