"""Where the pulses of a wave are, decided per stretch on the absolute grid of samples since the last absence.

Each stretch of 2 s looks at the 6 s before it and the 2.5 s after it, so that no decision can depend on how the input
was cut; only the low-pass carries state from sample to sample. A pulse is an upstroke: the slope sum function (Zong et
al. 2003, doi:10.1109/CIC.2003.1291140) makes each upstroke one hump whatever its shape, and the period of the
surroundings, from their autocorrelation, says how near to each other two humps may be. The fiducial is the steepest
point of the upstroke.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, group_delay, sosfilt, sosfilt_zi

from device_pipeline.signal.quality_ppg import Verdict, judge_wave

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

STRETCH_S = 2.0
BEFORE_S = 6.0
AFTER_S = 2.5
LOW_PASS_HZ = 8.0
MIN_WORK_HZ = 50.0  # the wave is thinned to no less than this: its band ends at 8 Hz
HUMP_S = 0.17
PERIOD_S = (60 / 220, 60 / 30)
SHORTEST_S = 0.25
NEAREST_S = 0.45  # a dicrotic wave rises 0.3 to 0.45 s after its pulse
SOON_S = 0.6
LOWEST, LOWEST_SOON = 0.25, 0.35  # of the usual height: premature beats and bigeminy are low pulses
# a hump of this share of the usual height that was passed over makes an interval doubtful: in one that is LONG times
# the usual interval even the trace of a premature beat that hardly moved any blood does
DOUBT, DOUBT_LONG, LONG = 0.1, 0.04, 1.4
NEAREST_LONG_S = 0.3
ECHOES = 1.5  # times the usual: what comes after most pulses is their own echo
NEARLY = 0.8
USUAL = 1.25  # the usual height is the median of so many of the highest humps a period
TURN = 0.1  # the wave must lean this far to the other side before it is taken to be upside down
BETWEEN, BETWEEN_LOW = 1.3, 0.8  # a lower hump between two that are one usual interval apart is an echo
LEVEL_S = 1.0


@dataclass(frozen=True, slots=True, repr=False)
class Stretch:
    """Input samples [start, end): a verdict, and its pulses.

    Each of `beats` is a (fractional) count of samples and whether the interval before it can be trusted. `joins` is
    False where no interval may reach back into the stretch before.
    """

    start: int
    end: int
    verdict: Verdict
    beats: list[tuple[float, bool]]
    joins: bool


@dataclass(frozen=True, slots=True, repr=False)
class _Pulses:
    verdict: Verdict
    at: Floats  # the steepest points of the pulses
    passed: Floats  # the humps that were passed over
    shares: Floats  # and their share of the usual height


class PulseWave:
    """Takes one wave sampled at `fs_hz`, puts out its stretches; `restart` after every absence.

    Which side of the wave is up is learned from the wave and kept over absences: the sensor stays the same.
    """

    def __init__(self, fs_hz: float) -> None:
        self._fs_hz = fs_hz
        self._thin = max(1, int(fs_hz // MIN_WORK_HZ))
        self._hz = fs_hz / self._thin
        cut_hz = min(LOW_PASS_HZ, 0.4 * fs_hz)
        self._sos = butter(3, cut_hz, fs=fs_hz, output="sos")
        self._delay = float(group_delay(butter(3, cut_hz, fs=fs_hz), w=[2.0], fs=fs_hz)[1][0])
        self._lag = round(self._delay / self._thin)
        self._unit = round(STRETCH_S * self._hz)
        self._before = round(BEFORE_S * self._hz)
        self._after = round(AFTER_S * self._hz)
        self._half = max(1, round(HUMP_S * self._hz / 2))
        self._lean: float | None = None
        self._sign = 1.0
        self.restart(0)

    def restart(self, at: int) -> None:
        """The next sample has the count `at` and follows an absence."""
        self._origin = at
        self._zi: Floats | None = None
        self._taken = 0  # input samples since the origin
        self._x = np.empty(0, np.float64)  # low-passed and thinned, from the count _x_from of its own
        self._x_from = 0
        self._raw = np.empty(0, np.float64)
        self._raw_from = 0
        self._next = 0  # the stretch to judge next
        self._last_beat = -np.inf
        self._joins = False

    def add(self, x: Floats) -> None:
        """The next samples, shape (n,), n >= 1."""
        if self._zi is None:
            self._zi = sosfilt_zi(self._sos) * x[0]
        smooth, self._zi = sosfilt(self._sos, x, zi=self._zi)
        self._x = np.concatenate((self._x, smooth[-self._taken % self._thin :: self._thin]))
        self._raw = np.concatenate((self._raw, x))
        self._taken += len(x)

    def stretches(self) -> Iterator[Stretch]:
        """The stretches that have all of their surroundings."""
        while self._x_from + len(self._x) >= (self._next + 1) * self._unit + self._lag + self._after:
            yield self._stretch((self._next + 1) * self._unit * self._thin)

    def last_stretches(self) -> Iterator[Stretch]:
        """What is left where the wave ends."""
        while (self._next * self._unit) * self._thin < self._taken:
            yield self._stretch(min(self._taken, (self._next + 1) * self._unit * self._thin))

    def _stretch(self, end: int) -> Stretch:
        start = self._next * self._unit * self._thin
        low = max(0, self._next * self._unit + self._lag - self._before)
        high = (self._next + 1) * self._unit + self._lag + self._after
        found = self._pulses(
            self._x[low - self._x_from : high - self._x_from].copy(),
            self._raw[max(0, low * self._thin - self._raw_from) : high * self._thin - self._raw_from],
            self._raw[start - self._raw_from : end - self._raw_from],
        )
        at = (low + found.at) * self._thin - self._delay
        passed = (low + found.passed) * self._thin - self._delay
        usual = _median(at[1:] - at[:-1]) if len(at) > 1 else np.inf
        near, near_long, shortest = NEAREST_S * self._fs_hz, NEAREST_LONG_S * self._fs_hz, SHORTEST_S * self._fs_hz
        common = ECHOES * _usual_share(at, passed, found.shares, near, shortest)
        beats: list[tuple[float, bool]] = []
        for b in at[(at >= start) & (at < end)].tolist():
            if b - self._last_beat < shortest:
                continue
            long = b - self._last_beat > LONG * usual
            after = self._last_beat + (near_long if long else near)
            doubt = max(common, DOUBT_LONG if long else DOUBT)
            missed = (passed > after) & (passed < b - shortest) & (found.shares >= doubt)
            beats.append((self._origin + b, not missed.any()))
            self._last_beat = b
        stretch = Stretch(self._origin + start, self._origin + end, found.verdict, beats, self._joins)
        self._joins = True
        self._next += 1
        keep = max(0, self._next * self._unit + self._lag - self._before)
        self._x, self._x_from = self._x[keep - self._x_from :], keep
        self._raw, self._raw_from = self._raw[keep * self._thin - self._raw_from :], keep * self._thin
        return stretch

    def _pulses(self, x: Floats, raw: Floats, own: Floats) -> _Pulses:
        """Pulses of the surroundings, in (fractions of) samples of `x`, and the verdict on the stretch `own`."""
        if len(x) < self._hz:
            return _nothing("too_short")
        slope = np.zeros(len(x))
        slope[1:-1] = (x[2:] - x[:-2]) * 0.5
        lean = _lean(slope, x, round(LEVEL_S * self._hz))
        self._learn_side(lean)
        slope *= self._sign
        risen = np.concatenate((np.zeros(1), np.cumsum(np.maximum(slope, 0.0))))
        hump = _risen_around(risen, np.arange(len(x)), self._half)
        tops = np.flatnonzero((hump[1:-1] > hump[:-2]) & (hump[1:-1] >= hump[2:])) + 1
        if len(tops) == 0:
            return _nothing("low_perfusion" if risen[-1] <= 0 else "noise")
        period = self._period(slope)
        heights = hump[tops]
        level = _median(np.sort(heights)[-max(1, round(USUAL * len(x) / period)) :])
        taken = self._separate(tops, heights, level, period)
        at, steepest = self._steepest(slope, tops[taken])
        verdict = judge_wave(
            slope,
            steepest,
            _risen_around(risen, steepest, round(min(0.16 * self._hz, 0.3 * period))),
            risen=float(risen[-1]),
            lean=lean * self._sign,
            width=(round(min(0.15 * self._hz, 0.3 * period)), round(min(0.45 * self._hz, 0.6 * period))),
            level=level,
            raw=raw,
            own=own,
            fs_hz=self._fs_hz,
        )
        taken |= heights < DOUBT_LONG * level
        return _Pulses(verdict, at, tops[~taken].astype(np.float64), heights[~taken] / level)

    def _separate(self, tops: Indices, heights: Floats, level: float, period: float) -> NDArray[np.bool_]:
        """Which humps are pulses of their own: the higher of two that are too near stays, then echoes go."""
        nearest = min(0.55 * period, NEAREST_S * self._hz)
        where, high = tops.tolist(), heights.tolist()
        alive = [h >= LOWEST * level for h in high]
        for i in sorted(range(len(where)), key=high.__getitem__, reverse=True):
            if not alive[i]:
                continue
            for step in (-1, 1):
                k = i + step
                while 0 <= k < len(where) and abs(where[k] - where[i]) < nearest:
                    alive[k] = False
                    k += step
        last = -1
        for i in range(len(where)):
            if not alive[i]:
                continue
            soon = last >= 0 and where[i] - where[last] < SOON_S * self._hz
            if soon and high[i] < LOWEST_SOON * min(level, high[last]):
                alive[i] = False
            else:
                last = i
        kept = [i for i in range(len(where)) if alive[i]]
        if len(kept) > 4:
            gaps = sorted(where[b] - where[a] for a, b in pairwise(kept))
            widest = BETWEEN * gaps[len(gaps) // 2]
            for a, i, b in zip(kept, kept[1:], kept[2:], strict=False):
                if where[b] - where[a] < widest and high[i] < BETWEEN_LOW * min(high[a], high[b]):
                    alive[i] = False
        return np.array(alive, np.bool_)

    def _learn_side(self, lean: float) -> None:
        self._lean = lean if self._lean is None else 0.8 * self._lean + 0.2 * lean
        if self._lean * self._sign < (-TURN if self._joins else 0.0):
            self._sign = -self._sign
            self._joins = False

    def _period(self, slope: Floats) -> float:
        """Pulse period in samples: the first peak of the slope's autocorrelation that nearly reaches the highest."""
        n = len(slope)
        first, last = int(PERIOD_S[0] * self._hz), min(n - 2, int(PERIOD_S[1] * self._hz) + 1)
        size = 1 << (n + last + 1).bit_length()
        spectrum = np.fft.rfft(slope - slope.sum() / n, size)
        alike = np.fft.irfft(spectrum.real**2 + spectrum.imag**2, size)
        part = alike[first - 1 : last + 2] / (n - np.arange(first - 1, last + 2))
        peaks = np.flatnonzero((part[1:-1] >= part[:-2]) & (part[1:-1] > part[2:])) + 1
        if len(peaks) == 0:
            return PERIOD_S[0] * self._hz
        values = part[peaks]
        return float(first - 1 + peaks[np.argmax(values >= NEARLY * values.max())])

    def _steepest(self, slope: Floats, tops: Indices) -> tuple[Floats, Indices]:
        """The steepest point of each hump, to a fraction of a sample (a parabola through three) and to the sample."""
        n = len(slope)
        around = np.minimum(np.maximum(tops[:, None] + np.arange(-self._half, self._half + 1), 1), n - 2)
        best = around[np.arange(len(tops)), np.argmax(slope[around], axis=1)]
        left, mid, right = slope[best - 1], slope[best], slope[best + 1]
        bend = np.minimum(left - 2 * mid + right, -1e-300)
        shift = 0.5 * (left - right) / bend
        return best + np.minimum(np.maximum(shift, -0.5), 0.5), best


