"""A Metric is fed one normal-to-normal interval at a time, and at every moment equals its batch definition.

Intervals that are left out (ectopic, missed, extra) are told by the time that they took: no difference is formed across
them.
"""

from __future__ import annotations

from typing import ClassVar, Protocol

from device_pipeline.nn_series import NnSeries


class Metric(Protocol):
    """`name` ends in the unit, if it has one. `source` is the paper and clause that define the value.

    `min_intervals`, `min_span_s`: below this many intervals, or this long a recording of them, there is no value;
    nor is there above `max_intervals`. `absent` says why there may be none even so: "gaps" (too little without a hole)
    or "undefined" (the formula has no value for these intervals).
    """

    name: ClassVar[str]
    unit: ClassVar[str]
    source: ClassVar[str]
    min_intervals: ClassVar[int]
    max_intervals: ClassVar[int]
    min_span_s: ClassVar[float]
    absent: ClassVar[str]

    def update(self, nn_ms: float, gap_ms: float) -> None:
        """Takes the next NN interval; `gap_ms` is the time from the end of the one before, 0 when they touch."""

    def value(self) -> float | None:
        """The value over all intervals so far, None while there are too few."""

    @staticmethod
    def batch(series: NnSeries) -> float | None:
        """The definition, over the whole series; what `value` must equal."""
