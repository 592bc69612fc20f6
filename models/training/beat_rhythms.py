"""Beats of real people in other rhythms: early ones, runs of them, atrial fibrillation, faster and slower.

Of 22 people few had runs from above the ventricles, and the net is to know them in anybody. The beats are those that
were recorded; their order, their intervals and the P wave of early ones are made.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.beat_context import BeatContext
from models.beat_input import AFTER, BEFORE, RATE_HZ, beat_waves
from models.waveform import Floats

_AHEAD = 44  # points kept before the R peak
_LENGTH = _AHEAD + AFTER
_TAPER = np.ones(_LENGTH)
_TAPER[:8], _TAPER[-14:] = np.linspace(0, 1, 8), np.linspace(1, 0, 14)
_KINDS = ("early", "runs", "pairs", "fibrillation", "pace", "calm", "mixed", "ventricular", "escape")
_SHARES = (0.17, 0.22, 0.07, 0.15, 0.1, 0.03, 0.08, 0.12, 0.06)
_LEAST = 8


@dataclass(frozen=True, slots=True)
class Source:
    """Beats of one lead, level at both ends: `usual` (n, points), `odd` those from a ventricle; `rr_s` the median."""

    usual: Floats
    odd: Floats
    rr_s: float

    @property
    def size(self) -> float:
        return float(np.ptp(np.median(self.usual, axis=0)))


def source(ecg_mv: Floats, fs_hz: float, at: Floats, labels: NDArray[np.str_]) -> Source | None:
    """None where there are too few beats with room around them."""
    waves = beat_waves(ecg_mv, fs_hz, at)[:, BEFORE - _AHEAD : BEFORE + AFTER]
    left, right = np.median(waves[:, :6], axis=1), np.median(waves[:, -8:], axis=1)
    waves = waves - (left[:, None] + (right - left)[:, None] * np.linspace(0, 1, _LENGTH))
    rr_s = np.diff(at) / fs_hz
    before, after = np.append(9.0, rr_s), np.append(rr_s, 9.0)
    roomy = (before > 0.55) & (after > 0.58) & (before < 2) & (after < 2)
    usual = waves[(labels == "N") & roomy]
    if len(usual) < _LEAST:
        return None
    middle = np.median(usual, axis=0)[20:64]
    usual = usual[[np.corrcoef(middle, wave[20:64])[0, 1] > 0.85 for wave in usual]]
    if len(usual) < _LEAST:
        return None
    return Source(usual, waves[(labels == "V") & (after > 0.55)], float(np.median(rr_s)))


def made(rng: np.random.Generator, own: Source, donor: Source, n: int = 220) -> tuple[Floats, NDArray[np.str_]]:
    """(features of n beats, their labels): the usual beats of `own`, the odd ones of `donor`."""
    kind = str(rng.choice(_KINDS, p=_SHARES))
    rr_s, labels = _order(rng, kind, own.rr_s * rng.uniform(0.75, 1.15), n)
    at = np.round((1 + np.cumsum(rr_s)) * RATE_HZ).astype(np.int64)
    ecg = np.zeros(at[-1] + round(1.2 * RATE_HZ))
    odd = donor.odd * (own.size / donor.size * rng.choice([-1, 1]))
    first = odd[rng.integers(len(odd))]
    near = (odd @ first) / (np.linalg.norm(odd, axis=1) * np.linalg.norm(first) + 1e-9) > 0.8
    alike = odd[near] if near.any() else odd
    p_size, p_shift = rng.uniform(-1, 0.8), int(rng.integers(-5, 6))
    for k in range(n):
        wave = own.usual[rng.integers(len(own.usual))]
        if labels[k] == "V":
            pool = alike if rng.random() < 0.85 else odd
            wave = pool[rng.integers(len(pool))]
        elif labels[k] == "F":
            share = rng.uniform(0.35, 0.65)
            wave = share * wave + (1 - share) * alike[rng.integers(len(alike))]
        elif kind == "fibrillation":
            wave = _with_p(wave, rng.normal(0, 0.15), int(rng.integers(-6, 7)))
        elif labels[k] == "S":
            known = rng.random() < 0.8
            size = p_size * rng.uniform(0.7, 1.3) if known else rng.uniform(-0.5, 1)
            wave = _with_p(wave, size, p_shift + int(rng.integers(-1, 2)))
        quick = float(np.clip(np.sqrt(rr_s[k] / own.rr_s), 0.72, 1.05))
        ecg[at[k] - _AHEAD : at[k] + AFTER] += _quicker(wave, quick) * _TAPER
    t_s = np.arange(len(ecg)) / RATE_HZ
    ecg += rng.normal(0, own.size * 10 ** rng.uniform(-2.3, -1.2), len(ecg))
    if kind == "fibrillation":
        wander = np.cumsum(rng.normal(0, 0.15, len(ecg)))
        ecg += own.size * rng.uniform(0, 0.06) * np.sin(2 * np.pi * rng.uniform(4.5, 8) * t_s + wander)
    ecg += own.size * rng.uniform(0, 0.3) * np.sin(2 * np.pi * rng.uniform(0.1, 0.35) * t_s)
    place = (at + rng.integers(-1, 2, n) * (rng.random(n) < 0.5)).astype(np.float64)
    context = BeatContext()
    waves, before_s = beat_waves(ecg, RATE_HZ, place), np.append(np.nan, np.diff(place) / RATE_HZ)
    return np.concatenate([context.push(waves, before_s), context.flush()]), labels


def _quicker(wave: Floats, share: float) -> Floats:
    """What follows the complex takes `share` of its time."""
    t = np.arange(-_AHEAD, AFTER)
    return np.interp(np.where(t < 10, t, 10 + (t - 10) / share), t, wave)


def _with_p(wave: Floats, size: float, shift: int) -> Floats:
    """The P wave `size` times as high, `shift` points later."""
    part = wave[_AHEAD - 38 : _AHEAD - 8]
    line = np.linspace(part[:3].mean(), part[-3:].mean(), len(part))
    p = np.roll(part - line, shift)
    p[:3] *= 0.3
    p[-3:] *= 0.3
    out = wave.copy()
    out[_AHEAD - 38 : _AHEAD - 8] = line + size * p
    return out


def _order(rng: np.random.Generator, kind: str, usual_s: float, n: int) -> tuple[Floats, NDArray[np.str_]]:
    """(intervals before each beat, labels)."""
    base = usual_s * np.exp(np.cumsum(rng.normal(0, 0.004, n)))
    if kind == "pace":
        base *= np.interp(np.arange(n), np.sort(rng.uniform(0, n, 7)), rng.uniform(0.55, 1.1, 7))
    breath = rng.uniform(0, 0.14) if rng.random() < 0.5 else 0.02
    base *= 1 + breath * np.sin(np.arange(n) * 2 * np.pi / rng.uniform(3, 7))
    base = np.clip(base * np.exp(rng.normal(0, rng.uniform(0.004, 0.03), n)), 0.36, 1.6)
    rr_s, labels = base.copy(), np.array(["N"] * n)
    if kind == "fibrillation":
        spread = rng.uniform(0.12, 0.28)
        rr_s = np.clip(usual_s * rng.uniform(0.7, 1) * np.exp(rng.normal(0, spread, n)), 0.32, 1.9)
    odd = rng.uniform(0, 0.12) if rng.random() < 0.7 else 0.0
    if kind == "ventricular":
        odd = rng.uniform(0.1, 0.5)
    early = 0.0 if kind in ("fibrillation", "pace", "calm", "ventricular", "escape") else rng.uniform(0.01, 0.12)
    run = {"runs": 0.5, "mixed": 0.2}.get(kind, 0.0)
    odd_share, early_share = rng.uniform(0.5, 0.85), rng.uniform(0.5, 0.85)
    i = 8
    while i < n - 3:
        luck = rng.random()
        if kind == "escape" and luck < 0.02:  # a ventricle sets the pace for a while, slowly or nearly as fast
            stop = min(n - 2, i + int(rng.integers(4, 70)))
            rr_s[i:stop] = usual_s * rng.uniform(0.8, 1.7) * np.exp(rng.normal(0, 0.03, stop - i))
            labels[i:stop] = "V"
            i = stop + 4
        elif luck < odd:
            i = _odd(rng, rr_s, labels, base, i, odd_share, kind == "fibrillation")
        elif luck < odd + early and rng.random() < run:
            length = min(60, 3 + int(rng.geometric(0.09)))
            stop = min(n - 2, i + length)
            fast_s = max(0.3, rng.uniform(0.42, 0.8) * usual_s)
            rr_s[i:stop] = fast_s * np.exp(rng.normal(0, rng.uniform(0.004, 0.03), stop - i))
            labels[i:stop] = "S"
            rr_s[stop] = base[stop] * rng.uniform(1.0, 1.5)
            i = stop + 2
        elif luck < odd + early:
            for _ in range(int(rng.integers(1, 12)) if kind == "pairs" else 1):
                if i >= n - 3:
                    break
                share = float(np.clip(early_share + rng.normal(0, 0.07), 0.4, 0.9))
                labels[i], rr_s[i] = "S", base[i] * share
                rr_s[i + 1] = base[i] * (rng.uniform(0.95, 1.25) if rng.random() < 0.8 else 2 - share)
                i += 2
        else:
            i += 1
    return np.clip(rr_s, 0.28, 2.4), labels


def _odd(
    rng: np.random.Generator, rr_s: Floats, labels: NDArray[np.str_], base: Floats, i: int, share: float, wild: bool
) -> int:
    """A beat from a ventricle at `i`, alone, between two others, in a run, or a fusion; returns where to go on."""
    labels[i] = "V"
    before_s = float(np.clip(share + rng.normal(0, 0.04), 0.4, 1.0)) * base[i]
    rr_s[i] = min(rr_s[i], before_s) if wild and rng.random() < 0.5 else before_s
    luck = rng.random()
    if luck < 0.08 and base[i] - before_s > 0.38:
        rr_s[i + 1] = base[i] * 1.02 - before_s
    elif not wild:
        rr_s[i + 1] = 2 * base[i] - before_s if luck < 0.8 else base[i] * rng.uniform(0.95, 1.2)
    if luck > 0.9:
        stop = min(len(rr_s) - 2, i + 1 + int(rng.geometric(0.25)))
        labels[i + 1 : stop] = "V"
        rr_s[i + 1 : stop] = before_s * np.exp(rng.normal(0, 0.06, stop - i - 1))
        rr_s[stop] = base[stop] * rng.uniform(1, 1.5)
        return stop + 1
    if luck > 0.84:
        labels[i], rr_s[i], rr_s[i + 1] = "F", base[i] * rng.uniform(0.88, 1.0), base[i + 1]
    return i + 2
