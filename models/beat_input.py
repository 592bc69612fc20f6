"""What the beat net looks at: one beat, the wearer's usual beat beside it, and how it lies in time. Pure functions.

What is early or odd is so against the wearer's own beats; so the usual beat is carried along, beat by beat, and no
learning on the wearer is needed for it.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from models.waveform import Floats, moving_mean

RATE_HZ = 128.0
BEFORE, AFTER = 56, 72  # points before the R peak, and from it on
POINTS = BEFORE + AFTER
MOST = 3.0  # usual sizes; beyond, it is cut
FEATURES = ("before", "after", "before_last", "rr", "unrest", "likeness", "size", "p_likeness", "after_before", "run")
_RECENT = 12  # intervals that the usual one is the median of
_GAIN = 1 / 12  # weight of a new beat in the usual one
_ALIKE = 0.75
_ODD_IN_A_ROW = 10  # then the usual beat is given up: the electrode moved, or the conduction changed
_QRS = slice(BEFORE - 10, BEFORE + 12)
_P = slice(BEFORE - 34, BEFORE - 8)
_MISSING = 1.0  # of a ratio that is not known


def beat_wave(ecg_mv: Floats, fs_hz: float, at: float) -> Floats:
    """The beat whose R peak lies at sample `at` (a fraction is allowed) of `ecg_mv`: shape (POINTS,), mV, mean 0.

    Beyond either end of `ecg_mv` its first or last value stands.
    """
    where = at + np.arange(-BEFORE, AFTER) * (fs_hz / RATE_HZ)
    n = round(fs_hz / RATE_HZ / 2) * 2 - 1
    low, high = max(0, int(where[0]) - n - 1), min(len(ecg_mv), int(where[-1]) + n + 3)
    part = moving_mean(ecg_mv[low:high], n)
    wave = np.interp(where - low, np.arange(len(part)), part)
    return np.asarray(wave - wave.mean())


class BeatContext:
    """Takes the beats of one lead in order; gives the input of each, once its next beat is known."""

    def __init__(self) -> None:
        self._usual: Floats | None = None
        self._size = 1.0
        self._odd = 0
        self._rr: deque[float] = deque(maxlen=_RECENT)
        self._run = 0.0

    def inputs(self, wave: Floats, before_s: float | None, after_s: float | None) -> tuple[Floats, Floats]:
        """(wave and usual beat, shape (POINTS, 2); features, shape (len(FEATURES),)) of one beat.

        `before_s` and `after_s`: the intervals to the beats before and after it, None where not known.
        """
        qrs = wave[_QRS] - wave[_QRS].mean()
        size = float(np.ptp(qrs))
        if self._usual is None:
            self._usual, self._size = wave.copy(), max(size, 1e-3)
        like = _likeness(qrs, self._usual[_QRS])
        p_like = _likeness(wave[_P], self._usual[_P])
        usual_rr = float(np.median(self._rr)) if self._rr else (before_s or after_s or 0.8)
        unrest = float(np.mean(np.abs(np.diff(self._rr)))) / usual_rr if len(self._rr) > 2 else 0.05
        before = before_s / usual_rr if before_s else _MISSING
        after = after_s / usual_rr if after_s else _MISSING
        last = before_s / self._rr[-1] if before_s and self._rr else _MISSING
        self._run = 0.7 * self._run + 0.3 * float(before < 0.85)
        row = np.array(
            [
                (before - 1) * 3,
                (after - 1) * 3,
                (last - 1) * 3,
                usual_rr * 2 - 1.6,
                min(unrest, 0.5) * 6,
                like,
                size / self._size - 1,
                p_like,
                ((after / before if before else 1.0) - 1) * 1.5,
                self._run * 2,
            ]
        )
        pair = np.stack([wave, self._usual], axis=1) / self._size * 2
        self._learn(wave, like, size, before_s)
        return np.clip(pair, -MOST, MOST), np.clip(row, -4.0, 4.0)

    def _learn(self, wave: Floats, like: float, size: float, before_s: float | None) -> None:
        assert self._usual is not None
        if before_s is not None:
            self._rr.append(before_s)
        self._odd = 0 if like >= _ALIKE else self._odd + 1
        if self._odd >= _ODD_IN_A_ROW:
            self._usual, self._size, self._odd = wave.copy(), max(size, 1e-3), 0
        elif like >= _ALIKE:
            self._usual = self._usual + _GAIN * (wave - self._usual)
            self._size += _GAIN * (size - self._size)
            self._size = max(self._size, 1e-3)


def _likeness(a: Floats, b: Floats) -> float:
    a, b = a - a.mean(), b - b.mean()
    return float(a @ b) / (float(np.sqrt((a @ a) * (b @ b))) + 1e-9)
