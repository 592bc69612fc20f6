"""One channel laid on the absolute grid of time: every signal of a window then has the same samples, whatever its rate.

The band-pass carries its state from sample to sample and a grid point looks at the four samples around it, so the
points do not depend on how the input was cut. Where nothing was measured a point is zero and marked absent.
"""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, group_delay, sosfilt, sosfilt_zi

from sensors.samples import Gap, Samples

GRID_HZ = 25
POINT_NS = 1_000_000_000 // GRID_HZ
BAND_HZ = (0.4, 9.0)
_AROUND = 3  # samples that the points to come still look at

Floats = NDArray[np.float64]


class EvenGrid:
    """Takes blocks and gaps of one channel of `axes` columns in order of time; point j lies at origin + j * POINT_NS.

    `known_until` is the first point that more input can still change; None before any input.
    """

    def __init__(self, origin_ns: int, axes: int = 1) -> None:
        self._origin_ns = origin_ns
        self._axes = axes
        self._fs_hz = 0.0
        self._sos: Floats = np.empty((0, 6))
        self._delay_ns = 0
        self._zi: Floats | None = None
        self._t_ns = np.empty(0, np.int64)  # of the last samples, as the filter delays them
        self._x = np.empty((0, axes))
        self._runs: deque[tuple[int, Floats]] = deque()  # unbroken points, and which the first of them is
        self.known_until: int | None = None

    def push(self, item: Samples | Gap) -> None:
        """Samples of shape (n,) or (n, axes), or the gap that stands between them."""
        if isinstance(item, Gap):
            self._t_ns, self._x, self._zi = self._t_ns[:0], self._x[:0], None
            self._absent_until(-((self._origin_ns - item.end_ns) // POINT_NS))
            return
        if len(item) == 0:
            return
        if item.fs_hz != self._fs_hz:
            self._design(item.fs_hz)
        values = item.values.reshape(len(item), self._axes)
        if self._zi is None:
            self._zi = sosfilt_zi(self._sos)[:, :, None] * values[0]
        smooth, self._zi = sosfilt(self._sos, values, axis=0, zi=self._zi)
        steps = np.rint((item.offset + np.arange(len(item))) * item.step_ns).astype(np.int64)
        self._t_ns = np.concatenate((self._t_ns, item.anchor_ns + steps - self._delay_ns))
        self._x = np.concatenate((self._x, smooth))
        self._lay()

    def window(self, first: int, n: int) -> tuple[Floats, NDArray[np.bool_]]:
        """Points [first, first + n) of shape (n, axes) and which of them were measured."""
        points, present = np.zeros((n, self._axes)), np.zeros(n, np.bool_)
        for start, run in self._runs:
            low, high = max(first, start), min(first + n, start + len(run))
            if low < high:
                points[low - first : high - first] = run[low - start : high - start]
                present[low - first : high - first] = True
        return points, present

    def forget(self, before: int) -> None:
        """Drops the points before `before`."""
        while self._runs and self._runs[0][0] + len(self._runs[0][1]) <= before:
            self._runs.popleft()
        if self._runs and self._runs[0][0] < before:
            start, run = self._runs[0]
            self._runs[0] = (before, run[before - start :].copy())

    def _design(self, fs_hz: float) -> None:
        self._fs_hz = fs_hz
        band = [BAND_HZ[0], min(BAND_HZ[1], 0.4 * fs_hz)]
        self._sos = butter(2, band, "bandpass", fs=fs_hz, output="sos")
        delay = group_delay(butter(2, band[1], fs=fs_hz), w=[2.0], fs=fs_hz)[1][0]
        self._delay_ns = round(float(delay) / fs_hz * 1e9)
        self._zi = None
        self._t_ns, self._x = self._t_ns[:0], self._x[:0]

    def _absent_until(self, end: int) -> None:
        self.known_until = end if self.known_until is None else max(self.known_until, end)

    def _append(self, points: Floats) -> None:
        assert self.known_until is not None
        if self._runs and self._runs[-1][0] + len(self._runs[-1][1]) == self.known_until:
            start, run = self._runs[-1]
            self._runs[-1] = (start, np.concatenate((run, points)))
        else:
            self._runs.append((self.known_until, points))
        self.known_until += len(points)

    def _lay(self) -> None:
        """The points from the second sample that is held up to the last but one, by Catmull and Rom's cubic."""
        t_ns, x = self._t_ns, self._x
        if len(t_ns) < _AROUND + 1:
            return
        start = -((self._origin_ns - int(t_ns[1])) // POINT_NS)
        end = -((self._origin_ns - int(t_ns[-2])) // POINT_NS)
        self._absent_until(start)
        assert self.known_until is not None
        start = max(start, self.known_until)
        if end > start:
            at_ns = self._origin_ns + np.arange(start, end, dtype=np.int64) * POINT_NS
            i = np.searchsorted(t_ns, at_ns, "right") - 1
            u = ((at_ns - t_ns[i]) / (t_ns[i + 1] - t_ns[i]))[:, None]
            a, b, c, d = x[i - 1], x[i], x[i + 1], x[i + 2]
            points = b + 0.5 * u * (c - a + u * (2 * a - 5 * b + 4 * c - d + u * (3 * (b - c) + d - a)))
            self._append(points)
        keep = len(t_ns) - _AROUND
        self._t_ns, self._x = t_ns[keep:].copy(), x[keep:].copy()
