"""Examples that the nets for QRS complexes learn from: real leads made worse in every way that leads get worse.

Each excerpt is a lead of a MIT-BIH record, or a mixture of its two leads (the heart seen from elsewhere), perhaps with
noise of MIT-BIH's own recordings added, thinned, quantised, clipped, stretched, interrupted. What is known of the beats
stays known.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.signal import butter, filtfilt, resample_poly

from device_pipeline.signal.qrs_candidates import Candidates, QrsCandidates

Floats = NDArray[np.float64]
Waves = tuple[tuple[float, float, float], ...]  # s after the R peak, height, width in s

FS_HZ = 360
RATES_HZ = (360, 100, 125, 128, 130, 200, 250, 257, 500, 1000)
RATE_SHARES = (0.3, 0.08, 0.1, 0.1, 0.1, 0.04, 0.12, 0.06, 0.06, 0.04)
NOISE_KINDS = ("none", "em", "ma", "bw", "mains", "white")
NOISE_SHARES = (0.12, 0.42, 0.18, 0.1, 0.08, 0.1)
NOISE_PART = 0.6  # of each noise recording; the rest is left to measure with
NEAR_S = 0.055  # a beat is at a candidate this near to where its own was without noise


@dataclass(frozen=True, slots=True)
class Record:
    """`leads` (2, n) in mV at FS_HZ, `beats` in samples, `flutter` as spans of samples."""

    name: str
    leads: Floats
    main: int
    beats: NDArray[np.int64]
    flutter: list[tuple[int, int]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Candidates of one excerpt with what they are: `beat` 0 or 1, `place_s` from the candidate to the R peak."""

    group: str
    kind: str
    fs_hz: float
    thin_hz: float
    t_s: Floats
    candidates: Candidates
    beat: Floats
    weight: Floats
    place_s: Floats
    beats_s: Floats


def candidates_of(ecg_mv: Floats, fs_hz: float) -> tuple[Candidates, Floats, float]:
    """All candidates of a signal, their times in s, the rate of the thinned signal."""
    stage = QrsCandidates(fs_hz)
    found = stage.push(np.concatenate((ecg_mv, np.full(round(0.8 * fs_hz), ecg_mv[-1]))))
    if found is None:
        raise ValueError("a signal without any candidate")
    t_s = np.asarray((found.at * stage.thin + (stage.thin - 1) / 2) / fs_hz, dtype=np.float64)
    inside = t_s < len(ecg_mv) / fs_hz
    found = Candidates(
        found.at[inside], found.energy[inside], found.slope[inside], found.scalars[inside], found.shape[inside]
    )
    return found, t_s[inside], stage.fs_hz


def noise_power(noise: Floats) -> float:
    """As WFDB's nst: the mean over seconds of the variance within."""
    seconds = len(noise) // FS_HZ
    return float(np.mean(np.var(noise[: seconds * FS_HZ].reshape(seconds, FS_HZ), axis=1)))


def qrs_height(ecg_mv: Floats, beats: NDArray[np.int64]) -> float:
    """As nst: the mean peak-to-peak height within 50 ms of the beats, the outer 5 % left out at either end."""
    heights = np.sort([np.ptp(ecg_mv[max(0, at - 18) : at + 19]) for at in beats.tolist()])
    cut = len(heights) // 20
    return float(heights[cut : len(heights) - cut].mean())


def noise_gain(ecg_mv: Floats, beats: NDArray[np.int64], noise: Floats, snr_db: float) -> float:
    """What `noise` is multiplied with for this signal-to-noise ratio, as nst counts it: (height² / 8) / power."""
    return float(np.sqrt(qrs_height(ecg_mv, beats) ** 2 / 8 * 10 ** (-snr_db / 10) / noise_power(noise)))


