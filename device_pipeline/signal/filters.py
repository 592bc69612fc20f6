"""Filters whose state is carried: bit for bit the same output for any cutting of the input.

`scipy.signal.sosfilt` with its state and a cumulative sum that starts from the carried value both add in the same order
whatever the block length; block sums, convolutions and FFTs do not, so none is used here.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import signal

Floats = NDArray[np.float64]


class BandPass:
    """Butterworth band-pass, causal. `delay` is its group delay at the geometric centre, in samples."""

    def __init__(self, low_hz: float, high_hz: float, fs_hz: float, order: int = 2) -> None:
        self._sos = signal.butter(order, [low_hz, high_hz], "bandpass", fs=fs_hz, output="sos")
        self._rest = signal.sosfilt_zi(self._sos)
        self._state: Floats | None = None
        # the phase turned between two frequencies close to the centre
        centre = 2 * np.pi * (low_hz * high_hz) ** 0.5 / fs_hz
        around = np.exp(-1j * centre * np.array([0.98, 1.02]))
        at = np.ones(2, dtype=np.complex128)
        for b0, b1, b2, a0, a1, a2 in self._sos:
            at = at * (b0 + b1 * around + b2 * around**2) / (a0 + a1 * around + a2 * around**2)
        self.delay = float(np.angle(at[0] / at[1]) / (0.04 * centre))

    def push(self, x: Floats) -> Floats:
        """Filters the next block, shape (n,) to (n,). The first value is taken as what was always there."""
        if len(x) == 0:
            return x
        if self._state is None:
            self._state = self._rest * x[0]
        y, self._state = signal.sosfilt(self._sos, x, zi=self._state)
        return np.asarray(y, dtype=np.float64)


class MovingMean:
    """Mean of the last `n` samples; it lags by (n - 1) / 2. Before the first sample lies the first sample."""

    def __init__(self, n: int) -> None:
        if n < 1:
            raise ValueError(f"a moving mean over {n} samples, at least 1 expected")
        self.n = n
        self._sums: Floats | None = None
        self._first = 0.0

    def push(self, x: Floats) -> Floats:
        """Averages the next block, shape (n,) to (n,).

        Sums run relative to the first sample, so that a large offset costs no precision.
        """
        if len(x) == 0:
            return x
        if self._sums is None:
            self._first = float(x[0])
            self._sums = np.zeros(self.n)
        relative = x - self._first
        relative[0] += self._sums[-1]
        sums = np.concatenate((self._sums, np.cumsum(relative)))
        self._sums = sums[-self.n :].copy()
        return (sums[self.n :] - sums[: -self.n]) / self.n + self._first


class Track:
    """The recent samples of one signal, addressed by their count since the start."""

    def __init__(self) -> None:
        self._pieces: list[Floats] = []
        self._whole: Floats = np.empty(0)
        self.start = 0
        self.end = 0

    def add(self, x: Floats) -> None:
        self._pieces.append(x)
        self.end += len(x)

    def view(self, start: int, stop: int) -> Floats:
        """Samples [start, stop), all of which are still held."""
        if not self.start <= start <= stop <= self.end:
            raise ValueError(f"samples [{start}, {stop}) asked for, [{self.start}, {self.end}) held")
        return self._joined()[start - self.start : stop - self.start]

    def forget(self, before: int) -> None:
        """Drops the samples before the count `before`."""
        drop = min(before, self.end) - self.start
        if drop > 0:
            self._whole = self._joined()[drop:].copy()
            self.start += drop

    def _joined(self) -> Floats:
        if self._pieces:
            self._whole = np.concatenate((self._whole, *self._pieces))
            self._pieces = []
        return self._whole
