"""What 16 s of pulse waves and acceleration say of every rate that a heart may have: one row of numbers a rate.

A pulse shows at its own rate and twice it; a stride shows in the accelerometer too, at half its rate and at its
multiples. So each row holds what several spectra have at the rate itself, beside it, and at its multiples: of the waves
(mean and least of them), of what is left of them once the acceleration is taken away (by least squares on its last
0.24 s, and by the ratio of the powers, as Temko 2017, doi:10.1109/TBME.2017.2676243), and of the acceleration; with the
autocorrelation at its period, and how near the rate of the beats is, where there are beats. Pure functions.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

HZ = 25
WINDOW, LONG = 8 * HZ, 16 * HZ
RATES_BPM = np.arange(30.0, 223.0, 2.0)
_POINTS = 750  # of the transform: its bins are 2 bpm apart, as the rates are
_BIN = (RATES_BPM / 2).astype(np.intp)
_LAGS = 7
_FLOOR = 0.02
_BAND = slice(18, 121)  # 36 to 240 bpm: powers count as shares of their mean in it
_KEPT = slice(12, 271)  # 24 to 540 bpm: the autocorrelation's band
_MOVING_G = 0.1

_SPECTRA = ("mean", "least", "rest", "ratio", "move", "mean_long", "move_long", "ratio_long")
# (spectrum, bins beside the rate, multiples of the rate)
_LOOKS: tuple[tuple[str, tuple[int, ...], tuple[float, ...]], ...] = (
    ("mean", (-8, -4, -2, 0, 2, 4, 8), (2, 0.5, 3, 1.5)),
    ("rest", (-8, -4, -2, 0, 2, 4, 8), (2, 0.5, 3, 1.5)),
    ("least", (-4, 0, 4), (2,)),
    ("ratio", (-4, 0, 4), (2,)),
    ("move", (-6, -3, 0, 3, 6), (2, 0.5, 3, 1.5)),
    ("mean_long", (-6, -3, -1, 0, 1, 3, 6), (2, 0.5)),
    ("move_long", (-2, 0, 2), (2, 0.5)),
    ("ratio_long", (-2, 0, 2), (2,)),
)
_TOPS = ("mean", "rest", "ratio", "mean_long", "ratio_long")


def _hann(n: int) -> Floats:
    return np.asarray(np.hanning(n + 2)[1:-1])


def _places(at: Floats, last: float) -> tuple[NDArray[np.intp], Floats]:
    clipped = np.clip(at, 0.0, last)
    low = clipped.astype(np.intp)
    return low, clipped - low


_SHORT_TAPER, _LONG_TAPER = _hann(WINDOW), _hann(LONG)
_ROW = np.array([[_SPECTRA.index(name)] for name, beside, times in _LOOKS for _ in beside + times])
_LOW, _PART = _places(
    np.array(
        [place for _, beside, times in _LOOKS for place in [*(_BIN + d for d in beside), *(_BIN * m for m in times)]],
        dtype=np.float64,
    ),
    _POINTS / 2 - 1.001,
)
_LAG_LOW, _LAG_PART = _places(np.array([60 * HZ / RATES_BPM * m for m in (1, 2, 0.5)]), _POINTS / 2 - 2.0)
# The column that tells how much of the movement is at the rate itself: log of its share, times how hard it is.
MOVE_COLUMN = next(
    i
    for i, (name, beside) in enumerate(
        (name, place) for name, besides, times in _LOOKS for place in [*map(str, besides), *(f"x{m}" for m in times)]
    )
    if (name, beside) == ("move", "0")
)
_TOP_ROWS = [_SPECTRA.index(name) for name in _TOPS]
_SCALED = (RATES_BPM - 100) / 50
FEATURES = len(_ROW) + 3 + 2 + len(_TOPS) + 4 + len(_TOPS) + 2 + 4


def rate_features(ppg: Floats, acc_g: Floats | None, beats_bpm: float | None = None, good: float = 0.0) -> Floats:
    """Shape (len(RATES_BPM), FEATURES), finite.

    `ppg` (channels, LONG), any unit, and `acc_g` (3, LONG) are band-passed from 0.4 Hz on and sampled at HZ; their last
    WINDOW points are the window that is asked about. `beats_bpm` is the rate of the beats in it, of which the share
    `good` (0 to 1) could be read.
    """
    own = ppg[:, LONG - WINDOW :]
    power = _power(own * _SHORT_TAPER)
    shares = _shares(power)
    mean, least = shares.sum(axis=0) / len(shares), shares.min(axis=0)
    mean_long = _shares(_power(ppg * _LONG_TAPER)).sum(axis=0) / len(ppg)
    if acc_g is None:
        moving, left = 0.0, 1.0
        move = move_long = np.ones(_POINTS // 2 + 1)
        rest = mean
    else:
        own_g = acc_g[:, LONG - WINDOW :]
        rms_g = math.sqrt(float((own_g * own_g).sum()) / WINDOW)
        moving = rms_g / (rms_g + _MOVING_G)
        move = _shares(_power(own_g * _SHORT_TAPER).sum(axis=0))
        move_long = _shares(_power(acc_g * _LONG_TAPER).sum(axis=0))
        rest_power = _power(_without(own * _SHORT_TAPER, acc_g))
        left = float(rest_power.sum() / (power.sum() + 1e-12))
        rest = _shares(rest_power).sum(axis=0) / len(shares)
    ratio = mean * mean / (mean + moving * move + 1e-6)
    ratio_long = mean_long * mean_long / (mean_long + moving * move_long + 1e-6)
    spectra = np.log(np.stack((mean, least, rest, ratio, move, mean_long, move_long, ratio_long)) + _FLOOR)
    spectra[4] *= moving
    spectra[6] *= moving
    looks = spectra[_ROW, _LOW]
    looks += (spectra[_ROW, _LOW + 1] - looks) * _PART
    tops = spectra[_TOP_ROWS][:, _BIN]
    highest = tops.max(axis=1)
    whole = np.array([moving, math.log(left + 0.05), acc_g is not None, len(ppg) > 1, *highest], dtype=np.float64)
    return np.concatenate(
        (
            looks,
            _echoes(mean, 3),
            _echoes(rest, 2),
            tops - highest[:, None],
            np.repeat(whole[:, None], len(RATES_BPM), axis=1),
            _SCALED[None],
            _SCALED[None] ** 2,
            _nearness(beats_bpm, good),
        )
    ).T


def _power(x: Floats) -> Floats:
    spectrum = np.fft.rfft(x, _POINTS, axis=-1)
    return np.asarray(spectrum.real**2 + spectrum.imag**2)


def _shares(power: Floats) -> Floats:
    return np.asarray(power / (power[..., _BAND].mean(axis=-1, keepdims=True) + 1e-12))


def _without(waves: Floats, acc_g: Floats) -> Floats:
    """`waves` (channels, WINDOW), tapered, less what the acceleration of the same time and just before explains."""
    moves = np.concatenate([acc_g[:, LONG - WINDOW - lag : LONG - lag] for lag in range(_LAGS)]) * _SHORT_TAPER
    alike = moves @ moves.T
    alike.flat[:: len(alike) + 1] += 1e-2 * np.trace(alike) / len(alike) + 1e-9
    return np.asarray(waves - np.linalg.solve(alike, moves @ waves.T).T @ moves)


def _echoes(power: Floats, n: int) -> Floats:
    """The autocorrelation at the period of each rate, at twice it and at half of it (the first `n` of these)."""
    kept = np.zeros_like(power)
    kept[_KEPT] = power[_KEPT]
    alike = np.fft.irfft(kept, _POINTS)[: _POINTS // 2 + 1]
    alike = alike / (alike[0] + 1e-12)
    at = alike[_LAG_LOW[:n]]
    return np.asarray(at + (alike[_LAG_LOW[:n] + 1] - at) * _LAG_PART[:n])


def _nearness(beats_bpm: float | None, good: float) -> Floats:
    near = np.zeros((4, len(RATES_BPM)))
    if beats_bpm is not None:
        off = RATES_BPM - beats_bpm
        near[0] = good * np.exp(-0.5 * (off / 3) ** 2)
        near[1] = good * np.exp(-0.5 * (off / 8) ** 2)
        near[2] = good * np.exp(-0.5 * ((off - beats_bpm) / 8) ** 2)
        near[3] = good
    return near
