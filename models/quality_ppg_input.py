"""What the PPG quality net looks at: some thirty numbers of ten seconds of one pulse wave, of its beats and the index.

The wave is turned so that it rises faster than it falls; no unit of it is left but its own size.
"""

from __future__ import annotations

import math
from itertools import pairwise
from statistics import median

import numpy as np
from numpy.typing import NDArray

from models.waveform import Floats, at_rate, moving_mean

RATE_HZ = 50.0
LENGTH_S = 10.0
POINTS = 500
MOST = 4.0  # spreads; beyond, a feature is cut
# Where the index of every stretch is this high and no interval is longer than the usual one by so many doublings,
# hardly a window has an error, and no net is asked.
SURE, EVEN = 0.9, 0.2
_TINY = 1e-12
_BANDS_HZ = (0.4, 0.9, 1.5, 2.3, 3.5, 5.0, 8.0, 12.0, 24.0)
_EDGES = np.round(np.array(_BANDS_HZ) * LENGTH_S).astype(np.int64)
_LEVEL = 61  # points: 1.2 s, what is slower is no pulse
_HUMP = 9  # points: 0.17 s, the upstroke
_LEAST_LAG, _MOST_LAG = 13, 100  # points: 230 to 30 a minute
_NEARLY = 0.8  # of the highest peak of the autocorrelation: the first one that reaches it is the period
_APART = 0.55  # of a period
_LOWEST = 0.25  # of the usual height
_BEFORE, _AFTER = 8, 20  # points of a pulse around its upstroke
_LEAST_PULSES = 3  # that can be compared
_PARTS = 20
_SECONDS = np.arange(0, POINTS, round(RATE_HZ))
_LINES = 1024
_SHARE = POINTS / (POINTS - np.arange(2 * _MOST_LAG + 4))

FEATURES = (
    "wander",
    "least_index",
    "mean_index",
    "readable",
    "beats",
    *(f"band_{low:g}" for low in _BANDS_HZ[:-1]),
    "pure",
    "rising",
    "high",
    "peaked",
    "periodic",
    "twice",
    "pulses",
    "explained",
    "heights",
    "intervals",
    "longest",
    "likeness",
    "least_likeness",
    "beat_intervals",
    "beat_longest",
    "flat",
    "railed",
    "loudest",
    "faintest",
)
# Of each feature over the windows that the net learnt from: `benchmarks.quality_ppg_windows` prints them.
MIDDLE = (
    0.22,
    0.34,
    0.61,
    0.8,
    10.0,
    -1.6,
    -0.72,
    -0.56,
    -0.97,
    -1.48,
    -1.81,
    -2.66,
    -3.03,
    0.73,
    0.73,
    0.32,
    0.63,
    0.69,
    0.62,
    0.04,
    0.88,
    -0.53,
    0.03,
    0.21,
    1.21,
    0.99,
    0.04,
    2.0,
    -2.0,
    -2.18,
    0.11,
    -0.14,
)
SPREAD = (
    0.33,
    0.39,
    0.39,
    0.39,
    6.25,
    0.62,
    0.57,
    0.53,
    0.35,
    0.46,
    0.53,
    0.84,
    1.14,
    0.23,
    0.49,
    0.33,
    0.12,
    0.28,
    0.32,
    0.1,
    0.19,
    0.29,
    0.06,
    0.35,
    0.42,
    0.46,
    0.39,
    1.12,
    0.3,
    0.1,
    0.12,
    0.13,
)

_MIDDLE, _SPREAD = np.array(MIDDLE), np.array(SPREAD)
_SEGMENT = np.arange(-_BEFORE, _AFTER)


