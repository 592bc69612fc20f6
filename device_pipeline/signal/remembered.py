"""What a window of fixed times needs of one channel: its own samples, whole, however they came in."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sensors.samples import Gap, Samples


@dataclass(slots=True)
class Remembered:
    """One channel's samples that a window may still need; `values` is (n,), or (n, 3) of an accelerometer."""

    fs_hz: float = 0.0
    t_ns: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    values: NDArray[np.float64] | None = None
    gaps: list[tuple[int, int, str]] = field(default_factory=list)
    until_ns: int | None = None

    def add(self, block: Samples) -> None:
        self.fs_hz = block.fs_hz
        steps = np.rint((block.offset + np.arange(len(block))) * block.step_ns).astype(np.int64)
        self.t_ns = np.concatenate((self.t_ns, block.anchor_ns + steps))
        self.values = block.values if self.values is None else np.concatenate((self.values, block.values))
        self._advance(block.end_ns)

    def miss(self, gap: Gap) -> None:
        self.gaps.append((gap.start_ns, gap.end_ns, gap.reason.value))
        self._advance(gap.end_ns)

    def _advance(self, t_ns: int) -> None:
        self.until_ns = t_ns if self.until_ns is None else max(self.until_ns, t_ns)

    def between(self, start_ns: int, end_ns: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        first, last = np.searchsorted(self.t_ns, (start_ns, end_ns))
        values = np.empty(0) if self.values is None else self.values[first:last].copy()
        return self.t_ns[first:last], values

    def reason(self, start_ns: int, end_ns: int) -> str | None:
        """Why most of what is missing there is missing."""
        blame: dict[str, int] = {}
        for low, high, reason in self.gaps:
            overlap = min(high, end_ns) - max(low, start_ns)
            if overlap > 0:
                blame[reason] = blame.get(reason, 0) + overlap
        return max(blame, key=lambda reason: (blame[reason], reason)) if blame else None

    def forget(self, before_ns: int) -> None:
        first = int(np.searchsorted(self.t_ns, before_ns))
        self.t_ns = self.t_ns[first:]
        self.values = None if self.values is None else self.values[first:]
        self.gaps = [gap for gap in self.gaps if gap[1] > before_ns]
