"""Self-matches are not counted, and where nothing matches there is no value rather than a bound."""

from __future__ import annotations

import math
from typing import ClassVar

from device_pipeline.metrics.kept import Kept
from device_pipeline.nn_series import NnSeries
from device_pipeline.nn_templates import MOST_INTERVALS


class SampEn(Kept):
    """Sample entropy of the NN intervals, m = 2, r = 0.2 SDNN: -ln(A / B); without a unit.

    B: pairs of sequences of 2 that are alike, of all that a third interval follows; A: those whose third is alike too.
    """

    name: ClassVar[str] = "sampen"
    unit: ClassVar[str] = ""
    source: ClassVar[str] = "J. S. Richman and J. R. Moorman 2000, Am J Physiol Heart Circ Physiol 278:H2039"
    min_intervals: ClassVar[int] = 100  # their fig. 3: at 10^m points and above it agrees with theory
    max_intervals: ClassVar[int] = MOST_INTERVALS

    @staticmethod
    def batch(series: NnSeries) -> float | None:
        if not SampEn.min_intervals <= series.n <= SampEn.max_intervals:
            return None
        templates = series.templates
        if templates is None:
            return None
        selves = len(templates.threes)
        b, a = int(templates.twos_before_third.sum()) - selves, int(templates.threes.sum()) - selves
        return math.log(b / a) if a else None
