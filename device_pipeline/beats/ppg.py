"""Pulses from a PPG at rest, and an honest verdict where there are none: a stretch that is not good yields no beat.

Everything is decided per stretch of 2 s on the absolute grid of samples since the last absence, looking at the 6 s
before it and the 2.5 s after it, so that no decision can depend on how the input was cut. Only the low-pass carries
state from sample to sample.

A pulse is an upstroke: the slope sum function (Zong et al. 2003, doi:10.1109/CIC.2003.1291140) makes each upstroke one
hump whatever its shape; the pulse rate of the surroundings, from their autocorrelation, sets how near to each other two
humps may be, so that a dicrotic wave is none. The fiducial is the steepest point of the upstroke.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, find_peaks, group_delay, sosfilt, sosfilt_zi

from device_pipeline.beat import Beat, BeatSource, Quality
from device_pipeline.signal.motion import MotionLevel
from device_pipeline.signal.quality_ppg import (
    GOOD_INDEX,
    MIN_STEPS,
    Verdict,
    clipped_index,
    judge_pulses,
    steps_high,
)
from device_pipeline.signal.timeline import Timeline
from sensors.samples import Gap, GapReason, Kind, Samples

STRETCH_S = 2.0
BEFORE_S = 6.0
AFTER_S = 2.5
FLAT_S = 2.0
LOW_PASS_HZ = 8.0
MIN_WORK_HZ = 50.0  # the wave is thinned to no less than this: its band ends at 8 Hz
HUMP_S = 0.17
PERIOD_S = (60 / 220, 60 / 30)
RR_S = (0.25, 2.2)
MOTION_G = 0.1  # above this dynamic acceleration the wave may be the arm's and not the heart's
NEAREST_S = 0.45  # a dicrotic wave rises 0.3 to 0.45 s after its pulse
SOON_S = 0.6
LOWEST, LOWEST_SOON = 0.25, 0.35  # of the usual height: premature beats and bigeminy are low pulses
# a hump of this share of the usual height that was passed over makes an interval doubtful: in one that is LONG times
# the usual interval even the trace of a premature beat that hardly moved any blood does
DOUBT, DOUBT_LONG, LONG = 0.1, 0.04, 1.4
CLIPPED_RUN_S = 0.06
TURN = 0.1  # the slope must lean this far to the other side before a wave is taken to be upside down

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, repr=False)
class _Stretch:
    start_ns: int
    end_ns: int
    verdict: Verdict
    beats_ns: tuple[tuple[int, bool], ...]  # each with whether the interval before it can be trusted
    joins: bool  # its first interval may reach back into the stretch before


class PpgBeats:
    """Beats and quality of one PPG channel, held back by the accelerometer where there is one.

    With `with_acc`, or when an accelerometer block comes before the first PPG sample, each stretch waits until the
    accelerometer has passed it (or has a gap there, or the input ends); a stretch whose motion is unknown is judged by
    its wave alone. An accelerometer that was not announced is ignored. `push` raises ValueError for a rate other than
    `fs_hz`, which must lie in 20 to 500 Hz.
    """

    def __init__(self, fs_hz: float, channel: str, with_acc: bool = False) -> None:
        if not 20 <= fs_hz <= 500:
            raise ValueError(f"PPG at {fs_hz:g} Hz, expected 20 to 500 Hz")
        self._fs_hz = fs_hz
        self._channel = channel
        self._motion = MotionLevel() if with_acc else None
        self._acc_channel: str | None = None
        self._timeline = Timeline()
        self._wave = _Wave(fs_hz)
        self._begun = False
        self._start_ns: int | None = None
        self._final_ns: int | None = None
        self._waiting: deque[_Stretch | Gap] = deque()
        self._last_beat_ns: int | None = None
        # the trailing run of equal samples is held until it breaks (a wave) or is too long to be one (an absence)
        self._flat_run = round(FLAT_S * fs_hz)
        self._held = np.empty(0, np.float64)
        self._flat_from: int | None = None
        self._flat_value = 0.0
        self._flat_told = 0

    @property
    def final_ns(self) -> int | None:
        """Everything before this moment has been put out; None before the first sample."""
        return self._final_ns

    def push(self, block: Samples | Gap) -> list[Beat | Quality | Gap]:
        """Takes PPG samples of the channel, accelerometer samples, or a gap of either, each in its order of time."""
        if isinstance(block, Gap):
            self._push_gap(block)
        elif block.kind is Kind.ACC:
            if not self._begun and self._motion is None:
                self._motion = MotionLevel()
            if self._motion is not None:
                self._acc_channel = block.channel
                self._motion.push(block)
        elif block.kind is Kind.PPG and block.channel == self._channel and len(block):
            if block.fs_hz != self._fs_hz:
                raise ValueError(f"PPG block at {block.fs_hz:g} Hz, expected {self._fs_hz:g} Hz")
            self._push_wave(block)
        return self._release(False)

    def flush(self) -> list[Beat | Quality | Gap]:
        self._end_run()
        return self._release(True)

    def _push_gap(self, gap: Gap) -> None:
        if self._motion is not None and gap.channel in (None, self._acc_channel):
            self._motion.push(gap)
        if gap.channel in (None, self._channel):
            self._end_run()
            self._waiting.append(_Stretch(gap.start_ns, gap.end_ns, _ABSENT, (), False))
            self._timeline = Timeline()
            self._wave.restart(0)

    def _push_wave(self, block: Samples) -> None:
        if not self._begun:
            self._begun = True
            self._final_ns = block.start_ns
        at = self._timeline.count - len(self._held)
        self._timeline.add(block)
        x = np.concatenate((self._held, block.values)) if len(self._held) else block.values
        self._held = x[:0]
        while len(x):
            if self._flat_from is not None:
                same = x == self._flat_value
                n = len(x) if same.all() else int(np.argmin(same))
                x, at = x[n:], at + n
                self._tell_flat(at, ended=len(x) > 0)
                if len(x):
                    self._wave.restart(at)
                continue
            bounds = np.flatnonzero(x[1:] != x[:-1]) + 1
            starts = np.concatenate((np.zeros(1, np.intp), bounds))
            lengths = np.diff(starts, append=len(x))
            long = np.flatnonzero(lengths >= self._flat_run)
            n = int(starts[long[0]]) if len(long) else int(starts[-1])
            self._grow(x[:n])
            x, at = x[n:], at + n
            if not len(long):
                self._held = x.copy()
                break
            self._finish_wave(at)
            self._flat_from = self._flat_told = at
            self._flat_value = float(x[0])

    def _end_run(self) -> None:
        """What stands before an absence or the end is all there is."""
        count = self._timeline.count
        if self._flat_from is not None:
            self._tell_flat(count, ended=True)
        else:
            self._grow(self._held)
            self._finish_wave(count)
        self._held = self._held[:0]

    def _tell_flat(self, until: int, ended: bool) -> None:
        while self._flat_told < until and (ended or until - self._flat_told >= self._flat_run):
            start, self._flat_told = self._flat_told, min(until, self._flat_told + self._flat_run)
            self._waiting.append(
                Gap(
                    self._channel,
                    self._timeline.t_ns(start),
                    self._timeline.t_ns(self._flat_told),
                    GapReason.FLAT_LINE,
                )
            )
        self._timeline.forget(self._flat_told)
        if ended:
            self._flat_from = None

    def _grow(self, x: Floats) -> None:
        if len(x):
            self._wave.add(x)
            self._take(self._wave.stretches())

    def _finish_wave(self, end: int) -> None:
        self._take(self._wave.last_stretches())
        self._wave.restart(end)

    def _take(self, found: Iterator[_Found]) -> None:
        for stretch in found:
            self._waiting.append(
                _Stretch(
                    self._timeline.t_ns(stretch.start),
                    self._timeline.t_ns(stretch.end),
                    stretch.verdict,
                    tuple((self._timeline.t_ns(b), trusted) for b, trusted in stretch.beats),
                    stretch.joins,
                )
            )
            self._timeline.forget(stretch.end)

    def _release(self, all_of_it: bool) -> list[Beat | Quality | Gap]:
        out: list[Beat | Quality | Gap] = []
        while self._waiting:
            item = self._waiting[0]
            if isinstance(item, Gap):
                self._last_beat_ns = None
                out.append(item)
            elif item.verdict is _ABSENT:
                self._last_beat_ns = None
            elif not (all_of_it or self._motion_known(item.end_ns)):
                break
            else:
                self._judge(item, out)
            self._waiting.popleft()
            self._final_ns = item.end_ns
        if self._motion is not None and self._final_ns is not None:
            self._motion.forget(self._final_ns)
        return out

    def _motion_known(self, until_ns: int) -> bool:
        if self._motion is None:
            return True
        known = self._motion.known_until_ns
        return known is not None and known >= until_ns

    def _judge(self, stretch: _Stretch, out: list[Beat | Quality | Gap]) -> None:
        verdict = stretch.verdict
        rms_g = self._motion.rms_g(stretch.start_ns, stretch.end_ns) if self._motion is not None else None
        if rms_g is not None and rms_g > MOTION_G:
            verdict = Verdict(min(verdict.index, 0.5 * GOOD_INDEX * MOTION_G / rms_g), "motion")
        good = verdict.index >= GOOD_INDEX
        if not (good and stretch.joins):
            self._last_beat_ns = None
        if good:
            for t_ns, trusted in stretch.beats_ns:
                rr_s = None if self._last_beat_ns is None else (t_ns - self._last_beat_ns) * 1e-9
                if rr_s is not None and not (trusted and RR_S[0] <= rr_s <= RR_S[1]):
                    rr_s = None
                out.append(Beat(t_ns, BeatSource.PPG, rr_s))
                self._last_beat_ns = t_ns
        out.append(Quality(stretch.start_ns, stretch.end_ns, verdict.index, good, verdict.reason))


_ABSENT = Verdict(0.0, "absent")


@dataclass(frozen=True, slots=True, repr=False)
class _Found:
    start: int
    end: int
    verdict: Verdict
    beats: list[tuple[float, bool]]
    joins: bool


class _Wave:
    """The wave since the last absence, in sample counts of the input: pulses and verdicts per stretch."""

    def __init__(self, fs_hz: float) -> None:
        self._fs_hz = fs_hz
        self._thin = max(1, int(fs_hz // MIN_WORK_HZ))
        self._hz = fs_hz / self._thin
        cut_hz = min(LOW_PASS_HZ, 0.4 * fs_hz)
        self._sos = butter(3, cut_hz, fs=fs_hz, output="sos")
        b, a = butter(3, cut_hz, fs=fs_hz)
        self._delay = float(group_delay((b, a), w=[2.0], fs=fs_hz)[1][0])
        self._lag = round(self._delay / self._thin)
        self._unit = round(STRETCH_S * self._hz)
        self._before = round(BEFORE_S * self._hz)
        self._after = round(AFTER_S * self._hz)
        self._half = max(1, round(HUMP_S * self._hz / 2))
        self._clipped_run = max(3, round(CLIPPED_RUN_S * fs_hz))
        self._lean: float | None = None
        self._sign = 1.0
        self.restart(0)

    def restart(self, at: int) -> None:
        """The next sample has the count `at` and follows an absence."""
        self._origin = at
        self._zi: Floats | None = None
        self._taken = 0  # input samples since the origin
        self._x = np.empty(0, np.float64)  # low-passed and thinned, from count _x_from of its own
        self._x_from = 0
        self._raw = np.empty(0, np.float64)
        self._raw_from = 0
        self._next = 0  # the stretch to judge next
        self._last_beat = -np.inf
        self._joins = False

    def add(self, x: Floats) -> None:
        if self._zi is None:
            self._zi = sosfilt_zi(self._sos) * x[0]
        smooth, self._zi = sosfilt(self._sos, x, zi=self._zi)
        self._x = np.concatenate((self._x, smooth[-self._taken % self._thin :: self._thin]))
        self._raw = np.concatenate((self._raw, x))
        self._taken += len(x)

    def stretches(self) -> Iterator[_Found]:
        """The stretches that have all of their surroundings."""
        while self._x_from + len(self._x) >= (self._next + 1) * self._unit + self._lag + self._after:
            yield self._stretch((self._next + 1) * self._unit * self._thin)

    def last_stretches(self) -> Iterator[_Found]:
        """What is left where the wave ends."""
        while (self._next * self._unit) * self._thin < self._taken:
            yield self._stretch(min(self._taken, (self._next + 1) * self._unit * self._thin))

    def _stretch(self, end: int) -> _Found:
        start = self._next * self._unit * self._thin
        low = max(0, self._next * self._unit + self._lag - self._before)
        high = (self._next + 1) * self._unit + self._lag + self._after
        x = self._x[low - self._x_from : high - self._x_from].copy()
        raw = self._raw[max(0, low * self._thin - self._raw_from) : high * self._thin - self._raw_from]
        own = self._raw[start - self._raw_from : end - self._raw_from]
        verdict, at, passed, shares = self._pulses(x, raw, own)
        at = (low + at) * self._thin - self._delay
        passed = (low + passed) * self._thin - self._delay
        usual = float(np.median(np.diff(at))) if len(at) > 1 else np.inf
        near, soonest = NEAREST_S * self._fs_hz, RR_S[0] * self._fs_hz
        beats: list[tuple[float, bool]] = []
        for b in at[(at >= start) & (at < end)]:
            if b - self._last_beat < soonest:
                continue
            doubt = DOUBT_LONG if b - self._last_beat > LONG * usual else DOUBT
            missed = (passed > self._last_beat + near) & (passed < b - soonest) & (shares >= doubt)
            beats.append((self._origin + float(b), not missed.any()))
            self._last_beat = float(b)
        found = _Found(self._origin + start, self._origin + end, verdict, beats, self._joins)
        self._joins = True
        self._next += 1
        keep = max(0, self._next * self._unit + self._lag - self._before)
        self._x, self._x_from = self._x[keep - self._x_from :], keep
        self._raw, self._raw_from = self._raw[keep * self._thin - self._raw_from :], keep * self._thin
        return found

    def _pulses(self, x: Floats, raw: Floats, own: Floats) -> tuple[Verdict, Floats, Floats, Floats]:
        """The verdict, the steepest points of the pulses, the humps passed over and their share of the usual height.

        Points are in (fractions of) samples of `x`.
        """
        none = np.empty(0, np.float64)
        if len(x) < self._hz:
            return Verdict(0.0, "too_short"), none, none, none
        slope = np.zeros(len(x))
        slope[1:-1] = (x[2:] - x[:-2]) * 0.5
        centred = slope - slope.mean()
        square = centred * centred
        power = float(square.mean())
        if power <= 0:
            return Verdict(0.0, "low_perfusion"), none, none, none
        skewness = float((square * centred).mean()) / power**1.5
        self._learn_side(skewness)
        slope *= self._sign
        rising = np.maximum(slope, 0.0)
        risen = np.concatenate((np.zeros(1), np.cumsum(rising)))
        hump = self._risen_around(risen, np.arange(len(x)), self._half)
        period = self._period(centred)
        top, _ = find_peaks(hump, distance=max(1.0, 0.8 * period))
        if len(top) == 0:
            return Verdict(0.0, "noise"), none, none, none
        level = float(np.median(hump[top]))
        peaks = self._separate(hump, level, period)
        every, _ = find_peaks(hump, height=DOUBT_LONG * level)
        passed = every[~np.isin(every, peaks)]
        at, steepest = self._steepest(slope, peaks)
        half = round(min(0.16 * self._hz, 0.3 * period))
        heights = self._risen_around(risen, steepest, half)
        width = (round(min(0.15 * self._hz, 0.3 * period)), round(min(0.45 * self._hz, 0.6 * period)))
        verdict = judge_pulses(
            slope, steepest, heights, risen=float(risen[-1]), skewness=skewness * self._sign, width=width
        )
        if steps_high(level, raw) < MIN_STEPS:
            verdict = Verdict(min(verdict.index, 0.5 * GOOD_INDEX), "low_perfusion")
        else:
            clipped = clipped_index(own, float(raw.min()), float(raw.max()), self._clipped_run)
            if clipped < min(verdict.index, GOOD_INDEX):
                verdict = Verdict(clipped, "clipped")
        return verdict, at, passed.astype(np.float64), hump[passed] / level

    def _separate(self, hump: Floats, level: float, period: float) -> NDArray[np.intp]:
        """Takes the humps that are pulses of their own; the higher of two that are too near stays."""
        nearest = max(1.0, min(0.55 * period, NEAREST_S * self._hz))
        peaks, _ = find_peaks(hump, height=LOWEST * level, distance=nearest)
        heights = hump[peaks]
        soon = np.diff(peaks) < SOON_S * self._hz
        echo = np.concatenate(
            (np.zeros(1, np.bool_), soon & (heights[1:] < LOWEST_SOON * np.minimum(level, heights[:-1])))
        )
        return np.asarray(peaks[~echo[: len(peaks)]], np.intp)

    def _learn_side(self, skewness: float) -> None:
        """Blood makes a wave rise faster than it falls; a reflective sensor may show it upside down."""
        lean = float(np.clip(skewness, -1.0, 1.0))
        self._lean = lean if self._lean is None else 0.8 * self._lean + 0.2 * lean
        if self._lean * self._sign < (-TURN if self._joins else 0.0):
            self._sign = -self._sign
            self._joins = False

    def _period(self, centred: Floats) -> float:
        """Pulse period in samples: the first peak of the slope's autocorrelation that nearly reaches the highest."""
        n = len(centred)
        size = 1 << (2 * n - 1).bit_length()
        spectrum = np.fft.rfft(centred, size)
        alike = np.fft.irfft(spectrum.real**2 + spectrum.imag**2, size)[:n]
        first, last = int(PERIOD_S[0] * self._hz), min(n - 2, int(PERIOD_S[1] * self._hz) + 1)
        part = alike[first - 1 : last + 2] / (n - np.arange(first - 1, last + 2))
        humps = np.flatnonzero((part[1:-1] >= part[:-2]) & (part[1:-1] > part[2:])) + 1
        if len(humps) == 0:
            return PERIOD_S[0] * self._hz
        values = part[humps]
        return float(first - 1 + humps[np.argmax(values >= 0.8 * values.max())])

    @staticmethod
    def _risen_around(risen: Floats, at: NDArray[np.intp], half: int) -> Floats:
        n = len(risen) - 1
        return risen[np.minimum(at + half + 1, n)] - risen[np.maximum(at - half, 0)]

    def _steepest(self, slope: Floats, peaks: NDArray[np.intp]) -> tuple[Floats, NDArray[np.intp]]:
        n = len(slope)
        around = np.clip(peaks[:, None] + np.arange(-self._half, self._half + 1), 1, n - 2)
        best = around[np.arange(len(peaks)), np.argmax(slope[around], axis=1)]
        left, mid, right = slope[best - 1], slope[best], slope[best + 1]
        bend = left - 2 * mid + right
        shift = np.where(bend < 0, 0.5 * (left - right) / np.where(bend < 0, bend, 1.0), 0.0)
        return best + np.clip(shift, -0.5, 0.5), best
