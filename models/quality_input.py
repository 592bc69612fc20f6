"""What the quality net looks at: ten seconds of one lead at 100 Hz, where its beats are, how good the index is."""

from __future__ import annotations

import numpy as np

from models.waveform import Floats, at_rate, without_baseline

RATE_HZ = 100.0
LENGTH_S = 10.0
POINTS = 1000
MOST = 3.0  # sizes of the window's own; beyond, it is cut
FEATURES = ("size", "wander", "least_index", "mean_index", "beats")
LEAST_SIZE_MV = 1e-3
_MARK = 2  # points on either side of a beat
_MOST_FEATURE = 3.0
SURE = 0.9  # where the index of every stretch is this high, hardly a window has an error, and no net is asked


def wave(ecg_mv: Floats, fs_hz: float, beats_s: Floats) -> Floats:
    """(POINTS, 2): the lead less its baseline in sizes of its own, and 1 where a beat was found.

    `ecg_mv` shape (n,) in mV, LENGTH_S of it; `beats_s`: moments of the beats, seconds from its start.
    """
    seen = at_rate(without_baseline(ecg_mv, fs_hz), fs_hz, RATE_HZ, POINTS)
    out = np.zeros((POINTS, 2))
    out[:, 0] = np.clip(seen / _size(seen), -MOST, MOST)
    for at in np.round(np.asarray(beats_s) * RATE_HZ).astype(int).tolist():
        out[max(0, at - _MARK) : max(0, at + _MARK + 1), 1] = 1.0
    return out


def features(ecg_mv: Floats, fs_hz: float, beats_n: int, indices: Floats) -> Floats:
    """(len(FEATURES),): how large it is, how far it wanders, and what is known of it: `indices` are those of its
    stretches of 2 s, 0 for a stretch without a signal; `beats_n` beats were found in it.
    """
    seen = at_rate(without_baseline(ecg_mv, fs_hz), fs_hz, RATE_HZ, POINTS)
    size = _size(seen)
    means = ecg_mv[: len(ecg_mv) // 20 * 20].reshape(20, -1).mean(axis=1)
    row = np.array(
        [
            np.log10(size),
            np.log10((np.ptp(means) + 1e-3) / size),
            _sureness(float(np.min(indices))),
            _sureness(float(np.mean(indices))),
            beats_n / 10.0 - 1.2,
        ]
    )
    return np.asarray(np.clip(row, -_MOST_FEATURE, _MOST_FEATURE))


def _sureness(index: float) -> float:
    """An index of 0 to 1, stretched towards 1, where little makes the difference."""
    return float(-2.0 * np.log10(1.02 - index) - 1.0)


def _size(seen: Floats) -> float:
    """The 98th percentile of what is left of it."""
    n = len(seen)
    return max(float(np.partition(np.abs(seen), round(0.98 * n))[round(0.98 * n)]), LEAST_SIZE_MV)
