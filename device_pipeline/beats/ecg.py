"""Heartbeats and signal quality from one ECG lead, as they happen.

Decisions are made at sample counts, never at the ends of blocks. Beats and quality stretches come out in one order of
time: a stretch follows the beats in it and precedes the beats after it.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from device_pipeline.beat import Beat, BeatSource, Quality
from device_pipeline.errors import SignalError
from device_pipeline.signal.filters import Floats, Track
from device_pipeline.signal.flat_line import FlatLines, Still
from device_pipeline.signal.qrs_filters import FIDUCIAL_REACH_S, SETTLE_S, QrsFilters
from device_pipeline.signal.qrs_rules import Found, QrsRules
from device_pipeline.signal.quality_ecg import NO_BEAT_S, STRETCH_S, Agreement, Readability, judge
from device_pipeline.signal.timeline import Timeline
from sensors.samples import Gap, GapReason, Kind, Samples

KEEP_LEVELS_S = 30.0  # after a longer absence the electrodes may sit differently: the levels are learnt again


class _Stretch:
    """Unbroken, moving signal from the count `start` on; inside, samples are counted from there."""

    def __init__(self, fs_hz: float, start: int, rules: QrsRules, keep: bool) -> None:
        self.start = start
        self.length = 0
        self.filters = QrsFilters(fs_hz)
        self.raw = Track()
        self.readable = Readability(fs_hz)
        self.agreement = Agreement()
        self.rules = rules
        rules.start(0, keep)
        self.previous: tuple[Found, int] | None = None  # the beat before and its time
        self.recent: deque[tuple[Found, float | None]] = deque()  # beats that quality may still look at, likeness
        self.judged = 0
        self.ended = False


class EcgBeats:
    """A BeatStage for one ECG channel.

    A beat comes out within 1.5 s of its moment, a searched-for one within 4 s; during the first 2.5 s the levels are
    learnt and the beats come afterwards. Quality comes in stretches of 2 s counted from the start of each unbroken
    signal. `final_ns` stays within 5 s of the input. A gap shorter than KEEP_LEVELS_S keeps the levels.
    """

    def __init__(self, fs_hz: float, channel: str) -> None:
        if not 80.0 <= fs_hz <= 4000.0:
            raise SignalError(f"{channel}: ECG at {fs_hz:g} Hz, 80 to 4000 Hz expected")
        self._fs_hz = fs_hz
        self._channel = channel
        self._stretch_n = round(STRETCH_S * fs_hz)
        self._reach = round(FIDUCIAL_REACH_S * fs_hz) + 1
        self._rules = QrsRules(fs_hz)
        self._timeline = Timeline()
        self._flat = FlatLines(fs_hz)
        self._stretch: _Stretch | None = None
        self._last_end_ns: int | None = None  # where the last stretch of signal ended
        self._final_ns: int | None = None

    @property
    def final_ns(self) -> int | None:
        return self._final_ns

    def push(self, block: Samples | Gap) -> list[Beat | Quality | Gap]:
        """Takes the next block (ECG in mV) or gap; returns what became final.

        Raises ValueError for samples of another kind, channel or rate.
        """
        if isinstance(block, Gap):
            out = self.flush()
            self._final_ns = block.end_ns if self._final_ns is None else max(self._final_ns, block.end_ns)
            return out
        if block.kind is not Kind.ECG or block.channel != self._channel or block.fs_hz != self._fs_hz:
            raise ValueError(
                f"{block.kind} samples of {block.channel} at {block.fs_hz} Hz, "
                f"ECG of {self._channel} at {self._fs_hz} Hz expected"
            )
        if len(block) == 0:
            return []
        if self._final_ns is None:
            self._final_ns = block.start_ns
        self._timeline.add(block)
        out = []
        for part in self._flat.push(block.values):
            if isinstance(part, Still):
                out += self._still(part)
            else:
                out += self._live(part.start, part.values)
        if self._stretch is not None:
            self._timeline.forget(self._stretch.start + self._stretch.judged - 4 * self._stretch_n)
        return out

    def flush(self) -> list[Beat | Quality | Gap]:
        """The signal ends here; returns what was still open."""
        out: list[Beat | Quality | Gap] = []
        for part in self._flat.flush():
            if isinstance(part, Still):
                out += self._still(part)
            else:
                out += self._live(part.start, part.values)
        out += self._end_stretch()
        if self._timeline.count:
            self._last_end_ns = self._final_ns = self._timeline.t_ns(self._timeline.count)
        self._timeline = Timeline()
        self._flat = FlatLines(self._fs_hz)
        return out

    def _still(self, part: Still) -> list[Beat | Quality | Gap]:
        out = self._end_stretch()
        start_ns, end_ns = self._timeline.t_ns(part.start), self._timeline.t_ns(part.stop)
        self._final_ns = end_ns
        self._timeline.forget(part.stop)
        return [*out, Gap(self._channel, start_ns, end_ns, GapReason.FLAT_LINE)]

    def _live(self, start: int, values: Floats) -> list[Beat | Quality | Gap]:
        if self._stretch is None:
            absent_ns = None if self._last_end_ns is None else self._timeline.t_ns(start) - self._last_end_ns
            keep = absent_ns is not None and absent_ns < KEEP_LEVELS_S * 1e9
            self._stretch = _Stretch(self._fs_hz, start, self._rules, keep)
        stretch = self._stretch
        stretch.length += len(values)
        return self._detect(stretch, values)

    def _end_stretch(self) -> list[Beat | Quality | Gap]:
        """Lets the filters see the last value for a little longer, then everything is final."""
        stretch, self._stretch = self._stretch, None
        if stretch is None:
            return []
        last = stretch.raw.view(stretch.length - 1, stretch.length)
        stretch.ended = True
        out = self._detect(stretch, np.repeat(last, round(SETTLE_S * self._fs_hz)))
        self._last_end_ns = self._timeline.t_ns(stretch.start + stretch.length)
        self._final_ns = self._last_end_ns
        return out

    def _detect(self, stretch: _Stretch, values: Floats) -> list[Beat | Quality | Gap]:
        found = stretch.filters.push(values)
        stretch.raw.add(values)
        inside = found.at < stretch.length if stretch.ended else slice(None)
        stretch.rules.push(found.at[inside].tolist(), found.energy[inside].tolist(), found.slope[inside].tolist())
        now = stretch.length if stretch.ended else max(0, stretch.filters.decided)
        beats = stretch.rules.advance(now, stretch.ended)
        stretch.readable.update(stretch.filters, stretch.raw, min(now, stretch.length))
        out: list[Beat | Quality | Gap] = []
        if beats:
            places = stretch.filters.fiducials(np.array([beat.at for beat in beats]))
            likeness = stretch.agreement.push(stretch.filters.shapes(np.floor(places + 0.5).astype(np.int64)))
            places = np.clip(places, 0, stretch.length - 1)
            for beat, place, like in zip(beats, places.tolist(), likeness, strict=True):
                self._judge(stretch, beat.at, out)
                out.append(self._beat(stretch, beat, place))
                stretch.recent.append((beat, like))
        self._judge(stretch, stretch.rules.final, out)
        if stretch.ended and stretch.judged < stretch.length:
            out.append(self._quality(stretch, stretch.judged, stretch.length))
        keep_from = min(stretch.judged, stretch.rules.final - self._stretch_n)
        stretch.filters.forget(keep_from - self._stretch_n)
        stretch.raw.forget(keep_from - self._stretch_n)
        stretch.readable.forget(stretch.rules.final - round(KEEP_LEVELS_S * self._fs_hz))
        self._final_ns = self._timeline.t_ns(stretch.start + max(0, stretch.rules.final - self._reach))
        return out

    def _beat(self, stretch: _Stretch, beat: Found, place: float) -> Beat:
        t_ns = self._timeline.t_ns(stretch.start + place)
        previous = stretch.previous
        rr_s = None
        if previous is not None and beat.sure and stretch.readable.between(previous[0].at, beat.at, beat.level):
            rr_s = (t_ns - previous[1]) / 1e9
        stretch.previous = (beat, t_ns)
        return Beat(t_ns, BeatSource.ECG, rr_s)

    def _judge(self, stretch: _Stretch, final: int, out: list[Beat | Quality | Gap]) -> None:
        while stretch.judged + self._stretch_n <= min(final, stretch.length):
            out.append(self._quality(stretch, stretch.judged, stretch.judged + self._stretch_n))

    def _quality(self, stretch: _Stretch, start: int, stop: int) -> Quality:
        while stretch.recent and stretch.recent[0][0].at < start - NO_BEAT_S * self._fs_hz:
            stretch.recent.popleft()
        seen = [pair for pair in stretch.recent if pair[0].at < stop]
        index, reason = judge(
            stretch.raw.view(start, stop),
            stretch.filters.energy(start, stop),
            stretch.filters.baseline(start, stop),
            [beat for beat, _ in seen],
            [like for _, like in seen],
            start=start,
            fs_hz=self._fs_hz,
        )
        stretch.judged = stop
        t0, t1 = self._timeline.t_ns(stretch.start + start), self._timeline.t_ns(stretch.start + stop)
        return Quality(t0, t1, index, reason is None, reason)