def with_noise(ecg_mv: Floats, beats: NDArray[np.int64], noises: dict[str, Floats], rng: Generator) -> Floats:
    """Noise of changing kind and strength, 20 to 90 s each, from 20 dB down to -6 dB."""
    out = ecg_mv.copy()
    at = 0
    while at < len(out):
        stop = min(len(out), at + int(rng.uniform(20, 90) * FS_HZ))
        n = stop - at
        kind = rng.choice(NOISE_KINDS, p=NOISE_SHARES)
        inside = beats[(beats >= at) & (beats < stop)]
        height = qrs_height(ecg_mv, inside if len(inside) > 4 else beats)
        fade = np.minimum(1.0, np.minimum(np.arange(n), np.arange(n)[::-1]) / 180)
        if kind in noises:
            noise = noises[kind][rng.integers(2)]
            begin = int(rng.integers(0, max(1, int(NOISE_PART * len(noise)) - n)))
            gain = height / np.sqrt(8 * noise_power(noise)) * 10 ** (-rng.uniform(-6, 20) / 20)
            out[at:stop] += gain * rng.choice([-1, 1]) * fade * (noise[begin : begin + n] - noise[begin])
        elif kind == "mains":
            phase = 2 * np.pi * rng.choice([50, 60]) * np.arange(n) / FS_HZ + rng.uniform(0, 6)
            out[at:stop] += height / 2 * 10 ** (-rng.uniform(0, 20) / 20) * fade * np.sin(phase)
        elif kind == "white":
            out[at:stop] += height * 10 ** (-rng.uniform(6, 30) / 20) * fade * rng.normal(size=n)
        at = stop
    return out


def excerpt(record: Record, lead: int, kind: str, seconds: float, noises: dict[str, Floats], rng: Generator) -> Excerpt:
    """`lead` 0 or 1, or 2 for a mixture; `kind`: clean, mix (another lead and rate), noise, odd (accidents)."""
    total = record.leads.shape[1]
    n = min(total, int(seconds * FS_HZ))
    begin = int(rng.integers(0, total - n + 1))
    beats = record.beats[(record.beats >= begin) & (record.beats < begin + n)] - begin
    leads = record.leads[:, begin : begin + n]
    if lead == 2:
        turn = rng.uniform(0, 2 * np.pi)
        ratio = float(np.clip(qrs_height(leads[0], beats) / max(qrs_height(leads[1], beats), 0.05), 0.3, 3))
        ecg_mv = np.cos(turn) * leads[0] + np.sin(turn) * ratio * leads[1]
    else:
        ecg_mv = leads[lead].copy()
    expected_s = _expected(ecg_mv, beats)
    hidden = np.zeros(len(beats), dtype=np.bool_)
    masked = [((a - begin) / FS_HZ - 0.5, (b - begin) / FS_HZ + 0.5) for a, b in record.flutter]
    fs_hz, stretch = FS_HZ, 1.0
    if kind != "clean":
        fs_hz = int(rng.choice(RATES_HZ, p=RATE_SHARES))
        if rng.random() < 0.6:
            stretch = float(np.round(np.exp(rng.uniform(-0.2, 0.25)), 2))
        if rng.random() < 0.4:
            ecg_mv = _coloured(ecg_mv, rng)
        if kind == "noise":
            ecg_mv = with_noise(ecg_mv, beats, noises, rng)
        if kind == "odd":
            _accidents(ecg_mv, beats, noises, hidden, masked, rng)
            ecg_mv = _converted(ecg_mv, beats, rng)
        ecg_mv = _resampled(ecg_mv, fs_hz * stretch) * rng.choice([-1, 1]) * np.exp(rng.uniform(-1.6, 1.6))
    found, t_s, thin_hz = candidates_of(ecg_mv, float(fs_hz))
    beats_s = beats[~hidden] * (stretch / FS_HZ)
    beat, place_s = label(t_s, beats_s, expected_s[~hidden] * stretch)
    weight = np.ones(len(t_s))
    for a, b in masked:
        weight[(t_s >= a * stretch) & (t_s <= b * stretch)] = 0.0
    return Excerpt(record.name, kind, float(fs_hz), thin_hz, t_s, found, beat, weight, place_s, beats_s)


def label(t_s: Floats, beats_s: Floats, expected_s: Floats) -> tuple[Floats, Floats]:
    """1 for the candidate nearest to where each beat's own is expected, if near enough, and its way to the R peak."""
    beat, place_s = np.zeros(len(t_s)), np.full(len(t_s), np.nan)
    for r_s, at_s in zip(beats_s.tolist(), expected_s.tolist(), strict=True):
        first, stop = np.searchsorted(t_s, [at_s - NEAR_S, at_s + NEAR_S])
        if stop > first:
            nearest = first + int(np.argmin(np.abs(t_s[first:stop] - at_s)))
            beat[nearest], place_s[nearest] = 1.0, r_s - t_s[nearest]
    return beat, place_s


def _expected(ecg_mv: Floats, beats: NDArray[np.int64]) -> Floats:
    """The time of each beat's own candidate, in s: the largest nearby; the annotation's where there is none."""
    found, t_s, _ = candidates_of(ecg_mv, float(FS_HZ))
    out = beats / FS_HZ
    for k, r_s in enumerate(out.tolist()):
        first, stop = np.searchsorted(t_s, [r_s - 0.13, r_s + 0.16])
        if stop > first:
            near = found.energy[first:stop] * np.exp(-np.abs(t_s[first:stop] - r_s) / 0.1)
            out[k] = t_s[first + int(np.argmax(near))]
    return out


