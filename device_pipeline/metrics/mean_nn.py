"""Mean NN interval; its running mean moves from the first interval, so that no large sum loses digits."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray


class MeanNn:
    """Mean of the NN intervals, ms."""

    name: ClassVar[str] = "mean_nn_ms"
    unit: ClassVar[str] = "ms"
    source: ClassVar[str] = "Task Force ESC/NASPE 1996, Circulation 93:1043, Time Domain Methods: mean NN interval"
    min_intervals: ClassVar[int] = 1

    def __init__(self) -> None:
        self._n = 0
        self._mean_ms = 0.0

    def update(self, nn_ms: float, follows: bool) -> None:
        self._n += 1
        self._mean_ms += (nn_ms - self._mean_ms) / self._n

    def value(self) -> float | None:
        return self._mean_ms if self._n >= self.min_intervals else None

    @staticmethod
    def batch(nn_ms: NDArray[np.float64], follows: NDArray[np.bool_]) -> float | None:
        return float(np.mean(nn_ms)) if len(nn_ms) >= 1 else None