def _nothing(reason: str) -> _Pulses:
    none = np.empty(0, np.float64)
    return _Pulses(Verdict(0.0, reason), none, none, none)


def _lean(slope: Floats, x: Floats, level: int) -> float:
    """-2 to 2: blood makes a wave rise faster than it falls and stay low longer than high; upside down it is negative.

    The first shows in the skewness of the slope, the second in that of the wave above its mean over `level` samples; a
    sensor that filters its wave may leave only one of them.
    """
    n = len(x)
    sums = np.concatenate((np.zeros(1), np.cumsum(x - x[0])))
    i = np.arange(n)
    first, last = np.maximum(i - level // 2, 0), np.minimum(i + level // 2 + 1, n)
    above = x - x[0] - (sums[last] - sums[first]) / (last - first)
    return _skewness(slope) + _skewness(above)


def _skewness(v: Floats) -> float:
    centred = v - v.sum() / len(v)
    square = centred * centred
    power = float(square.sum()) / len(v)
    if power <= 0:
        return 0.0
    return min(1.0, max(-1.0, float((square * centred).sum()) / len(v) / math.sqrt(power) / power))


def _usual_share(at: Floats, passed: Floats, shares: Floats, near: float, shortest: float) -> float:
    """Median over the intervals between pulses of the highest hump passed over inside, 0 where there is none."""
    highest = [0.0] * (len(at) - 1)
    if not highest:
        return 0.0
    for i, t, share in zip((np.searchsorted(at, passed) - 1).tolist(), passed.tolist(), shares.tolist(), strict=True):
        if 0 <= i < len(highest) and at[i] + near < t < at[i + 1] - shortest:
            highest[i] = max(highest[i], share)
    return sorted(highest)[len(highest) // 2]


def _risen_around(risen: Floats, at: Indices, half: int) -> Floats:
    n = len(risen) - 1
    return risen[np.minimum(at + half + 1, n)] - risen[np.maximum(at - half, 0)]


def _median(v: Floats) -> float:
    ordered = np.sort(v)
    n = len(ordered)
    return 0.5 * float(ordered[(n - 1) // 2] + ordered[n // 2])
