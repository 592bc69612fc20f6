"""A small artificial ECG with known beat times: waves as Gaussian bumps around each R peak."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sensors.samples import Kind, Samples

Floats = NDArray[np.float64]

# (seconds from the R peak, height over that of R, width in s)
NORMAL = ((-0.18, 0.12, 0.022), (-0.026, -0.1, 0.009), (0.0, 1.0, 0.011), (0.028, -0.2, 0.01), (0.27, 0.28, 0.045))
NO_P = NORMAL[1:]
TALL_T = (*NORMAL[:-1], (0.29, 1.1, 0.05))
WIDE = ((0.0, 1.2, 0.032), (0.09, -0.5, 0.04), (0.33, -0.4, 0.06))


def beat_times(rr_s: Sequence[float], first_s: float = 0.6) -> Floats:
    """Times in seconds of beats with these intervals between them."""
    return first_s + np.concatenate(([0.0], np.cumsum(np.asarray(rr_s, dtype=np.float64))))


def ecg(
    times_s: Floats,
    fs_hz: float,
    *,
    length_s: float | None = None,
    r_mv: float = 1.0,
    shape: Sequence[tuple[float, float, float]] = NORMAL,
    noise_mv: float = 0.01,
    seed: int = 1,
) -> Floats:
    """Samples in mV of beats at `times_s`."""
    end_s = length_s if length_s is not None else float(times_s[-1]) + 1.0
    t = np.arange(round(end_s * fs_hz)) / fs_hz
    x = np.random.default_rng(seed).normal(0.0, noise_mv, len(t)) if noise_mv else np.zeros(len(t))
    for r_s in times_s.tolist():
        a, b = np.searchsorted(t, [r_s - 0.5, r_s + 0.7])
        for at, height, width in shape:
            x[a:b] += r_mv * height * np.exp(-0.5 * ((t[a:b] - r_s - at) / width) ** 2)
    return np.asarray(x, dtype=np.float64)


def block(x: Floats, fs_hz: float, start_ns: int = 0) -> Samples:
    return Samples(Kind.ECG, "ecg", fs_hz, start_ns, 1e9 / fs_hz, 0, x)
