"""Steps are told by their rhythm: some seconds of a steady beat in the acceleration, whatever the sensor's place.

Walking and running repeat 1.3 to 3.5 times a second on every part of the body (Straczkiewicz et al. 2023,
doi:10.1038/s41746-022-00745-z); steps are the cadence summed over the seconds that have one, so that no single swing
of an arm is a step and no single step is counted twice. Fewer than some six seconds in a row are not seen.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 20
CADENCE_HZ = (1.3, 3.5)
SPAN_S = 4  # a cadence is looked for in spans of so long, every second
STRIDE_BELOW_HZ = 1.65  # slower than nearly all steps: with a strong double it is the swing of one side in a run
DOUBLE_SHARE = 0.25
LEAST_G = 0.05  # rms of the norm in a span
LEAST_LIKENESS = 0.6  # correlation of a span with itself one or two steps later
LEAST_RUN = 3  # spans that agree
AGREE_HZ = 0.3

Floats = NDArray[np.float64]


def steps(t_s: Floats, norm_g: Floats, length_s: float) -> int:
    """Steps in a window of `length_s`: `norm_g`, shape (n,), the norm of the acceleration at `t_s` since its start."""
    seconds = int(length_s)
    if seconds < SPAN_S or len(norm_g) < 2:
        return 0
    cadence_hz = _cadences(_even(t_s, norm_g, seconds))
    per_second: list[list[float | None]] = [[] for _ in range(seconds)]
    for k, hz in enumerate(_lasting(cadence_hz)):
        for second in range(k, k + SPAN_S):
            per_second[second].append(hz)
    total = 0.0
    for told in per_second:
        known = sorted(hz for hz in told if hz is not None)
        if 2 * len(known) >= len(told) and known:
            total += known[len(known) // 2]
    return round(total)


def _even(t_s: Floats, norm_g: Floats, seconds: int) -> Floats:
    """At RATE_HZ: means of what is faster, straight lines through what is slower."""
    edges = np.arange(seconds * RATE_HZ + 1) / RATE_HZ
    first = np.searchsorted(t_s, edges)
    sums = np.concatenate(([0.0], np.cumsum(norm_g)))
    n = np.diff(first)
    middles = edges[:-1] + 0.5 / RATE_HZ
    means = np.diff(sums[first]) / np.maximum(n, 1)
    return np.where(n > 1, means, np.interp(middles, t_s, norm_g))


def _cadences(x: Floats) -> list[float | None]:
    """The cadence in each span, one a second; None where there is none."""
    size = SPAN_S * RATE_HZ
    spans = np.lib.stride_tricks.sliding_window_view(x, size)[::RATE_HZ]
    spans = spans - spans.mean(axis=1, keepdims=True)
    moving = np.flatnonzero((spans * spans).mean(axis=1) >= LEAST_G * LEAST_G)
    out: list[float | None] = [None] * len(spans)
    if not len(moving):
        return out
    n = 512
    spans = spans[moving]
    power = np.abs(np.fft.rfft(spans * np.hanning(size), n, axis=1)) ** 2
    later = np.fft.irfft(np.abs(np.fft.rfft(spans, n, axis=1)) ** 2, axis=1)[:, : size // 2 + 1]
    later *= size / (size - np.arange(size // 2 + 1)) / later[:, :1]
    step = RATE_HZ / n
    lowest, highest = round(CADENCE_HZ[0] / step), round(CADENCE_HZ[1] / step)
    best = lowest + np.argmax(power[:, lowest : highest + 1], axis=1)
    for k, row, likeness, at in zip(moving.tolist(), power, later, best.tolist(), strict=True):
        found = at
        if at * step < STRIDE_BELOW_HZ and 2 * at <= highest:
            near = row[2 * at - 3 : 2 * at + 4]
            if near.max() > DOUBLE_SHARE * row[at]:
                found = 2 * at - 3 + int(np.argmax(near))
        lags = [round(m * n / found) for m in (1, 2)]
        if max(float(likeness[lag - 1 : lag + 2].max()) for lag in lags if lag < len(likeness)) >= LEAST_LIKENESS:
            out[k] = found * step
    return out


def _lasting(cadence_hz: list[float | None]) -> list[float | None]:
    """Without those that too few neighbours share."""
    out: list[float | None] = [None] * len(cadence_hz)
    start = 0
    while start < len(cadence_hz):
        stop = start + 1
        if cadence_hz[start] is not None:
            while stop < len(cadence_hz) and _agree(cadence_hz[stop - 1], cadence_hz[stop]):
                stop += 1
            if stop - start >= LEAST_RUN:
                out[start:stop] = cadence_hz[start:stop]
        start = stop
    return out


def _agree(a: float | None, b: float | None) -> bool:
    return a is not None and b is not None and abs(a - b) <= AGREE_HZ
