"""Device ticks to host nanoseconds: continuous, strictly rising, and told by the notifications alone.

A notification can be late but never early, so the least of (arrival - device time) over the last minute is the offset
between the clocks (the lower envelope). The output follows it slowly: a device clock may be reset, drift and arrive in
bursts, but no block ever overlaps or steps back. What the device's stamps show to be missing is a Gap, back-filled
from the stamp after it, never stretched over.
"""

from __future__ import annotations

import itertools
from collections import deque

import numpy as np
from numpy.typing import NDArray

from sensors.profile import Frame
from sensors.samples import Gap, GapReason, Samples

# A step further off nominal than this is a lost frame; crystals and production spread stay within 1 %.
_OFF_NOMINAL = 0.05
_ENVELOPE_NS = 60 * 10**9
# How fast the output may follow the envelope, as a part of elapsed time: 0.1 % of an RR interval is below one sample.
_SLEW, _SLEW_FAR, _FAR_NS = 0.001, 0.01, 250_000_000
# A frame earlier than the envelope by more than this, or later, has its time from a clock that was moved.
_EARLY_NS, _LATE_NS = 250_000_000, 10 * 10**9

_USUAL_RATES_HZ = (25.0, 26.0, 28.0, 50.0, 52.0, 55.0, 100.0, 104.0, 130.0, 135.0, 176.0, 200.0, 208.0, 400.0, 416.0)
_FRAMES_TO_TELL_A_RATE = 4


class Envelope:
    """The least value over the last minute: O(1) a value, in order of `at_ns`."""

    def __init__(self) -> None:
        self._least: deque[tuple[int, int]] = deque()

    def add(self, at_ns: int, value_ns: int) -> int:
        """Takes a value, returns the least."""
        while self._least and self._least[-1][1] >= value_ns:
            self._least.pop()
        self._least.append((at_ns, value_ns))
        while self._least[0][0] < at_ns - _ENVELOPE_NS:
            self._least.popleft()
        return self._least[0][1]

    def shift(self, by_ns: int) -> None:
        """Adds `by_ns` to every value remembered."""
        self._least = deque((at_ns, value_ns + by_ns) for at_ns, value_ns in self._least)

    def clear(self) -> None:
        self._least.clear()


