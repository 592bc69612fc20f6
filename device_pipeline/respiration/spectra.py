"""How strongly each trace of one window swings at each rate: its power and its likeness to itself a period later.

One window at a time and always in the same shapes, so that the sums add in the same order however the input was cut.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from device_pipeline.respiration.traces import BEAT_TRACES, GRID_HZ
from models.respiration import BELOW, RATES_N, TRACES, WIDE_BPM

Floats = NDArray[np.float64]

WINDOW_S = 32.0
POINTS = int(WINDOW_S * GRID_HZ)
AROUND_S = 2.0  # beats this far outside of the window still bend the traces inside
LONGEST_GAP_S = 3.0
MOST_GAPS_S = 13.0  # of the window may lie in gaps between beats longer than that
FEWEST_BEATS = 8
MOST_MAD = 4.0  # a premature beat stands out further than a breath
_FLOOR, _SCALE = 1e-3, 0.1
_FFT_N = 512
_LONGEST_LAG = 0.6  # of the window: the autocorrelation is not believed further out

GRID_S: Floats = np.asarray((np.arange(POINTS) + 0.5) / GRID_HZ, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Spectra:
    """`power` and `alike`: (TRACES, len(WIDE_BPM)); `pulse_bpm`: how often beats sample the traces."""

    power: Floats
    alike: Floats
    pulse_bpm: float


class Spectrum:
    """The constant tables."""

    def __init__(self) -> None:
        u = np.linspace(-1.0, 1.0, POINTS)
        self._trend = np.linalg.qr(np.stack((np.ones(POINTS), u, u * u), axis=1))[0]
        turn = np.outer(np.arange(POINTS) / GRID_HZ, 2 * np.pi * WIDE_BPM / 60.0)
        taper = np.hanning(POINTS + 2)[1:-1]
        self._waves = np.concatenate((np.cos(turn), np.sin(turn)), axis=1) * taper[:, None]
        lag_s = 60.0 / WIDE_BPM
        turn = np.outer(np.arange(_FFT_N // 2 + 1) * GRID_HZ / _FFT_N, 2 * np.pi * lag_s)
        twice = np.full(_FFT_N // 2 + 1, 2.0)
        twice[[0, -1]] = 1.0
        unbiased = POINTS / (POINTS - np.minimum(lag_s * GRID_HZ, _LONGEST_LAG * POINTS))
        self._lags = np.concatenate((np.cos(turn) * twice[:, None] * unbiased, twice[:, None]), axis=1)

    def window(self, t_s: Floats, values: Floats, wave: Floats) -> Spectra | None:
        """One window that starts at 0: beats at `t_s` (n,) with `values` (n, BEAT_TRACES), the smooth `wave` (POINTS,).

        None where too little of the window has beats.
        """
        if len(t_s) < FEWEST_BEATS:
            return None
        gaps_s = t_s[1:] - t_s[:-1]
        # within the window: a gap that reaches out of it counts as far as it lies inside
        inside_s = np.minimum(t_s[1:], WINDOW_S) - np.maximum(t_s[:-1], 0.0)
        absent_s = float(inside_s[inside_s > LONGEST_GAP_S].sum())
        absent_s += sum(edge_s for edge_s in (float(t_s[0]), WINDOW_S - float(t_s[-1])) if edge_s > LONGEST_GAP_S)
        if absent_s > MOST_GAPS_S:
            return None
        beat_s = np.sort(gaps_s)
        traces = np.empty((TRACES, POINTS))
        right = np.minimum(np.maximum(np.searchsorted(t_s, GRID_S), 1), len(t_s) - 1)
        share = (GRID_S - t_s[right - 1]) / (t_s[right] - t_s[right - 1])
        share = np.minimum(np.maximum(share, 0.0), 1.0)[:, None]
        calm = _calm(values)
        traces[:BEAT_TRACES] = (calm[right - 1] * (1.0 - share) + calm[right] * share).T
        traces[BEAT_TRACES] = _calm(wave[:, None])[:, 0]
        traces -= (traces @ self._trend) @ self._trend.T
        traces /= np.sqrt((traces * traces).sum(axis=1, keepdims=True) / POINTS) + 1e-300
        waves = traces @ self._waves
        n = len(WIDE_BPM)
        waves *= waves
        power = waves[:, :n] + waves[:, n:]
        total = power[:, BELOW : BELOW + RATES_N].sum(axis=1, keepdims=True) + 1e-9
        transform = np.fft.rfft(traces, _FFT_N)
        alike = (transform * transform.conj()).real @ self._lags
        return Spectra(
            np.log10(power / total * (RATES_N * _SCALE) + _FLOOR),
            alike[:, :-1] / (alike[:, -1:] + 1e-9),
            60.0 / float(beat_s[len(beat_s) // 2]),
        )


def _calm(values: Floats) -> Floats:
    """(n, k) around the median of each trace: what is missing lies on it, what stands out is pulled in."""
    unknown = np.isnan(values)
    ordered = np.sort(values, axis=0)  # NaN last
    known = len(values) - unknown.sum(axis=0)
    middle = ordered[np.maximum(known - 1, 0) // 2, np.arange(values.shape[1])]
    away = values - middle
    away[unknown | (known == 0)] = 0.0
    reach = MOST_MAD * 1.4826 * np.sort(np.abs(away), axis=0)[(len(values) - 1) // 2]
    return np.asarray(np.minimum(np.maximum(away, -reach), reach), dtype=np.float64)
