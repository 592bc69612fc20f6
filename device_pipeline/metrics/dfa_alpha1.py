"""Boxes lie wholly within runs of intervals that touch: no trend is fitted across a hole."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from device_pipeline.metrics.kept import Kept
from device_pipeline.nn_series import NnSeries

BOXES = range(4, 17)
LEAST_BOXES = 4  # of each size, or one box more or less would bend the line

# A logarithm of F is not formed below what rounding alone makes of a constant series.
_NOTHING_MS = 1e-6


class DfaAlpha1(Kept):
    """The short-term exponent of detrended fluctuation analysis, boxes of 4 to 16 intervals; without a unit.

    The intervals less their mean are summed up; in every box the straight line of least squares is taken away; F(n) is
    the root mean square of what remains over all boxes of n; alpha1 is the slope of log F over log n. Boxes follow one
    another from the beginning of each run, and what is left at its end is in none.
    """

    name: ClassVar[str] = "dfa_alpha1"
    unit: ClassVar[str] = ""
    source: ClassVar[str] = "C.-K. Peng et al. 1995, Chaos 5:82: DFA, alpha for 4 <= n <= 16"
    min_intervals: ClassVar[int] = LEAST_BOXES * BOXES[-1]
    min_span_s: ClassVar[float] = 0.0
    absent: ClassVar[str] = "gaps"

    @staticmethod
    def batch(series: NnSeries) -> float | None:
        if series.n < DfaAlpha1.min_intervals:
            return None
        walk_ms = np.cumsum(series.nn_ms - np.mean(series.nn_ms))
        log_f = []
        for size in BOXES:
            starts = np.concatenate([first + size * np.arange((stop - first) // size) for first, stop in series.runs])
            if len(starts) < LEAST_BOXES:
                return None
            boxes = walk_ms[starts[:, None] + np.arange(size)]
            boxes -= boxes.mean(axis=1, keepdims=True)
            ramp = np.arange(size) - (size - 1) / 2
            slope = boxes @ ramp / (ramp @ ramp)
            f_ms = float(np.sqrt(np.mean((boxes - slope[:, None] * ramp) ** 2)))
            if f_ms < _NOTHING_MS:
                return None
            log_f.append(np.log(f_ms))
        log_n = np.log(np.array(BOXES, dtype=np.float64))
        log_n -= log_n.mean()
        return float(log_n @ np.array(log_f) / (log_n @ log_n))
