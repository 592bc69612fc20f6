"""Local maxima on a running count: a sample is a peak if nothing within `reach` samples on either side is higher."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from device_pipeline.signal.filters import Floats


class PeakPicker:
    """A peak comes out once `reach` samples after it have been seen; equal neighbours give their first sample."""

    def __init__(self, reach: int) -> None:
        self._reach = reach
        self._tail: Floats = np.empty(0)
        self._start = 0
        self.count = 0

    @property
    def decided(self) -> int:
        """Every peak before this count has been put out."""
        return max(0, self.count - self._reach)

    def push(self, x: Floats) -> NDArray[np.int64]:
        """Takes the next block; returns the counts of the peaks that became final."""
        done = self.decided
        held = np.concatenate((self._tail, x))
        self.count += len(x)
        found = self._between(held, max(done, 1), self.decided)
        keep_from = max(0, self.decided - self._reach - 1)
        if keep_from > self._start:
            held = held[keep_from - self._start :]
            self._start = keep_from
        self._tail = held
        return found

    def flush(self) -> NDArray[np.int64]:
        """The peaks among the last `reach` samples, as if the signal ended in silence."""
        return self._between(self._tail, max(self.decided, 1), self.count)

    def _between(self, held: Floats, first: int, stop: int) -> NDArray[np.int64]:
        if stop <= first:
            return np.empty(0, dtype=np.int64)
        highest = ndimage.maximum_filter1d(held, 2 * self._reach + 1, mode="nearest")
        a, b = first - self._start, stop - self._start
        at = np.flatnonzero((held[a:b] == highest[a:b]) & (held[a:b] > held[a - 1 : b - 1]))
        return at.astype(np.int64) + first