class FrameClock:
    """Gives the frames of one channel their host time.

    `fs_hz` is the nominal rate; where it is None the first frames are held until their stamps tell it.
    """

    def __init__(self, fs_hz: float | None) -> None:
        self._fs_hz = fs_hz
        self._held: list[tuple[int, Frame]] = []
        self._envelope = Envelope()
        self._offset_ns = 0
        self._step_ns = 1e9 / fs_hz if fs_hz else 0.0  # true step, by the device's clock
        self._steps_seen = 0
        self._device_ns: int | None = None  # of the last sample
        self._last: Samples | None = None  # without its values
        self._last_values: NDArray[np.float64] | None = None
        self._link_gap_ns: int | None = None  # the link came back at
        self._lost_to = GapReason.LOST_FRAME
        self.duplicates = 0

    @property
    def end_ns(self) -> int | None:
        """One step after the last sample so far."""
        return None if self._last is None else self._last.t_ns(self._length)

    def push(self, t_ns: int, frame: Frame) -> list[Samples | Gap]:
        """A frame that arrived at host time `t_ns`. Empty where it is a repetition, or held."""
        if self._fs_hz is not None:
            return self._place(t_ns, frame)
        self._held.append((t_ns, frame))
        return self._release() if len(self._held) == _FRAMES_TO_TELL_A_RATE else []

    def flush(self) -> list[Samples | Gap]:
        """What is still held; a single frame of unknown rate has no times and becomes a Gap."""
        return self._release() if self._held else []

    def interrupt(self, reason: GapReason) -> None:
        """A frame came and could not be used: if the next one shows that samples are missing, this is why."""
        self._lost_to = reason

    def link_lost(self, down_ns: int, up_ns: int) -> list[Samples | Gap]:
        """The link was down; what comes next starts anew. Returns what was held, and the gap up to the loss."""
        out = self.flush()
        since_ns = self.end_ns if self._link_gap_ns is None else self._link_gap_ns
        if self._last is None or since_ns is None:
            return out
        self._link_gap_ns = max(up_ns, since_ns)
        if since_ns < down_ns:
            out.append(Gap(self._last.channel, since_ns, down_ns, GapReason.LINK_LOST))
        return out

    @property
    def _length(self) -> int:
        return 0 if self._last_values is None else len(self._last_values)

    def _release(self) -> list[Samples | Gap]:
        held, self._held = self._held, []
        rates = [
            len(frame.values) * 1e9 / (frame.device_ns - before.device_ns)
            for (_, before), (_, frame) in itertools.pairwise(held)
            if frame.device_ns > before.device_ns
        ]
        if not rates:
            return [Gap(frame.channel, t_ns, t_ns, GapReason.MISSING) for t_ns, frame in held]
        fastest = max(rates)  # a lost frame makes a rate look slow, nothing makes it look fast
        usual = min(_USUAL_RATES_HZ, key=lambda rate: abs(rate - fastest))
        self._fs_hz = usual if abs(usual - fastest) < _OFF_NOMINAL * usual else fastest
        self._step_ns = 1e9 / self._fs_hz
        return [item for t_ns, frame in held for item in self._place(t_ns, frame)]

    def _place(self, t_ns: int, frame: Frame) -> list[Samples | Gap]:
        if self._last is None or self._device_ns is None:
            self._anchor(t_ns, frame, t_ns)
            return [self._block(frame, t_ns - round(len(frame.values) * self._step_ns), t_ns)]
        if self._link_gap_ns is not None:
            return self._after_link(t_ns, frame, self._link_gap_ns)
        n = len(frame.values)
        passed_ns = frame.device_ns - self._device_ns
        if passed_ns == 0 and self._last_values is not None and np.array_equal(self._last_values, frame.values):
            self.duplicates += 1  # one subscription too many on the host delivers everything twice
            return []
        last_ns = self._last.t_ns(self._length - 1)
        assert self._fs_hz is not None
        lag_ns = self._envelope.add(t_ns, t_ns - frame.device_ns) - self._offset_ns
        # a minute without a single frame near its time: the host's clock was set, and the device's was not
        host_moved = lag_ns > _LATE_NS
        if not host_moved and abs(passed_ns * self._fs_hz / (n * 1e9) - 1) <= _OFF_NOMINAL:
            self._follow(lag_ns, passed_ns)
            self._steps_seen = min(self._steps_seen + 1, 32)
            self._step_ns += (passed_ns / n - self._step_ns) / self._steps_seen
            return [self._block(frame, last_ns, frame.device_ns + self._offset_ns)]
        lateness_ns = t_ns - frame.device_ns - self._offset_ns
        length_ns = n * self._step_ns
        if not host_moved and passed_ns > length_ns and -_EARLY_NS <= lateness_ns <= _LATE_NS:
            self._follow(lag_ns, passed_ns)
            return self._after_gap(frame, frame.device_ns + self._offset_ns, self._lost_to)
        # A clock was moved. What host time says is missing, in whole frames: arrival is no finer than that.
        whole_frames = max(0, round((t_ns - last_ns - length_ns) / length_ns))
        end_ns = last_ns + round((whole_frames + 1) * length_ns)
        self._anchor(t_ns, frame, end_ns)
        if whole_frames == 0:
            return [self._block(frame, last_ns, end_ns)]
        return self._after_gap(frame, end_ns, GapReason.CLOCK_JUMP)

    def _follow(self, lag_ns: int, passed_ns: int) -> None:
        slew = _SLEW if abs(lag_ns) < _FAR_NS else _SLEW_FAR
        most_ns = round(min(passed_ns, _ENVELOPE_NS) * slew)
        self._offset_ns += max(-most_ns, min(most_ns, lag_ns))

    def _anchor(self, t_ns: int, frame: Frame, end_ns: int) -> None:
        """From here on the frame's last sample is at `end_ns`, and the envelope starts anew."""
        self._envelope.clear()
        self._envelope.add(t_ns, t_ns - frame.device_ns)
        self._offset_ns = end_ns - frame.device_ns

    def _after_gap(self, frame: Frame, end_ns: int, reason: GapReason) -> list[Samples | Gap]:
        """Back-filled from `end_ns`, the time of its last sample, at the true step."""
        assert self._last is not None
        gap_start_ns = self._last.t_ns(self._length)
        anchor_ns = max(end_ns - round(len(frame.values) * self._step_ns), self._last.t_ns(self._length - 1))
        block = self._block(frame, anchor_ns, max(end_ns, anchor_ns + len(frame.values)))
        if block.start_ns <= gap_start_ns:
            return [block]
        return [Gap(frame.channel, gap_start_ns, block.start_ns, reason), block]

    def _after_link(self, t_ns: int, frame: Frame, up_ns: int) -> list[Samples | Gap]:
        self._link_gap_ns = None
        lateness_ns = t_ns - frame.device_ns - self._offset_ns
        length_ns = round(len(frame.values) * self._step_ns)
        end_ns = t_ns
        if -_EARLY_NS <= lateness_ns <= _LATE_NS:
            end_ns = frame.device_ns + self._offset_ns
        # a stream starts after the link does, so its first sample is not older
        end_ns = max(end_ns, up_ns + length_ns)
        self._anchor(t_ns, frame, end_ns)
        block = self._block(frame, end_ns - length_ns, end_ns)
        if block.start_ns <= up_ns:
            return [block]
        return [Gap(frame.channel, up_ns, block.start_ns, GapReason.LINK_LOST), block]

    def _block(self, frame: Frame, before_ns: int, end_ns: int) -> Samples:
        """Samples evenly spread over (before_ns, end_ns]: the first one step after, the last at the end."""
        assert self._fs_hz is not None
        n = len(frame.values)
        step_ns = (end_ns - before_ns) / n
        block = Samples(frame.kind, frame.channel, self._fs_hz, before_ns, step_ns, 1, frame.values)
        self._last, self._last_values = block.cut(0, 0), frame.values
        self._device_ns = frame.device_ns
        self._lost_to = GapReason.LOST_FRAME
        self._offset_ns = end_ns - frame.device_ns
        return block
