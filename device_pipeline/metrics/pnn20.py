"""pNN20 counts as pNN50 does, of a limit that young and old people's hearts both cross."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from device_pipeline.metrics.kept import Kept
from device_pipeline.nn_series import NnSeries

LIMIT_MS = 20.0


class Pnn20(Kept):
    """Share of adjacent NN intervals that differ by more than (strictly) 20 ms, percent, of the differences formed."""

    name: ClassVar[str] = "pnn20_pct"
    unit: ClassVar[str] = "%"
    source: ClassVar[str] = "J. E. Mietus et al. 2002, Heart 88:378: pNNx, x = 20 ms"
    min_intervals: ClassVar[int] = 2
    absent: ClassVar[str] = "gaps"

    @staticmethod
    def batch(series: NnSeries) -> float | None:
        difference_ms = series.differences_ms
        return float(100.0 * np.mean(np.abs(difference_ms) > LIMIT_MS)) if len(difference_ms) else None
