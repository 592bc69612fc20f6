"""The power spectrum of NN intervals, in ms²/Hz, one-sided: its sum times its step is their variance.

The bands are those of Task Force 1996 (Circulation 93:1043, Table 2 and Frequency Domain Methods), and so is how much
must have been recorded: about 1 minute for HF, about 2 for LF; VLF of less than 5 minutes it calls dubious. A window
begins and ends between two beats, so 95 % of those lengths is enough.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

VLF_HZ = (1 / 300, 0.04)  # below one period of 5 minutes nothing can be told
LF_HZ = (0.04, 0.15)
HF_HZ = (0.15, 0.40)
VLF_LEAST_S = 0.95 * 300
LF_LEAST_S = 0.95 * 120
HF_LEAST_S = 0.95 * 60

RESAMPLED_HZ = 4.0
SEGMENT_S = 300.0  # half of it overlaps: with 5 minutes of NN intervals the whole is one segment
# A pair of intervals left out at one early beat takes 1 to 2 s. A period at the top of HF takes 2.5 s, so a longer hole
# would be filled with what the spline makes up.
LONGEST_BRIDGE_S = 3.0
MOST_BRIDGED = 0.15  # of a segment


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Spectrum:
    """`density_ms2_per_hz` at `frequency_hz`, both (k,), evenly spaced by `step_hz`; from segments of `segment_s`."""

    frequency_hz: NDArray[np.float64]
    density_ms2_per_hz: NDArray[np.float64]
    step_hz: float
    segment_s: float

    def __repr__(self) -> str:
        return f"<Spectrum segment_s={self.segment_s:.0f}>"

    def power_ms2(self, band_hz: tuple[float, float], least_s: float) -> float | None:
        """Power in [low, high); None where the segments are shorter than `least_s`."""
        inside = self._inside(band_hz)
        if self.segment_s < least_s or not inside.any():
            return None
        return float(np.sum(self.density_ms2_per_hz[inside]) * self.step_hz)

    def peak_hz(self, band_hz: tuple[float, float], least_s: float) -> float | None:
        """Where the density is highest in [low, high); None where there is no power."""
        inside = self._inside(band_hz)
        if self.segment_s < least_s or not inside.any():
            return None
        density = self.density_ms2_per_hz[inside]
        highest = int(np.argmax(density))
        return float(self.frequency_hz[inside][highest]) if density[highest] > 0 else None

    @property
    def lf_hf_ms2(self) -> tuple[float, float] | None:
        """Power of LF and of HF, where both are told: what their shares and their ratio are made of."""
        lf_ms2, hf_ms2 = self.power_ms2(LF_HZ, LF_LEAST_S), self.power_ms2(HF_HZ, LF_LEAST_S)
        return None if lf_ms2 is None or hf_ms2 is None else (lf_ms2, hf_ms2)

    def _inside(self, band_hz: tuple[float, float]) -> NDArray[np.bool_]:
        # a frequency that is an edge but for its rounding is that edge
        tiny = 1e-9
        return (self.frequency_hz >= band_hz[0] - tiny) & (self.frequency_hz < band_hz[1] - tiny)


def welch(nn_ms: NDArray[np.float64], end_s: NDArray[np.float64]) -> Spectrum | None:
    """P. D. Welch 1967 (IEEE Trans Audio Electroacoust 15:70) on the intervals resampled at 4 Hz by a cubic spline.

    Segments of 300 s (or of the longest stretch, if that is shorter), half overlapping, each freed of its straight line
    and weighted by a periodic Hann window. An interval stands at the beat that ends it. Holes up to 3 s are bridged by
    the spline; at longer ones the stretch ends. A stretch of which holes are more than 15 % is not used. None without a
    stretch of at least 57 s.
    """
    even = [_resample(nn_ms[a:b], end_s[a:b]) for a, b in _stretches(nn_ms, end_s) if _bridged(nn_ms, end_s, a, b)]
    longest = max((len(x) for x in even), default=0)
    size = min(round(SEGMENT_S * RESAMPLED_HZ), longest)
    if size < HF_LEAST_S * RESAMPLED_HZ:
        return None
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)
    scale = 2.0 / (RESAMPLED_HZ * np.sum(window**2))
    ramp = np.arange(size) - (size - 1) / 2
    total, n = np.zeros(size // 2 + 1), 0
    for x in even:
        for start in range(0, len(x) - size + 1, max(1, size // 2)):
            segment = x[start : start + size]
            segment = segment - np.mean(segment)
            segment = segment - ramp * (np.dot(ramp, segment) / np.dot(ramp, ramp))
            total += np.abs(np.fft.rfft(segment * window)) ** 2
            n += 1
    frequency_hz = np.arange(size // 2 + 1, dtype=np.float64) * (RESAMPLED_HZ / size)
    return Spectrum(frequency_hz, scale * total / n, RESAMPLED_HZ / size, size / RESAMPLED_HZ)


def lomb_scargle(nn_ms: NDArray[np.float64], end_s: NDArray[np.float64]) -> Spectrum | None:
    """N. R. Lomb 1976 (Astrophys Space Sci 39:447), J. D. Scargle 1982 (Astrophys J 263:835): nothing is resampled.

    Segments of 300 s (or of the whole, if that is shorter), half overlapping, each freed of its straight line; holes
    stay holes, and a segment of which they are more than 15 % is not used. Scaled so that intervals of one length give
    the periodogram of evenly spaced samples. None without a segment of at least 57 s.
    """
    if len(nn_ms) < 2:
        return None
    begin_s = end_s - nn_ms / 1e3
    span_s = min(SEGMENT_S, float(end_s[-1]))
    if span_s < HF_LEAST_S:
        return None
    k = np.arange(1, int(np.ceil(HF_HZ[1] * span_s)) + 1, dtype=np.float64)
    total, n = np.zeros(len(k)), 0
    start_s = 0.0
    while start_s + span_s <= end_s[-1] + 1e-6:
        a, b = np.searchsorted(begin_s, start_s - 1e-6), np.searchsorted(end_s, start_s + span_s + 1e-6)
        if b - a >= 3 and np.sum(nn_ms[a:b]) / 1e3 >= (1 - MOST_BRIDGED) * span_s:
            t_s = end_s[a:b]
            total += _periodogram(t_s, _straightened(t_s, nn_ms[a:b]), 1 / span_s, len(k)) * 2.0 * span_s / (b - a)
            n += 1
        start_s += span_s / 2
    return Spectrum(k / span_s, total / n, 1.0 / span_s, span_s) if n else None


def _stretches(nn_ms: NDArray[np.float64], end_s: NDArray[np.float64]) -> Iterator[tuple[int, int]]:
    """[first, stop) of the intervals between holes too long to bridge."""
    if not len(nn_ms):
        return
    hole_s = np.diff(end_s) - nn_ms[1:] / 1e3
    breaks = (np.flatnonzero(hole_s > LONGEST_BRIDGE_S) + 1).tolist()
    yield from zip([0, *breaks], [*breaks, len(nn_ms)], strict=True)


def _bridged(nn_ms: NDArray[np.float64], end_s: NDArray[np.float64], first: int, stop: int) -> bool:
    """Whether the spline has little enough to bridge, and enough to stand on."""
    if stop - first < 4:
        return False
    span_s = end_s[stop - 1] - end_s[first]
    return bool(span_s > 0 and span_s - np.sum(nn_ms[first + 1 : stop]) / 1e3 <= MOST_BRIDGED * span_s)


def _resample(nn_ms: NDArray[np.float64], end_s: NDArray[np.float64]) -> NDArray[np.float64]:
    steps = int(np.floor((end_s[-1] - end_s[0]) * RESAMPLED_HZ + 1e-9)) + 1
    at_s = end_s[0] + np.arange(steps) / RESAMPLED_HZ
    resampled: NDArray[np.float64] = CubicSpline(end_s, nn_ms)(at_s)
    return resampled


def _straightened(t_s: NDArray[np.float64], x: NDArray[np.float64]) -> NDArray[np.float64]:
    t_s = t_s - np.mean(t_s)
    x = x - np.mean(x)
    straightened: NDArray[np.float64] = x - t_s * (np.dot(t_s, x) / np.dot(t_s, t_s))
    return straightened


def _periodogram(t_s: NDArray[np.float64], x: NDArray[np.float64], step_hz: float, n: int) -> NDArray[np.float64]:
    """Scargle 1982, eq. 10 (not normalised), at 1 to `n` times `step_hz`.

    With S the sum of exp(i 2 omega t), his tau is arg S / (2 omega), and the sums of squares of the cosines and sines
    about it are (N + |S|) / 2 and (N - |S|) / 2.
    """
    turns = np.cumprod(np.broadcast_to(np.exp(2j * np.pi * step_hz * t_s), (n, len(t_s))), axis=0)
    twice = np.sum(turns**2, axis=1)
    length = np.abs(twice)
    about_tau = (turns @ x) * np.exp(-0.5j * np.angle(twice))
    power: NDArray[np.float64] = about_tau.real**2 / (len(t_s) + length) + about_tau.imag**2 / np.maximum(
        len(t_s) - length, 1e-9
    )
    return power
