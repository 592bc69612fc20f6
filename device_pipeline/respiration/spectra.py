"""How strongly each trace of a window swings at each rate: its power and its likeness to itself a period later.

Several windows at once are told bit for bit what each is told alone: whatever is added up is added within one window,
in the same shapes and order (a stack of products of matrices is a product each, and sums run along a row).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from device_pipeline.respiration.traces import BEAT_TRACES, GRID_HZ, GRID_NS
from models.respiration import BELOW, RATES_N, TRACES, WIDE_BPM

Floats = NDArray[np.float64]
Times = NDArray[np.int64]
Counts = NDArray[np.int64]
Mask = NDArray[np.bool_]

WINDOW_S = 32.0
POINTS = int(WINDOW_S * GRID_HZ)
AROUND_S = 2.0  # beats this far outside of the window still bend the traces inside
FEWEST_BEATS = 8
MOST_MAD = 4.0  # a premature beat stands out further than a breath
_WINDOW_NS = round(WINDOW_S * 1e9)
_LONGEST_GAP_NS = 3_000_000_000
_MOST_GAPS_NS = 13_000_000_000  # of the window may lie in gaps between beats longer than that
_FAR_NS = 1 << 40  # further than the beats of any window
_FLOOR, _SCALE = 1e-3, 0.1
_FFT_N = 2 * POINTS  # no trace wraps around onto itself
_FINE_N = 4 * POINTS  # the autocorrelation between lags of the grid is that of a transform this long
_LONGEST_LAG = 0.6  # of the window: the autocorrelation is not believed further out

GRID_S: Floats = np.asarray((np.arange(POINTS) + 0.5) / GRID_HZ, dtype=np.float64)
_GRID_NS: Times = np.arange(POINTS, dtype=np.int64) * GRID_NS + GRID_NS // 2


@dataclass(frozen=True, slots=True)
class Spectra:
    """Of k windows `power` and `alike` (k, TRACES, len(WIDE_BPM)); `pulse_bpm` (k,): how often beats sample them."""

    power: Floats
    alike: Floats
    pulse_bpm: Floats


class Spectrum:
    """The constant tables."""

    def __init__(self) -> None:
        u = np.linspace(-1.0, 1.0, POINTS)
        self._trend = np.linalg.qr(np.stack((np.ones(POINTS), u, u * u), axis=1))[0]
        self._trend_back = np.ascontiguousarray(self._trend.T)
        # Seen from its middle a trace is an even and an odd part, and half of the products vanish.
        half = POINTS // 2
        turn = np.outer((np.arange(half) - (POINTS - 1) / 2) / GRID_HZ, 2 * np.pi * WIDE_BPM / 60.0)
        taper = np.hanning(POINTS + 2)[1 : half + 1, None]
        self._even, self._odd = np.cos(turn) * taper, np.sin(turn) * taper
        lag_s = 60.0 / WIDE_BPM
        turn = np.outer(np.arange(_FINE_N // 2 + 1) * GRID_HZ / _FINE_N, 2 * np.pi * lag_s)
        twice = np.full(_FINE_N // 2 + 1, 2.0)
        twice[[0, -1]] = 1.0
        unbiased = POINTS / (POINTS - np.minimum(lag_s * GRID_HZ, _LONGEST_LAG * POINTS))
        fine = np.concatenate((np.cos(turn) * twice[:, None] * unbiased, twice[:, None]), axis=1)
        # Power at _FFT_N has in it all lags that there are; from those follows the power at _FINE_N.
        lags = np.arange(POINTS)
        to_fine = np.cos(np.outer(lags, np.arange(_FINE_N // 2 + 1)) * (2 * np.pi / _FINE_N))
        to_fine[1:] *= 2.0
        to_lags = np.cos(np.outer(np.arange(_FFT_N // 2 + 1), lags) * (2 * np.pi / _FFT_N)) / _FFT_N
        to_lags[1:-1] *= 2.0
        self._lags = to_lags @ (to_fine @ fine)

    def windows(self, t_ns: Times, n: Counts, values: Floats, waves: Floats) -> tuple[Mask, Spectra]:
        """k windows that each start at 0: their first `n` (k,) beats at `t_ns` (k, m), `values` (k, m, BEAT_TRACES),
        and the smooth `waves` (k, POINTS). What stands behind the first n beats is not looked at.

        (k,) which of them have beats enough, and the spectra of those alone.
        """
        clear = _readable(t_ns, n)
        if not clear.all():
            t_ns, n, values, waves = t_ns[clear], n[clear], values[clear], waves[clear]
        k, m = t_ns.shape
        if not k:
            nothing = np.empty((0, TRACES, len(WIDE_BPM)))
            return clear, Spectra(nothing, nothing, np.empty(0))
        rows = np.arange(k)
        absent = np.arange(m) >= n[:, None]
        gaps_ns = np.where(absent[:, 1:], _FAR_NS, t_ns[:, 1:] - t_ns[:, :-1])
        gaps_ns.sort(axis=1)
        pulse_bpm = 60e9 / gaps_ns[rows, (n - 1) // 2]
        traces = np.empty((k, TRACES, POINTS))
        traces[:, :BEAT_TRACES] = _on_grid(np.where(absent, _FAR_NS // 2, t_ns), n, _calm(values, absent, n))
        traces[:, BEAT_TRACES] = _calm(waves[:, :, None], np.zeros(waves.shape, np.bool_), np.full(k, POINTS))[:, 0]
        traces -= (traces @ self._trend) @ self._trend_back
        traces /= np.sqrt((traces * traces).sum(axis=2, keepdims=True) / POINTS) + 1e-300
        one, other = traces[:, :, : POINTS // 2], traces[:, :, : POINTS // 2 - 1 : -1]
        power, odd = (one + other) @ self._even, (one - other) @ self._odd
        power *= power
        odd *= odd
        power += odd
        total = power[:, :, BELOW : BELOW + RATES_N].sum(axis=2, keepdims=True) + 1e-9
        power *= (RATES_N * _SCALE) / total
        power += _FLOOR
        wave = np.fft.rfft(traces, _FFT_N)
        alike = (wave.real * wave.real + wave.imag * wave.imag) @ self._lags
        return clear, Spectra(np.log10(power, out=power), alike[:, :, :-1] / (alike[:, :, -1:] + 1e-9), pulse_bpm)


def _readable(t_ns: Times, n: Counts) -> Mask:
    """(k,) whether a window has beats in enough of it."""
    if t_ns.shape[1] < FEWEST_BEATS:
        return np.zeros(len(n), np.bool_)
    # within the window: a gap that reaches out of it counts as far as it lies inside
    inside_ns = np.minimum(t_ns[:, 1:], _WINDOW_NS) - np.maximum(t_ns[:, :-1], 0)
    long = (inside_ns > _LONGEST_GAP_NS) & (np.arange(1, t_ns.shape[1]) < n[:, None])
    absent_ns = np.where(long, inside_ns, 0).sum(axis=1)
    for edge_ns in (t_ns[:, 0], _WINDOW_NS - t_ns[np.arange(len(n)), n - 1]):
        absent_ns += np.where(edge_ns > _LONGEST_GAP_NS, edge_ns, 0)
    return np.asarray((n >= FEWEST_BEATS) & (absent_ns <= _MOST_GAPS_NS), dtype=np.bool_)


def _on_grid(t_ns: Times, n: Counts, calm: Floats) -> Floats:
    """(k, BEAT_TRACES, POINTS) between the beats at `t_ns` (k, m), in straight lines; beyond them as at the nearest."""
    k, m = t_ns.shape
    rows = np.arange(k)[:, None]
    # one search through all windows, which lie end to end
    ends = rows * _FAR_NS
    right = np.searchsorted((t_ns + ends).ravel(), (_GRID_NS + ends).ravel()).reshape(k, POINTS) - rows * m
    right = np.minimum(np.maximum(right, 1), n[:, None] - 1) + rows * m
    at_ns = t_ns.ravel()
    left_ns = at_ns[right - 1]
    share = np.minimum(np.maximum((_GRID_NS - left_ns) / (at_ns[right] - left_ns), 0.0), 1.0)[:, :, None]
    by_beat = np.ascontiguousarray(calm.transpose(0, 2, 1)).reshape(k * m, BEAT_TRACES)
    between = by_beat.take(right - 1, axis=0)
    between *= 1.0 - share
    after = by_beat.take(right, axis=0)
    after *= share
    between += after
    return np.asarray(between.transpose(0, 2, 1), dtype=np.float64)


def _calm(values: Floats, absent: Mask, n: Counts) -> Floats:
    """(k, j, m) from (k, m, j), around the median of each trace of each window: what is missing lies on it, what
    stands out is pulled in; `absent` (k, m) is behind the first `n` (k,)."""
    by_trace = np.ascontiguousarray(values.transpose(0, 2, 1))
    unknown = np.isnan(by_trace) | absent[:, None]
    by_trace[unknown] = np.inf
    ordered = np.sort(by_trace, axis=2)  # unknown last
    known = by_trace.shape[2] - unknown.sum(axis=2, keepdims=True)
    middle = np.take_along_axis(ordered, np.maximum(known - 1, 0) // 2, axis=2)
    middle[known == 0] = 0.0
    away = by_trace - middle
    away[unknown] = 0.0
    size = np.abs(away)
    size.transpose(0, 2, 1)[absent] = np.inf
    size.sort(axis=2)
    half = np.broadcast_to(((n - 1) // 2)[:, None, None], known.shape)
    reach = MOST_MAD * 1.4826 * np.take_along_axis(size, half, axis=2)
    return np.asarray(np.minimum(np.maximum(away, -reach), reach), dtype=np.float64)
