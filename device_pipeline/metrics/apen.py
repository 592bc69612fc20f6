"""A sequence is like itself here, so there is always a value, and a short record looks more regular than it is."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from device_pipeline.metrics.kept import Kept
from device_pipeline.nn_series import NnSeries
from device_pipeline.nn_templates import MOST_INTERVALS


class ApEn(Kept):
    """Approximate entropy of the NN intervals, m = 2, r = 0.2 SDNN: phi(2) - phi(3); without a unit."""

    name: ClassVar[str] = "apen"
    unit: ClassVar[str] = ""
    source: ClassVar[str] = "S. M. Pincus 1991, Proc Natl Acad Sci USA 88:2297"
    min_intervals: ClassVar[int] = 100  # 10^m, as he asks for
    max_intervals: ClassVar[int] = MOST_INTERVALS

    @staticmethod
    def batch(series: NnSeries) -> float | None:
        if not ApEn.min_intervals <= series.n <= ApEn.max_intervals:
            return None
        templates = series.templates
        if templates is None or not len(templates.threes):
            return None
        two, three = (float(np.mean(np.log(like / len(like)))) for like in (templates.twos, templates.threes))
        return two - three
