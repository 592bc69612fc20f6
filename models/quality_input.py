"""What the quality net looks at: two dozen numbers of ten seconds of one lead, of its beats, and of the index."""

from __future__ import annotations

import math
from itertools import pairwise
from statistics import median

import numpy as np
from numpy.typing import NDArray

from models.waveform import Floats, at_rate, without_baseline

RATE_HZ = 100.0
LENGTH_S = 10.0
POINTS = 1000
CUT_AT = 3.0  # sizes of the window's own
MOST = 4.0  # spreads; beyond, a feature is cut
SURE = 0.9  # where the index of every stretch is this high, hardly a window has an error, and no net is asked
LEAST_SIZE_MV = 1e-3
_BANDS_HZ = (0.5, 3.0, 6.0, 10.0, 15.0, 20.0, 30.0, 40.0, 50.0)
_EDGES = np.round(np.array(_BANDS_HZ) * LENGTH_S).astype(np.int64)
_REACH = 15  # points: what lies further from a beat is rest
_NEAR, _PEAK = np.arange(-_REACH, _REACH + 1), np.arange(-6, 7)
_SEGMENT = np.arange(-20, 26)  # points of a beat that are held against those of the others
Places = NDArray[np.int64]
_LEAST_BEATS = 3  # that can be compared

FEATURES = (
    "size",
    "wander",
    "least_index",
    "mean_index",
    "least_low",
    "mean_low",
    "beats",
    *(f"band_{low:g}" for low in _BANDS_HZ[:-1]),
    "peaked",
    "skewed",
    "quiet",
    "rest",
    "unmarked",
    "likeness",
    "least_likeness",
    "unrest",
    "longest",
    "periodic",
)
# Of each feature over the windows that the net learnt from: `benchmarks.quality_windows` prints them.
MIDDLE = (
    -0.06,
    -0.09,
    0.38,
    0.98,
    -0.09,
    -0.03,
    11.0,
    -0.5,
    -0.69,
    -0.82,
    -0.97,
    -1.23,
    -1.38,
    -2.03,
    -2.54,
    1.0,
    1.54,
    -0.92,
    -0.85,
    -0.24,
    0.95,
    0.75,
    0.03,
    0.42,
    0.36,
)
SPREAD = (
    0.34,
    0.45,
    1.16,
    1.14,
    0.49,
    0.26,
    5.86,
    0.3,
    0.22,
    0.25,
    0.35,
    0.46,
    0.6,
    0.72,
    0.78,
    0.23,
    1.34,
    0.16,
    0.32,
    0.39,
    0.56,
    0.51,
    0.39,
    0.91,
    0.22,
)

_MIDDLE, _SPREAD = np.array(MIDDLE), np.array(SPREAD)


