"""The NN intervals that a metric sees, with the time that lies between two that do not touch.

What several metrics are computed from (differences, spectra) is worked out once, when it is first asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from device_pipeline.nn_spectrum import Spectrum, lomb_scargle, welch
from device_pipeline.nn_templates import Templates, count_templates


@dataclass(frozen=True, repr=False, eq=False)
class NnSeries:
    """`nn_ms`, shape (n,): the intervals. `gap_ms`, shape (n,): the time from the end of the interval before to the
    beginning of this one, 0 where they touch; the first is never looked at.

    Raises ValueError for arrays of different lengths.
    """

    nn_ms: NDArray[np.float64]
    gap_ms: NDArray[np.float64]

    def __post_init__(self) -> None:
        if self.nn_ms.shape != self.gap_ms.shape or self.nn_ms.ndim != 1:
            raise ValueError(f"intervals {self.nn_ms.shape}, gaps {self.gap_ms.shape}: expected one of each, (n,)")

    def __repr__(self) -> str:
        return f"<NnSeries n={self.n}>"

    @property
    def n(self) -> int:
        return len(self.nn_ms)

    @cached_property
    def touches(self) -> NDArray[np.bool_]:
        """Shape (n - 1,): whether interval k + 1 directly follows interval k."""
        touches: NDArray[np.bool_] = self.gap_ms[1:] == 0
        return touches

    @cached_property
    def end_s(self) -> NDArray[np.float64]:
        """When each interval ends, from the beginning of the first."""
        gap_ms = self.gap_ms.copy()
        gap_ms[:1] = 0.0
        return np.cumsum(self.nn_ms + gap_ms) / 1e3

    @property
    def span_s(self) -> float:
        """From the beginning of the first interval to the end of the last, with what lies between."""
        return float(self.end_s[-1]) if self.n else 0.0

    @cached_property
    def differences_ms(self) -> NDArray[np.float64]:
        """Of each pair of intervals that touch, the second minus the first."""
        return np.diff(self.nn_ms)[self.touches]

    @cached_property
    def runs(self) -> list[tuple[int, int]]:
        """[first, stop) of every run of intervals that touch."""
        if not self.n:
            return []
        breaks = (np.flatnonzero(~self.touches) + 1).tolist()
        return list(zip([0, *breaks], [*breaks, self.n], strict=True))

    @cached_property
    def welch(self) -> Spectrum | None:
        return welch(self.nn_ms, self.end_s)

    @cached_property
    def lomb_scargle(self) -> Spectrum | None:
        return lomb_scargle(self.nn_ms, self.end_s)

    @cached_property
    def templates(self) -> Templates | None:
        return count_templates(self.nn_ms, self.touches)