def features(ppg: Floats, fs_hz: float, beats_s: Floats, indices: Floats) -> Floats:
    """(len(FEATURES),), as measured. `ppg`: LENGTH_S of the wave, (n,), any unit; `beats_s`: moments of the trusted
    beats, seconds from its start; `indices`: of the window's stretches of 2 s, 0 for a stretch without a signal.
    """
    wave = at_rate(ppg - ppg[0], fs_hz, RATE_HZ, POINTS)
    wave = wave - moving_mean(wave, _LEVEL)
    size = math.sqrt(float(wave @ wave) / POINTS)
    wave = wave / (size + _TINY)
    means = ppg[: len(ppg) // _PARTS * _PARTS].reshape(_PARTS, -1).sum(axis=1) / (len(ppg) // _PARTS)
    smooth = moving_mean(wave, 5)
    slope = np.zeros(POINTS)
    slope[1:-1] = smooth[2:] - smooth[:-2]
    rising, high = _skewness(slope), _skewness(smooth)
    if rising + high < 0:
        slope, rising, high = -slope, -rising, -high
    known = indices.tolist()
    return np.array(
        [
            math.log10((float(means.max() - means.min()) + _TINY) / (size + _TINY) + 1e-2),
            min(known),
            sum(known) / len(known),
            sum(index >= 0.5 for index in known) / len(known),
            float(len(beats_s)),
            *_bands(wave),
            rising,
            high,
            *_pulses(slope),
            *_rhythm(sorted(beats_s.tolist()), LENGTH_S),
            *_stuck(ppg),
            *_loudness(wave),
        ]
    )


def is_plain(beats_s: Floats, least_index: float) -> bool:
    """Whether a window needs no net to be called right: its index is sure and its beats are even, from end to end."""
    return least_index >= SURE and _rhythm(sorted(beats_s.tolist()), LENGTH_S)[1] < EVEN


def inputs(measured: Floats) -> Floats:
    """The features in spreads off their middles, as the net takes them; any leading shape."""
    return np.asarray(np.clip((measured - _MIDDLE) / _SPREAD, -MOST, MOST))


def _skewness(x: Floats) -> float:
    off = x - float(x.sum()) / POINTS
    power = float(off @ off) / POINTS
    return float((off * off) @ off) / POINTS / (power * math.sqrt(power) + _TINY)


def _bands(wave: Floats) -> list[float]:
    """Logarithms of the shares of the power that lie in each band, and the share of one rate and its harmonics."""
    lines = np.fft.rfft(wave)
    power = lines.real**2 + lines.imag**2
    held = np.add.reduceat(power, _EDGES)[:-1]
    shares: list[float] = np.log10(held / (held.sum() + _TINY) + 1e-4).tolist()
    top = 5 + int(np.argmax(power[5:38]))
    pure = sum(float(power[k * top - 2 : k * top + 3].sum()) for k in (1, 2, 3)) / (float(power[4:].sum()) + _TINY)
    return [*shares, pure]


def _pulses(slope: Floats) -> list[float]:
    """How peaked the slope is, how it comes again after one period and two, and what its upstrokes are like."""
    square = slope * slope
    power = float(square.sum()) / POINTS + _TINY
    peaked = math.log10(float(square @ square) / POINTS / power**2 + 1.0)
    lines = np.fft.rfft(slope, _LINES)
    alike = np.fft.irfft(lines.real**2 + lines.imag**2)[: 2 * _MOST_LAG + 4]
    alike = alike * (_SHARE / (alike[0] + _TINY))
    part = alike[_LEAST_LAG - 1 : _MOST_LAG + 2]
    tops = np.flatnonzero((part[1:-1] >= part[:-2]) & (part[1:-1] > part[2:])) + 1
    if not len(tops):
        return [peaked, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 2.0, 0.0, 0.0]
    values = part[tops]
    period = _LEAST_LAG - 1 + int(tops[int(np.argmax(values >= _NEARLY * values.max()))])
    twice = float(alike[2 * period - 2 : 2 * period + 3].max())
    rise = np.maximum(slope, 0.0)
    risen = moving_mean(rise, _HUMP)
    humps = np.flatnonzero((risen[1:-1] > risen[:-2]) & (risen[1:-1] >= risen[2:])) + 1
    heights = risen[humps].tolist()
    highest = sorted(heights)[-max(1, round(1.25 * POINTS / period)) :]
    usual = sum(highest) / max(1, len(highest))
    at = _apart(humps.tolist(), heights, _APART * period, _LOWEST * usual)
    told = [peaked, float(alike[period]), twice, math.log2((len(at) + 0.5) * period / POINTS)]
    if len(at) < _LEAST_PULSES:
        return [*told, 0.0, 1.0, 1.0, 2.0, 0.0, 0.0]
    places = np.array(at)
    mine: list[float] = risen[places].tolist()
    explained = sum(mine) * _HUMP / (float(rise.sum()) + _TINY)
    middle = median(mine)
    uneven = sorted(abs(height - middle) for height in mine)[len(mine) * 3 // 4] / (middle + _TINY)
    return [*told, explained, math.log10(uneven + 0.02), *_rhythm(at, POINTS), *_likeness(slope, places)]


def _apart(where: list[int], heights: list[float], nearest: float, lowest: float) -> list[int]:
    """Of upstrokes that are too near to each other the higher one stays; low ones go."""
    kept: list[tuple[int, float]] = []
    for place, height in zip(where, heights, strict=True):
        if height < lowest:
            continue
        if kept and place - kept[-1][0] < nearest:
            if height > kept[-1][1]:
                kept[-1] = (place, height)
        else:
            kept.append((place, height))
    return [place for place, _ in kept]


def _likeness(slope: Floats, at: NDArray[np.int64]) -> list[float]:
    """Median and lower quartile of the correlation of each pulse with the mean of the others, stretched towards 1."""
    whole = at[(at >= _BEFORE) & (at + _AFTER <= POINTS)]
    if len(whole) < _LEAST_PULSES:
        return [0.0, 0.0]
    parts = slope[whole[:, None] + _SEGMENT]
    parts -= parts.sum(axis=1, keepdims=True) / len(_SEGMENT)
    parts /= np.sqrt((parts * parts).sum(axis=1, keepdims=True)) + _TINY
    others = parts.sum(axis=0) - parts
    alike = sorted(((parts * others).sum(axis=1) / (np.sqrt((others * others).sum(axis=1)) + _TINY)).tolist())
    return [-math.log10(1.02 - min(alike[len(alike) // k], 1.0)) for k in (2, 4)]


def _rhythm(at: list[int] | list[float], length: float) -> list[float]:
    """How uneven the intervals are, and how long the longest is beside the usual one, the window's ends among them."""
    if len(at) < _LEAST_PULSES:
        return [1.0, 2.0]
    intervals = [after - before for before, after in pairwise(at)]
    usual = max(median(intervals), 1e-3 * length)
    longest = max(*intervals, at[0], length - at[-1])
    return [median(abs(interval - usual) for interval in intervals) / usual, math.log2(longest / usual)]


def _stuck(ppg: Floats) -> list[float]:
    """The share of samples that equal the one before, and of those at an end of the range."""
    low, high = float(ppg.min()), float(ppg.max())
    still = np.count_nonzero(ppg[1:] == ppg[:-1]) / len(ppg)
    railed = (np.count_nonzero(ppg == low) + np.count_nonzero(ppg == high)) / len(ppg)
    return [math.log10(still + 0.01), math.log10(railed + 0.005)]


def _loudness(wave: Floats) -> list[float]:
    """How much more than the usual second the loudest one holds, and how much less the faintest."""
    parts = sorted(np.add.reduceat(wave * wave, _SECONDS).tolist())
    usual = parts[5] + _TINY
    return [0.5 * math.log10(part / usual + 1e-6) for part in (parts[-1], parts[0])]
