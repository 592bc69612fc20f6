"""The newest samples of one ECG lead or PPG, found again by time; a hole between them stays a hole."""

from __future__ import annotations

import math
from collections import deque

import numpy as np
from numpy.typing import NDArray

from device_pipeline.signal.filters import Floats
from sensors.samples import Item, Kind, Samples

Times = NDArray[np.int64]
_MOST_MISSING_STEPS = 1.5  # samples further apart have a hole between them


class HeldEcg:
    """Holds the channel of `kind` that comes first; what it gives for a span does not depend on how it was cut."""

    def __init__(self, kind: Kind = Kind.ECG) -> None:
        self._kind = kind
        self.channel: str | None = None
        self.fs_hz = 0.0
        self._blocks: deque[Samples] = deque()

    def push(self, item: Item) -> bool:
        """Whether `item` belongs to the channel that is held."""
        if not isinstance(item, Samples) or item.kind is not self._kind or not len(item):
            return False
        if self.channel is None:
            self.channel, self.fs_hz = item.channel, item.fs_hz
        if item.channel != self.channel:
            return False
        self._blocks.append(item)
        return True

    def span(self, start_ns: int, end_ns: int) -> tuple[Times, Floats]:
        """Times and values (of an ECG: mV) of the samples in [start_ns, end_ns)."""
        times: list[Times] = []
        values: list[Floats] = []
        for block in self._blocks:
            if block.start_ns >= end_ns:
                break
            low = max(0, math.floor((start_ns - block.anchor_ns) / block.step_ns) - block.offset - 1)
            high = min(len(block), math.ceil((end_ns - block.anchor_ns) / block.step_ns) - block.offset + 2)
            if high <= low:
                continue
            t_ns = block.anchor_ns + np.round((block.offset + np.arange(low, high)) * block.step_ns).astype(np.int64)
            inside = (t_ns >= start_ns) & (t_ns < end_ns)
            times.append(t_ns[inside])
            values.append(block.values[low:high][inside])
        if not times:
            return np.empty(0, np.int64), np.empty(0)
        return np.concatenate(times), np.concatenate(values)

    def holes(self, t_ns: Times) -> NDArray[np.bool_]:
        """Between which of the samples, (n - 1,), some are missing."""
        return np.asarray(np.diff(t_ns) > _MOST_MISSING_STEPS * 1e9 / self.fs_hz)

    def forget(self, before_ns: int) -> None:
        while self._blocks and self._blocks[0].end_ns <= before_ns:
            self._blocks.popleft()
