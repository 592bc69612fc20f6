"""What the metrics of long recordings share: the histogram of all intervals, and the five minutes that add up."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from device_pipeline.nn_series import NnSeries

BIN_MS = 1000 / 128  # what most experience is with (Task Force 1996, Geometrical Methods)
HISTOGRAM_LEAST_S = 0.95 * 1200  # 20 minutes at the least, 24 hours better (there)
SEGMENT_S = 300.0
LEAST_SEGMENTS = 6  # of five minutes; fewer say nothing about slow changes
LEAST_COVERED = 0.5  # of a segment, in intervals, as everywhere


def histogram(series: NnSeries) -> tuple[int, NDArray[np.int64]]:
    """(number of the first bin, intervals in each). Bin k is centred on k bins: so intervals told in steps of 1/128 s
    fall in the middle of one, not on an edge."""
    bins = np.rint(series.nn_ms / BIN_MS).astype(np.int64)
    first = int(bins.min())
    return first, np.bincount(bins - first).astype(np.int64)


def five_minutes(series: NnSeries) -> list[NDArray[np.float64]]:
    """The intervals of each segment of 5 minutes at least half of which they cover; each in the one that it ends in."""
    if not series.n:
        return []
    number = (series.end_s // SEGMENT_S).astype(np.int64)
    edges = np.flatnonzero(np.diff(number)) + 1
    parts = np.split(series.nn_ms, edges)
    return [part for part in parts if len(part) >= 2 and np.sum(part) / 1e3 >= LEAST_COVERED * SEGMENT_S]
