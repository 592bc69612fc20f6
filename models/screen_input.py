"""What the screening net looks at: half a minute of one lead, and what its beats tell beside it. Pure functions.

The wave alone would leave the counting of intervals to a net too small for it; so intervals, the shapes of beats and
the traces of atrial activity are measured here, by formulae, and the net weighs them.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from models.waveform import Floats, at_rate, without_baseline

RATE_HZ = 100.0
LENGTH_S = 30.0
POINTS = 3000
SIZE_PCT = 99.0  # the size of a wave is that of its QRS complexes, which fill some per cent of the time
MOST = 3.0  # sizes; beyond, it is cut
FEATURES = (
    "rate",
    "spread",
    "successive",
    "median_successive",
    "alike",
    "far",
    "shortest",
    "longest",
    "turning",
    "lagged",
    "early_then_late",
    "entropy",
    "shape_mean",
    "shape_low",
    "odd_shapes",
    "height_spread",
    "p_height",
    "p_steady",
    "atrial_power",
    "between_noise",
    "qrs_width",
    "t_height",
    "beats",
    "spiky",
)
_BEFORE, _AFTER = 40, 60  # points around a beat
_LEAST_RR_S = 0.1  # two beats are never closer


def wave(ecg_mv: Floats, fs_hz: float) -> Floats:
    """Shape (n,) in mV at `fs_hz` to (POINTS,) in units of its own size, between -MOST and MOST.

    What is shorter than LENGTH_S is followed by zeros.
    """
    held = min(POINTS, int(len(ecg_mv) * RATE_HZ / fs_hz))
    flat = without_baseline(at_rate(ecg_mv, fs_hz, RATE_HZ, held), RATE_HZ)
    size = float(np.percentile(np.abs(flat), SIZE_PCT)) if held else 0.0
    out = np.zeros(POINTS)
    if size > 0:
        out[:held] = np.clip(flat / size, -MOST, MOST)
    return out


def features(wave_: Floats, beats_s: Floats, length_s: float) -> Floats:
    """Shape (len(FEATURES),), each about -1 to 3; zeros where there are too few beats to say anything.

    `beats_s`: moments of the beats, seconds from the start of the wave, ascending. `length_s`: how much of the wave is
    signal.
    """
    out = dict.fromkeys(FEATURES, 0.0)
    length_s = min(length_s, LENGTH_S)
    beats_s = beats_s[(beats_s >= 0) & (beats_s < length_s)]
    signal = wave_[: round(length_s * RATE_HZ)]
    if len(signal) == 0:
        return np.zeros(len(FEATURES))
    out["spiky"] = float(np.mean(np.abs(signal) < 0.1))
    out["beats"] = len(beats_s) / max(length_s, 1.0)
    rr = np.diff(beats_s)
    rr = rr[rr > _LEAST_RR_S]
    if len(rr) >= 3:
        out |= _interval_features(rr)
    at = np.round(beats_s * RATE_HZ).astype(np.int64)
    at = at[(at >= _BEFORE) & (at + _AFTER < len(signal))]
    if len(at) >= 3:
        out |= _shape_features(signal, at, float(np.median(rr)) if len(rr) else 0.8)
    return np.asarray(np.clip(np.array([out[name] for name in FEATURES]), -4.0, 4.0), dtype=np.float64)


def _interval_features(rr: Floats) -> dict[str, float]:
    mean = float(np.mean(rr))
    middle = float(np.median(rr))
    step = np.abs(np.diff(rr)) / mean
    left, centre, right = rr[:-2], rr[1:-1], rr[2:]
    turns = (centre - left) * (right - centre) < 0
    x = (rr - mean) / (np.std(rr) + 1e-3)
    early = (rr[:-1] < 0.85 * middle) & (rr[1:] > 1.05 * middle)
    return {
        "rate": 60.0 / mean / 100.0,
        "spread": float(np.std(rr)) / mean * 4,
        "successive": float(np.sqrt(np.mean(step**2))) * 3,
        "median_successive": float(np.median(step)) * 6,
        "alike": float(np.mean(step < 0.04)),
        "far": float(np.mean(step > 0.12)),
        "shortest": float(np.min(rr)) / middle,
        "longest": float(np.max(rr)) / middle - 1.0,
        "turning": float(np.mean(turns)) if len(turns) else 0.66,
        "lagged": float(np.mean(x[1:] * x[:-1])),
        "early_then_late": float(np.mean(early)) * 5,
        "entropy": _entropy(rr / mean),
    }


def _entropy(rr: Floats) -> float:
    """How rarely two like intervals are followed by like ones (Lake & Moorman 2011), with pseudo-counts."""
    near = np.abs(rr[:, None] - rr[None, :]) < 0.04
    upper = np.triu(np.ones_like(near), 1)
    ones = float(np.sum(near & upper))
    twos = float(np.sum((near & upper)[:-1, :-1] & near[1:, 1:]))
    return float(np.log((ones + 1.0) / (twos + 0.5))) / 2


def _shape_features(signal: Floats, at: NDArray[np.int64], rr_s: float) -> dict[str, float]:
    rows = signal[at[:, None] + np.arange(-_BEFORE, _AFTER)[None, :]]
    qrs = rows[:, _BEFORE - 8 : _BEFORE + 9]
    centred = qrs - qrs.mean(axis=1, keepdims=True)
    unit = centred / (np.linalg.norm(centred, axis=1, keepdims=True) + 1e-9)
    typical = np.median(unit, axis=0)
    like = unit @ (typical / (np.linalg.norm(typical) + 1e-9))
    height = np.ptp(qrs, axis=1)
    common = np.median(rows, axis=0)
    tall = float(np.ptp(common[_BEFORE - 8 : _BEFORE + 9])) + 1e-6
    before = common[_BEFORE - 26 : _BEFORE - 8]
    p_rows = rows[:, _BEFORE - 26 : _BEFORE - 8]
    p_rows = p_rows - p_rows.mean(axis=1, keepdims=True)
    p_common = before - before.mean()
    p_like = (p_rows @ p_common) / (np.linalg.norm(p_rows, axis=1) * np.linalg.norm(p_common) + 1e-9)
    after = common[_BEFORE + 12 : min(_BEFORE + _AFTER, _BEFORE + max(24, round(60 * min(rr_s, 1.0))))]
    strong = np.abs(np.diff(common)) > 0.15 * np.max(np.abs(np.diff(common)))
    power, noise = _between(signal, at)
    return {
        "shape_mean": float(np.mean(like)),
        "shape_low": float(np.percentile(like, 10)),
        "odd_shapes": float(np.mean(like < 0.8)) * 3,
        "height_spread": float(np.std(height) / (np.mean(height) + 1e-6)) * 3,
        "p_height": float(np.ptp(before)) / tall * 3,
        "p_steady": float(np.median(p_like)),
        "atrial_power": power,
        "between_noise": noise,
        "qrs_width": float(np.sum(strong)) / 10,
        "t_height": float(np.max(after) - np.min(after)) / tall * 2,
    }


def _between(signal: Floats, at: NDArray[np.int64]) -> tuple[float, float]:
    """Of the stretches between the T wave and the next P wave: share of the power at 4 to 10 Hz, and their size."""
    shares, sizes = [], []
    for one, two in pairwise(at.tolist()):
        part = signal[one + min(36, (two - one) // 2) : two - 8]
        if len(part) < 20:
            continue
        part = part - part.mean()
        spectrum = np.abs(np.fft.rfft(part * np.hanning(len(part)), 128)) ** 2
        shares.append(float(spectrum[5:14].sum() / (spectrum[1:].sum() + 1e-9)))
        sizes.append(float(np.std(part)))
    if not shares:
        return 0.0, 0.0
    return float(np.median(shares)), float(np.median(sizes)) * 4