def seen(ecg_mv: Floats, fs_hz: float) -> tuple[Floats, float, float]:
    """(POINTS,) the lead less its baseline in sizes of its own; that size, mV; how far it wanders, mV."""
    wave = at_rate(without_baseline(ecg_mv, fs_hz), fs_hz, RATE_HZ, POINTS)
    place = round(0.98 * POINTS)
    size = max(float(np.partition(np.abs(wave), place)[place]), LEAST_SIZE_MV)
    means = ecg_mv[: len(ecg_mv) // 20 * 20].reshape(20, -1).mean(axis=1)
    return np.clip(wave / size, -CUT_AT, CUT_AT), size, float(means.max() - means.min())


def features(wave: Floats, size_mv: float, wander_mv: float, beats_s: Floats, indices: Floats) -> Floats:
    """(len(FEATURES),), as measured. The first three come from `seen`; `beats_s`: moments of the beats,
    seconds from the start; `indices`: of the window's stretches of 2 s, 0 for a stretch without a signal.
    """
    at = sorted({min(max(round(beat_s * RATE_HZ), 0), POINTS - 1) for beat_s in beats_s.tolist()})
    known = indices.tolist()
    least, mean = min(known), sum(known) / len(known)
    return np.array(
        [
            math.log10(size_mv),
            math.log10((wander_mv + 1e-3) / size_mv),
            _sureness(least),
            _sureness(mean),
            math.log10(least + 0.005),
            math.log10(mean + 0.005),
            float(len(at)),
            *_bands(wave),
            *_moments(wave),
            *_around(wave, np.array(at, dtype=np.int64)),
            *_likeness(wave, np.array(at, dtype=np.int64)),
            *_rhythm(at),
            _periodic(wave),
        ]
    )


def inputs(measured: Floats) -> Floats:
    """The features in spreads off their middles, as the net takes them; any leading shape."""
    return np.asarray(np.clip((measured - _MIDDLE) / _SPREAD, -MOST, MOST))


def _sureness(index: float) -> float:
    """An index of 0 to 1, stretched towards 1, where little makes the difference."""
    return -2.0 * math.log10(1.02 - index) - 1.0


def _bands(wave: Floats) -> list[float]:
    """Logarithms of the shares of the power that lie in each band."""
    lines = np.fft.rfft(wave - wave.mean())
    held = np.add.reduceat(lines.real**2 + lines.imag**2, _EDGES)[:-1]
    shares: list[float] = np.log10(held / (held.sum() + 1e-12) + 1e-4).tolist()
    return shares


def _moments(wave: Floats) -> list[float]:
    off = wave - wave.mean()
    square = off * off
    power = float(square.mean()) + 1e-12
    peaked = float((square @ square) / POINTS) / power**2
    skewed = abs(float((square @ off) / POINTS)) / power**1.5
    quiet = float(np.partition(np.abs(wave), POINTS // 2)[POINTS // 2])
    return [math.log10(peaked + 1.0), skewed, math.log10(quiet + 1e-3)]


def _around(wave: Floats, at: Places) -> list[float]:
    """How much lies away from the beats, on the whole and at most, beside what lies at them."""
    rest, height = wave, 1.0
    if len(at):
        near = np.zeros(POINTS, np.bool_)
        near[(at[:, None] + _NEAR).clip(0, POINTS - 1)] = True
        rest = wave[~near]
        parts = wave[(at[:, None] + _PEAK).clip(0, POINTS - 1)]
        height = median((parts.max(axis=1) - parts.min(axis=1)).tolist())
    if len(rest) < _REACH:
        return [0.0, 0.0]
    spread, most = math.sqrt(float(rest @ rest) / len(rest)), float(np.abs(rest).max())
    return [math.log10((spread + 1e-3) / (height + 1e-2)), math.log10((most + 1e-3) / (height + 1e-2))]


def _likeness(wave: Floats, at: Places) -> list[float]:
    """Median and lower quartile of the correlation of each beat with the mean of all, stretched towards 1."""
    whole = at[(at + _SEGMENT[0] >= 0) & (at + _SEGMENT[-1] < POINTS)]
    if len(whole) < _LEAST_BEATS:
        return [0.0, 0.0]
    parts = wave[whole[:, None] + _SEGMENT]
    parts = parts - parts.mean(axis=1, keepdims=True)
    parts = parts / (np.sqrt((parts * parts).sum(axis=1, keepdims=True)) + 1e-9)
    others = parts.sum(axis=0) - parts
    alike = np.sort((parts * others).sum(axis=1) / (np.sqrt((others * others).sum(axis=1)) + 1e-9))
    return [-math.log10(1.02 - float(alike[len(alike) // k])) for k in (2, 4)]


def _rhythm(at: list[int]) -> list[float]:
    """How uneven the intervals are, and how long the longest is beside the usual one, the window's ends among them."""
    if len(at) < _LEAST_BEATS:
        return [1.0, 1.0]
    intervals = [after - before for before, after in pairwise(at)]
    usual = median(intervals)
    longest = max(*intervals, at[0], POINTS - at[-1])
    return [median(abs(interval - usual) for interval in intervals) / usual, math.log2(longest / usual)]


def _periodic(wave: Floats) -> float:
    """The highest of its correlation with itself, 0.3 to 1.6 s later."""
    lines = np.fft.rfft(wave - wave.mean(), 2048)
    later = np.fft.irfft(lines.real**2 + lines.imag**2)
    return float(later[30:160].max() / (later[0] + 1e-9))
