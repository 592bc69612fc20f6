"""The trend of a temperature is a slope that single odd values cannot turn."""

from __future__ import annotations

from collections import deque

import numpy as np

MEMORY_NS = 3_600 * 10**9
LEAST_SPAN_NS = 1_200 * 10**9
LEAST_VALUES = 10


class Trend:
    """Theil-Sen slope (Sen 1968, doi:10.1080/01621459.1968.10480934): the median of the slopes of all pairs of values
    of the last hour. It stands up to 29 % of odd ones."""

    def __init__(self) -> None:
        self._values: deque[tuple[int, float]] = deque()

    def add(self, t_ns: int, value_c: float) -> float | None:
        """Degrees Celsius per hour up to now; None before there are `LEAST_VALUES` over `LEAST_SPAN_NS`."""
        self._values.append((t_ns, value_c))
        while self._values[0][0] <= t_ns - MEMORY_NS:
            self._values.popleft()
        if len(self._values) < LEAST_VALUES or t_ns - self._values[0][0] < LEAST_SPAN_NS:
            return None
        first_ns = self._values[0][0]
        hours = np.array([(at_ns - first_ns) / 3.6e12 for at_ns, _ in self._values])
        values = np.array([value for _, value in self._values])
        early, late = np.triu_indices(len(values), 1)
        return float(np.median((values[late] - values[early]) / (hours[late] - hours[early])))
