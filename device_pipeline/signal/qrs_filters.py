"""What the QRS detector looks at, made from samples in mV: energy, steepness, and a clean trace to place the R peak on.

Every filter is carried, and everything here is told on one count: that of the input samples.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from device_pipeline.signal.filters import BandPass, Floats, MovingMean, Track
from device_pipeline.signal.peaks import PeakPicker

QRS_BAND_HZ = (5.0, 20.0)  # where a QRS outweighs P and T waves, wander and muscle (Thakor, Webster & Tompkins 1984)
ENERGY_S = 0.1  # about the width of a QRS
PEAK_REACH_S = 0.09  # two complexes never lie closer; half the refractory time
SLOPE_REACH_S = 0.08
FIDUCIAL_REACH_S = 0.09
SHAPE_REACH_S = 0.1
EARLIER = 0.5  # of two opposite excursions the earlier one is the R wave from this share of the later one on
SMOOTH_S = 0.02  # its first zero lies at 50 Hz
BASELINE_S = 0.3  # longer than any QRS, shorter than wander
SETTLE_S = 0.5  # after this much more signal nothing above can change


@dataclass(frozen=True, slots=True)
class Candidates:
    """Energy peaks: where (sample counts), how strong and how steep (mV and mV per second, both of the QRS band)."""

    at: NDArray[np.int64]
    energy: Floats
    slope: Floats


class QrsFilters:
    """The filters of one unbroken stretch of signal."""

    def __init__(self, fs_hz: float) -> None:
        self._fs_hz = fs_hz
        self._band = BandPass(QRS_BAND_HZ[0], QRS_BAND_HZ[1], fs_hz)
        self._power = MovingMean(max(3, round(ENERGY_S * fs_hz)))
        self._smooth = MovingMean(max(1, round(SMOOTH_S * fs_hz)))
        self._baseline = MovingMean(round(BASELINE_S * fs_hz / 2) * 2 + self._smooth.n % 2)
        self._picker = PeakPicker(max(1, round(PEAK_REACH_S * fs_hz)))
        self._energy_lag = round(self._band.delay + (self._power.n - 1) / 2)
        self._slope_lag = round(self._band.delay + 0.5)
        self._smooth_lag = (self._smooth.n - 1) / 2
        self._baseline_ahead = (self._baseline.n - self._smooth.n) // 2
        self._slope_reach = round(SLOPE_REACH_S * fs_hz)
        self._fiducial_reach = max(1, round(FIDUCIAL_REACH_S * fs_hz))
        self._shape_reach = round(SHAPE_REACH_S * fs_hz)
        self._last: Floats | None = None
        self._energy = Track()
        self._slope = Track()
        self._low = Track()
        self._base = Track()

    @property
    def decided(self) -> int:
        """Every candidate before this count has been put out."""
        return self._picker.decided - self._energy_lag

    def push(self, x: Floats) -> Candidates:
        """Takes the next samples; returns the candidates that became final with them."""
        if len(x) == 0:
            return Candidates(np.empty(0, dtype=np.int64), x, x)
        y = self._band.push(x)
        energy = np.sqrt(np.maximum(self._power.push(y * y), 0.0))
        before = y[:1] if self._last is None else self._last
        self._last = y[-1:].copy()
        self._energy.add(energy)
        self._slope.add(np.abs(np.diff(y, prepend=before)) * self._fs_hz)
        self._low.add(self._smooth.push(x))
        self._base.add(self._baseline.push(x))
        peaks = self._picker.push(energy)
        if len(peaks) == 0:
            return Candidates(peaks, x[:0], x[:0])
        steep = _around(self._slope, peaks - self._energy_lag + self._slope_lag, self._slope_reach).max(axis=1)
        return Candidates(peaks - self._energy_lag, _around(self._energy, peaks, 0)[:, 0], steep)

    def energy(self, start: int, stop: int) -> Floats:
        """Energy of input samples [start, stop); shorter where it is not yet known or already forgotten."""
        return _clipped(self._energy, start + self._energy_lag, stop + self._energy_lag)

    def baseline(self, start: int, stop: int) -> Floats:
        lag = self._baseline_ahead + int(self._smooth_lag)
        return _clipped(self._base, start + lag, stop + lag)

    def fiducials(self, at: NDArray[np.int64]) -> Floats:
        """The R peak near each count of `at`, shape (n,) to (n,), in fractions of a sample.

        The R peak is the larger of the excursions up and down from the local baseline, or the earlier one if it has at
        least the share EARLIER of the later one (an R wave before a wide S); a parabola through the peak and its
        neighbours gives the place between samples.
        """
        reach = self._fiducial_reach
        z = self._clean(at, reach + 1)
        row = np.arange(len(at))
        inner = z[:, 1:-1]
        high, low = np.argmax(inner, axis=1), np.argmin(inner, axis=1)
        height, depth = inner[row, high], -inner[row, low]
        upward = np.where(high < low, height >= EARLIER * depth, EARLIER * height > depth)
        size = np.where(upward[:, None], z, -z)
        best = np.argmax(size[:, 1:-1], axis=1) + 1
        left, peak, right = size[row, best - 1], size[row, best], size[row, best + 1]
        bend = left - 2 * peak + right
        bent = bend < -1e-12
        shift = np.where(bent, 0.5 * (left - right) / np.where(bent, bend, -1.0), 0.0)
        half = self._smooth_lag - int(self._smooth_lag)
        return np.asarray(at + (best - 1 - reach) + np.clip(shift, -0.5, 0.5) - half, dtype=np.float64)

    def shapes(self, at: NDArray[np.int64]) -> Floats:
        """The complexes around the R peaks at these counts: shape (n, points), each of mean 0 and length 1."""
        z = self._clean(at, self._shape_reach)
        z -= z.mean(axis=1)[:, None]
        return np.asarray(z / (np.sqrt((z * z).sum(axis=1)) + 1e-9)[:, None], dtype=np.float64)

    def _clean(self, at: NDArray[np.int64], reach: int) -> Floats:
        middle = at + int(self._smooth_lag)
        return _around(self._low, middle, reach) - _around(self._base, middle + self._baseline_ahead, reach)

    def forget(self, before: int) -> None:
        """Drops what is needed only for samples before the count `before`."""
        for track in (self._energy, self._slope, self._low, self._base):
            track.forget(before)


def _around(track: Track, at: NDArray[np.int64], reach: int) -> Floats:
    """Rows of the samples within `reach` of each count; beyond either end the last one known stands."""
    held = track.view(track.start, track.end)
    rows = at[:, None] + np.arange(-reach, reach + 1)[None, :] - track.start
    return np.asarray(held[np.clip(rows, 0, len(held) - 1)], dtype=np.float64)


def _clipped(track: Track, start: int, stop: int) -> Floats:
    start = min(max(start, track.start), track.end)
    return track.view(start, min(max(stop, start), track.end))
