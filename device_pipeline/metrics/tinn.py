"""Each side of the triangle is fitted alone: the error to the left of the top does not depend on the right."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from device_pipeline.metrics.kept import Kept
from device_pipeline.nn_long import BIN_MS, HISTOGRAM_LEAST_S, histogram
from device_pipeline.nn_series import NnSeries


class Tinn(Kept):
    """Base of the triangle that fits the histogram of NN intervals best (least squares), ms.

    Its top is the fullest bin, at that bin's height; outside its base it is 0. Of equal fits the narrowest.
    """

    name: ClassVar[str] = "tinn_ms"
    unit: ClassVar[str] = "ms"
    source: ClassVar[str] = "Task Force ESC/NASPE 1996, Circulation 93:1043, Table 1: TINN, and Fig. 2"
    min_intervals: ClassVar[int] = 2
    min_span_s: ClassVar[float] = HISTOGRAM_LEAST_S
    absent: ClassVar[str] = "undefined"

    @staticmethod
    def batch(series: NnSeries) -> float | None:
        if series.span_s < HISTOGRAM_LEAST_S:
            return None
        _, counts = histogram(series)
        top = int(counts.argmax())
        return BIN_MS * (_base(counts[top::-1]) + _base(counts[top:]))


def _base(counts: NDArray[np.int64]) -> int:
    """Bins from the top, `counts[0]`, to where a straight line from it meets 0 with the least error."""
    at = np.arange(len(counts))
    widths = np.arange(1, len(counts) + 1)
    lines = counts[0] * np.maximum(0.0, 1.0 - at[None, :] / widths[:, None])
    return int(widths[np.argmin(np.sum((counts - lines) ** 2, axis=1))])
