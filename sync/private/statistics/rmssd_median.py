"""The median of the days' RMSSD, on a grid of equal ratios."""

from __future__ import annotations

from sync.private.statistics.day_median import DayMedian

POINTS = 35
LOW_MS, HIGH_MS = 5.0, 150.0
# Rounded, so that the grid is the same wherever it is worked out; its ends stay what they are called.
GRID_MS = tuple(round(LOW_MS * (HIGH_MS / LOW_MS) ** (k / (POINTS - 1)), 2) for k in range(POINTS))

RMSSD_MEDIAN = DayMedian(
    "rmssd_median",
    "the median of the days' RMSSD, a measure of heart-rate variability",
    "ms",
    GRID_MS,
    lambda day: day.rmssd_ms,
)
