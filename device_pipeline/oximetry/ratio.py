"""Saturation from two colours, by the textbook and **uncalibrated**: no number without a pulse that both agree on.

The ratio of ratios R = (AC_red / DC_red) / (AC_infrared / DC_infrared) is the definition of pulse oximetry (Webster,
ed., Design of Pulse Oximeters, 1997); 110 - 25 R is the curve that textbooks and makers of parts print. Every real
oximeter is calibrated on people instead, so what comes of it here can be several per cent off on any given sensor.

AC is taken where the pulse is: in the lines of its rate and the next two multiples, over one window. R is the
regression of red on infrared there, so that noise in the weaker colour does not raise it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from device_pipeline.oximetry.seconds import LOW_PERFUSION, MIN_PERFUSION_PCT, OUT_OF_RANGE

METHOD = "ratio-of-ratios/110-25R/uncalibrated"
AT_ZERO_PCT, SLOPE_PCT = 110.0, 25.0
GOOD_INDEX = 0.5
PULSE_HZ = (0.6, 3.5)
BAND_HZ = (0.5, 8.0)
LINE_HZ = 0.25  # half the width of a line: a rate that moves by some per cent in ten seconds stays in it
LINES = 3
MOST_AC = 0.25  # of the level: a wave that is larger stands on no level, it was filtered before
CLIPPED_SHARE = 0.05
CLIPPED_RUN_S = 0.06
# [bad, fine] of each part of the index
PULSE_SHARE = (0.4, 0.8)  # of the power in the band lies in the lines of the pulse
LIKENESS = (0.90, 1.0)  # of the two colours' pulses: the in-phase part of their coherence
HALVES_PCT = (6.0, 0.0)  # how many points of saturation the two halves of a window are apart
# 110 - 25 R is meant for 70 to 100 %; a little beyond 100 % is an uncalibrated sensor's 100 %.
LEAST_PCT, MOST_PCT, ROUNDED_DOWN_PCT = 70.0, 100.0, 101.5

Floats = NDArray[np.float64]
NOISE, DISAGREEMENT, NO_LEVEL, CLIPPED = "noise", "disagreement", "no_level", "clipped"


@dataclass(frozen=True, slots=True, repr=False)
class Ratio:
    """`ratio` R of the window and `perfusion_pct` of the infrared, None where there is no pulse to take them from;
    `spo2_pct` None where it cannot be told, and then `reason` says why."""

    ratio: float | None
    perfusion_pct: float | None
    spo2_pct: float | None
    quality: float
    reason: str | None

    def __repr__(self) -> str:
        return "<Ratio>"


def ratio_of_ratios(red: Floats, infrared: Floats, fs_hz: float) -> Ratio:
    """One window of both colours, shape (n,) each, in one unit and at the same moments; a pure function."""
    if any(_is_clipped(colour, fs_hz) for colour in (red, infrared)):
        return Ratio(None, None, None, 0.0, CLIPPED)
    levels = [float(colour.mean()) for colour in (red, infrared)]
    if min(levels) <= 0:
        return Ratio(None, None, None, 0.0, NO_LEVEL)
    y, x = (_without_drift(colour / level) for colour, level in zip((red, infrared), levels, strict=True))
    if max(float(np.ptp(y)), float(np.ptp(x))) > MOST_AC:
        return Ratio(None, None, None, 0.0, NO_LEVEL)
    whole = _pulses(y, x, fs_hz)
    if whole is None:
        return Ratio(None, None, None, 0.0, LOW_PERFUSION)
    half = len(x) // 2
    halves = [_pulses(_without_drift(y[part]), _without_drift(x[part]), fs_hz) for part in _parts(half, len(x))]
    ratios = [found.ratio for found in halves if found is not None]
    apart_pct = SLOPE_PCT * abs(ratios[0] - ratios[1]) if len(ratios) == 2 else HALVES_PCT[0]
    parts = {
        NOISE: _part(whole.share, PULSE_SHARE),
        DISAGREEMENT: min(_part(whole.likeness, LIKENESS), _part(apart_pct, HALVES_PCT)),
    }
    reason, quality = min(parts.items(), key=lambda item: item[1])
    if whole.perfusion_pct < MIN_PERFUSION_PCT:
        return Ratio(whole.ratio, whole.perfusion_pct, None, min(quality, 0.5 * GOOD_INDEX), LOW_PERFUSION)
    if quality < GOOD_INDEX:
        return Ratio(whole.ratio, whole.perfusion_pct, None, quality, reason)
    spo2_pct = AT_ZERO_PCT - SLOPE_PCT * whole.ratio
    if not LEAST_PCT <= spo2_pct <= ROUNDED_DOWN_PCT:
        return Ratio(whole.ratio, whole.perfusion_pct, None, quality, OUT_OF_RANGE)
    return Ratio(whole.ratio, whole.perfusion_pct, min(spo2_pct, MOST_PCT), quality, None)


@dataclass(frozen=True, slots=True, repr=False)
class _Pulses:
    ratio: float
    share: float
    likeness: float
    perfusion_pct: float


def _pulses(y: Floats, x: Floats, fs_hz: float) -> _Pulses | None:
    """What the lines of the pulse say; None without any."""
    n = len(x)
    window = np.hanning(n)
    red, infrared = np.fft.rfft(y * window), np.fft.rfft(x * window)
    hz = np.fft.rfftfreq(n, 1 / fs_hz)
    power = np.abs(infrared) ** 2
    possible = (hz >= PULSE_HZ[0]) & (hz <= PULSE_HZ[1])
    band = (hz >= BAND_HZ[0]) & (hz <= BAND_HZ[1])
    total = float(power[band].sum())
    if not possible.any() or total <= 0:
        return None
    rate_hz = float(hz[possible][int(np.argmax(power[possible]))])
    # in a shorter window a line is wider
    width_hz = max(LINE_HZ, 2.0 * fs_hz / n)
    lines = np.zeros(len(hz), np.bool_)
    for k in range(1, LINES + 1):
        lines |= np.abs(hz - k * rate_hz) <= width_hz
    lines &= band
    both = float((red[lines] * infrared[lines].conj()).real.sum())
    of_red, of_infrared = float((np.abs(red[lines]) ** 2).sum()), float(power[lines].sum())
    if of_red <= 0 or of_infrared <= 0:
        return None
    rms = float(np.sqrt(2.0 * of_infrared / (n * float((window**2).sum()))))
    return _Pulses(
        ratio=both / of_infrared,
        share=of_infrared / total,
        likeness=both / float(np.sqrt(of_red * of_infrared)),
        perfusion_pct=100.0 * 2.0 * float(np.sqrt(2.0)) * rms,
    )


def _parts(half: int, n: int) -> tuple[slice, slice]:
    return slice(0, half), slice(half, n)


def _without_drift(x: Floats) -> Floats:
    """Less the parabola that lies nearest to it."""
    t = np.linspace(-1.0, 1.0, len(x))
    basis = np.stack((np.ones_like(t), t, t * t))
    coefficients = np.linalg.solve(basis @ basis.T, basis @ x)
    return np.asarray(x - coefficients @ basis)


def _is_clipped(x: Floats, fs_hz: float) -> bool:
    """Whether it lies at its own highest or lowest value in long runs."""
    at_rail = (x == x.min()) | (x == x.max())
    edges = np.flatnonzero(np.diff(at_rail.astype(np.int8), prepend=0, append=0))
    lengths = edges[1::2] - edges[::2]
    long = lengths[lengths >= max(3, round(CLIPPED_RUN_S * fs_hz))]
    return bool(long.sum() > CLIPPED_SHARE * len(x))


def _part(value: float, ends: tuple[float, float]) -> float:
    bad, fine = ends
    return min(1.0, max(0.0, (value - bad) / (fine - bad)))
