"""Pulses from a PPG at rest, and an honest verdict where there are none: a stretch that is not good yields no beat.

The wave says how far it can be trusted (`quality_ppg`), the accelerometer how far the arm moved (`motion`): the more
it moves, the better the wave must look, and above MOTION_G it may be the arm's and not the heart's however good it
looks.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from device_pipeline.beat import Beat, BeatSource, Quality
from device_pipeline.errors import SignalError
from device_pipeline.signal.motion import MotionLevel
from device_pipeline.signal.pulse_wave import PulseWave, Stretch
from device_pipeline.signal.quality_ppg import GOOD_INDEX, Verdict
from device_pipeline.signal.timeline import Timeline
from sensors.samples import Gap, GapReason, Kind, Samples

FLAT_S = 2.0
RR_S = (0.25, 2.2)
STILL_G, MOTION_G = 0.03, 0.1  # up to the first the wave alone decides; at the second its index counts half

Floats = NDArray[np.float64]


def readable(fs_hz: float) -> bool:
    """Whether a PPG at this rate can be read."""
    return 20 <= fs_hz <= 500


@dataclass(frozen=True, slots=True)
class _Passed:
    """A gap that came from outside: known already, and over at `end_ns`."""

    end_ns: int


@dataclass(frozen=True, slots=True, repr=False)
class _Judged:
    start_ns: int
    end_ns: int
    verdict: Verdict
    beats_ns: tuple[tuple[int, bool], ...]  # each with whether the interval before it can be trusted
    joins: bool  # its first interval may reach back into the stretch before


class PpgBeats:
    """Beats and quality of one PPG channel, held back by the accelerometer where there is one.

    With `with_acc`, or when an accelerometer block comes before the first PPG sample, each stretch waits until the
    accelerometer has passed it (or has a gap there, or the input ends); a stretch whose motion is unknown is judged by
    its wave alone. An accelerometer that was not announced is ignored. `acc_channel` names the one that is meant; left
    out, it is the first that comes, and its gaps are known from then on. `push` raises ValueError for a rate other than
    `fs_hz`. Raises SignalError for one outside 20 to 500 Hz.
    """

    def __init__(self, fs_hz: float, channel: str, with_acc: bool = False, acc_channel: str | None = None) -> None:
        if not readable(fs_hz):
            raise SignalError(f"{channel}: PPG at {fs_hz:g} Hz, 20 to 500 Hz expected")
        self._fs_hz = fs_hz
        self._channel = channel
        self._motion = MotionLevel() if with_acc or acc_channel is not None else None
        self._acc_channel = acc_channel
        self._timeline = Timeline()
        self._wave = PulseWave(fs_hz)
        self._begun = False
        self._final_ns: int | None = None
        self._waiting: deque[_Judged | Gap | _Passed] = deque()
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
            if self._motion is not None and self._acc_channel in (None, block.channel):
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
            self._waiting.append(_Passed(gap.end_ns))
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

    def _take(self, found: Iterator[Stretch]) -> None:
        for stretch in found:
            self._waiting.append(
                _Judged(
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
            if isinstance(item, _Judged):
                if not (all_of_it or self._motion_known(item.end_ns)):
                    break
                self._judge(item, out)
            elif isinstance(item, Gap):
                out.append(item)
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

    def _judge(self, stretch: _Judged, out: list[Beat | Quality | Gap]) -> None:
        verdict = stretch.verdict
        rms_g = self._motion.rms_g(stretch.start_ns, stretch.end_ns) if self._motion is not None else None
        if rms_g is not None and rms_g > STILL_G:
            share = STILL_G / rms_g if rms_g > MOTION_G else 1 - 0.5 * (rms_g - STILL_G) / (MOTION_G - STILL_G)
            index = verdict.index * share
            spoiled = index < GOOD_INDEX <= verdict.index or rms_g > MOTION_G
            verdict = Verdict(index, "motion" if spoiled else verdict.reason)
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