def _accidents(
    ecg_mv: Floats,
    beats: NDArray[np.int64],
    noises: dict[str, Floats],
    hidden: NDArray[np.bool_],
    masked: list[tuple[float, float]],
    rng: Generator,
) -> None:
    """Jumps of the amplitude, silences of the heart, spikes; in place."""
    for _ in range(rng.integers(0, 3)):
        ecg_mv[rng.integers(len(ecg_mv)) :] *= np.exp(rng.uniform(-1.6, 1.6))
    for _ in range(rng.integers(0, 4)):
        at = int(rng.integers(len(ecg_mv)))
        n = min(int(rng.uniform(2, 15) * FS_HZ), len(ecg_mv) - at)
        near = beats[(beats > at - 10 * FS_HZ) & (beats < at)]
        if n < 400 or len(near) < 4:
            continue
        height = qrs_height(ecg_mv, near)
        silence = rng.normal(size=n) * height * np.exp(rng.uniform(-6, -2.6))
        if rng.random() < 0.5:
            noise = noises["ma" if rng.random() < 0.5 else "em"][rng.integers(2)]
            begin = int(rng.integers(len(noise) // 2))
            size = height * np.exp(rng.uniform(-4, -1.5)) * 0.5 / noise.std()
            silence += (noise[begin : begin + n] - noise[begin]) * size
        ecg_mv[at : at + n] = ecg_mv[at] + silence
        hidden |= (beats >= at - 20) & (beats < at + n + 20)
        masked += [
            (at / FS_HZ - 0.15, at / FS_HZ + 0.25),
            ((at + n) / FS_HZ - 0.15, (at + n) / FS_HZ + 0.15),
        ]
    for _ in range(rng.integers(0, 8)):
        at = int(rng.integers(len(ecg_mv) - 5))
        height = qrs_height(ecg_mv, beats[:200]) * np.exp(rng.uniform(-1, 4))
        ecg_mv[at : at + int(rng.integers(1, 4))] += height * rng.choice([-1, 1])


def _coloured(ecg_mv: Floats, rng: Generator) -> Floats:
    """As another amplifier would show it: slow waves larger or smaller, or the fastest ones taken away."""
    if rng.random() < 0.7:
        slow = filtfilt(*butter(1, rng.uniform(3, 10), fs=FS_HZ), ecg_mv)
        return np.asarray(ecg_mv + rng.uniform(-0.6, 1.0) * slow, dtype=np.float64)
    return np.asarray(filtfilt(*butter(1, rng.uniform(18, 40), fs=FS_HZ), ecg_mv), dtype=np.float64)


def _converted(ecg_mv: Floats, beats: NDArray[np.int64], rng: Generator) -> Floats:
    """A little noise, a rail, coarse steps."""
    if rng.random() < 0.4:
        ecg_mv = ecg_mv + 0.02 * np.exp(rng.uniform(-2, 0.5)) * rng.normal(size=len(ecg_mv))
    if rng.random() < 0.3:
        low, high = np.quantile(ecg_mv, [0.02 * rng.random(), 1 - 0.02 * rng.random()])
        ecg_mv = np.clip(ecg_mv, low, high)
    if rng.random() < 0.3:
        step = qrs_height(ecg_mv, beats) / rng.uniform(6, 40)
        ecg_mv = np.round(ecg_mv / step) * step
    return ecg_mv


def _resampled(ecg_mv: Floats, fs_hz: float) -> Floats:
    if fs_hz == FS_HZ:
        return ecg_mv
    ratio = Fraction(fs_hz / FS_HZ).limit_denominator(250)
    pad = 2 * FS_HZ
    padded = np.concatenate((np.full(pad, ecg_mv[0]), ecg_mv, np.full(pad, ecg_mv[-1])))
    first = round(pad * fs_hz / FS_HZ)
    out = resample_poly(padded, ratio.numerator, ratio.denominator)[first : first + int(len(ecg_mv) * fs_hz / FS_HZ)]
    return np.asarray(out, dtype=np.float64)


def artificial(rng: Generator) -> Excerpt:
    """A heart that no record has: 28 to 220 beats a minute, tall T waves, blocked P waves, pauses, bigeminy."""
    fs_hz, seconds = int(rng.choice((100, 125, 130, 200, 250, 360, 500, 1000))), 150
    hr_bpm = rng.uniform(28, 220) if rng.random() < 0.7 else rng.uniform(50, 100)
    usual_s, now_s = 60 / hr_bpm, 0.6
    bigeminy, blocked = rng.random() < 0.15, rng.random() < 0.25 and hr_bpm < 120
    uneven = rng.choice([0.01, 0.05, 0.25], p=[0.4, 0.4, 0.2])
    beats: list[float] = []
    wide: list[bool] = []
    lone_p: list[float] = []
    while now_s < seconds - 1:
        beats.append(now_s)
        wide.append(bool(bigeminy and len(beats) % 2 == 0))
        rr_s = usual_s * max(0.5, 1 + uneven * rng.normal())
        if bigeminy and len(beats) % 2 == 1 and usual_s > 0.5:
            rr_s *= 0.65
        if blocked and rng.random() < 0.04:
            turns = int(rng.integers(2, 8))
            lone_p += [now_s + rr_s * k - 0.17 for k in range(1, turns)]
            rr_s *= turns
        elif rng.random() < 0.01:
            rr_s += rng.uniform(1, 12)
        now_s += rr_s
    t = np.arange(seconds * fs_hz) / fs_hz
    x = np.zeros(len(t))
    fast = min(1.0, usual_s / 0.8) ** 0.5
    p_mv = rng.uniform(0, 0.2) * (1 if usual_s > 0.4 else 0.3)
    t_mv = rng.choice([rng.uniform(0.05, 0.4), rng.uniform(0.4, 1.2)], p=[0.75, 0.25]) * rng.choice(
        [1, -1], p=[0.85, 0.15]
    )
    t_wide = max(rng.uniform(0.035, 0.055) * fast, 0.045 if t_mv > 0.6 else 0.0)
    r_mv = rng.uniform(0.4, 1.5)
    narrow_shape: Waves = (
        (-0.17 * fast, p_mv, 0.022 * fast),
        (-0.026, -rng.uniform(0, 0.25), 0.009),
        (0.0, r_mv, rng.uniform(0.008, 0.014)),
        (0.028, -rng.uniform(0, 0.8) * r_mv, 0.01),
        (0.28 * fast, t_mv * r_mv, t_wide),
    )
    wide_shape: Waves = (
        (0.0, rng.uniform(0.8, 1.6) * rng.choice([1, -1]), rng.uniform(0.022, 0.036)),
        (0.09, rng.uniform(-0.6, 0.2), 0.04),
        (0.33 * fast, -rng.uniform(0.1, 0.5), 0.06),
    )
    if rng.random() < 0.1:
        narrow_shape = wide_shape
    waves: list[tuple[float, Waves]] = [
        (at, wide_shape if is_wide else narrow_shape) for at, is_wide in zip(beats, wide, strict=True)
    ]
    waves += [(at, ((0.0, max(p_mv, 0.05), 0.022),)) for at in lone_p]
    for at, shape in waves:
        a, b = np.searchsorted(t, [at - 0.5, at + 0.7])
        for shift_s, height, width_s in shape:
            x[a:b] += height * np.exp(-0.5 * ((t[a:b] - at - shift_s) / width_s) ** 2)
    size = np.exp(rng.uniform(-2.5, 2.3))
    x *= size * rng.choice([1, -1], p=[0.75, 0.25])
    x += size * rng.choice([0, 0.005, 0.02, 0.05]) * rng.normal(size=len(x))
    if rng.random() < 0.3:
        x += size * rng.uniform(0.1, 0.5) * np.sin(2 * np.pi * rng.choice([50, 60]) * t)
    if rng.random() < 0.5:
        x += size * rng.uniform(0.1, 2) * np.sin(2 * np.pi * rng.uniform(0.1, 0.4) * t)
    if rng.random() < 0.3:
        step = size * rng.uniform(0.01, 0.08)
        x = np.round(x / step) * step
    if rng.random() < 0.2:
        x[int(rng.integers(len(x))) :] *= rng.choice([0.1, 0.3, 3, 10])
    found, t_s, thin_hz = candidates_of(x, float(fs_hz))
    beats_s = np.array(beats)
    beat, place_s = label(t_s, beats_s, beats_s + np.where(wide, 0.02, 0.0))
    group = f"model {rng.integers(5)}"
    return Excerpt(group, "model", float(fs_hz), thin_hz, t_s, found, beat, np.full(len(t_s), 0.5), place_s, beats_s)
