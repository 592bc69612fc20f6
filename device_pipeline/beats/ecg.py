"""Heartbeats and signal quality from one ECG lead, as they happen.

Decisions are made at sample counts, never at the ends of blocks. Beats and quality stretches come out in one order of
time: a stretch follows the beats in it and precedes the beats after it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque

import numpy as np

from device_pipeline.beat import Beat, BeatSource, Quality
from device_pipeline.errors import SignalError
from device_pipeline.signal.filters import Floats
from device_pipeline.signal.flat_line import FlatLines, Still
from device_pipeline.signal.qrs import NOTHING, Complexes, Past, Qrs
from device_pipeline.signal.quality_ecg import NO_BEAT_S, STRETCH_S, Found, Readability, Windows, judge
from device_pipeline.signal.timeline import Timeline
from models.qrs import QrsNets
from sensors.samples import Gap, GapReason, Kind, Samples

KEEP_LEVELS_S = 30.0  # after a longer absence the electrodes may sit differently: the levels are learnt again
LEVEL_BEATS = 8
# An interval so many times the last one is not told next to a beat that was hardly one, or much smaller than before.
LONG, UNSURE, SHRUNK = 1.4, 2.0, 0.3
MOST_DOUBTS = 64  # the latest say enough where no beat comes for long
DOUBTED = -0.5  # what was refused with a score above this may have been a beat: no interval bridges it


class _Stretch:
    """Unbroken, moving signal from the count `start` on; inside, samples are counted from there."""

    def __init__(
        self, fs_hz: float, start: int, past: Past | None, nets: QrsNets | None, energies: deque[float]
    ) -> None:
        self.start = start
        self.length = 0
        self.qrs = Qrs(fs_hz, past, nets)
        self.readable = Readability(self.qrs.thin_hz)
        self.energies = energies  # of the last beats
        self.waiting: deque[Found] = deque()  # beats that are known and not told yet
        self.recent: list[Found] = []  # beats told that quality may still look at
        self.refused_at: list[int] = []
        self.refused_score: list[float] = []
        self.doubts: deque[int] = deque()  # where something may have been a beat that was refused
        self.previous: tuple[Found, int] | None = None  # the beat before and its time
        self.rr_s: float | None = None  # the last interval told
        self.judged = 0
        self.final = 0


class EcgBeats:
    """A BeatStage for one ECG channel.

    A beat comes out within 1.5 s of its moment; during the first 2.5 s the levels are learnt and the beats come
    afterwards. Quality comes in stretches of 2 s counted from the start of each unbroken signal. `final_ns` stays
    within 4 s of the input: what stands still for two seconds is a flat line, and until then nothing in it is final. A
    gap shorter than KEEP_LEVELS_S keeps the levels. `nets`: others than those that ship.
    """

    def __init__(self, fs_hz: float, channel: str, nets: QrsNets | None = None) -> None:
        if not 80.0 <= fs_hz <= 4000.0:
            raise SignalError(f"{channel}: ECG at {fs_hz:g} Hz, 80 to 4000 Hz expected")
        self._fs_hz = fs_hz
        self._channel = channel
        self._nets = nets
        self._stretch_n = round(STRETCH_S * fs_hz)
        self._timeline = Timeline()
        self._flat = FlatLines(fs_hz)
        self._stretch: _Stretch | None = None
        self._past: Past | None = None
        self._energies: deque[float] = deque(maxlen=LEVEL_BEATS)
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
                self._live(part.start, part.values)
        stretch = self._stretch
        if stretch is not None:
            still_from = self._flat.still_from
            known = stretch.length if still_from is None else still_from - stretch.start
            final = min(stretch.qrs.final, known)
            if final != stretch.final:
                stretch.final = final
                out += self._tell(stretch, final)
            self._timeline.forget(stretch.start + stretch.judged - 4 * self._stretch_n)
        return out

    def flush(self) -> list[Beat | Quality | Gap]:
        """The signal ends here; returns what was still open."""
        out: list[Beat | Quality | Gap] = []
        for part in self._flat.flush():
            if isinstance(part, Still):
                out += self._still(part)
            else:
                self._live(part.start, part.values)
        out += self._end_stretch(None)
        if self._timeline.count:
            self._last_end_ns = self._final_ns = self._timeline.t_ns(self._timeline.count)
        self._timeline = Timeline()
        self._flat = FlatLines(self._fs_hz)
        return out

    def _still(self, part: Still) -> list[Beat | Quality | Gap]:
        out = self._end_stretch(part.start)
        start_ns, end_ns = self._timeline.t_ns(part.start), self._timeline.t_ns(part.stop)
        self._final_ns = end_ns
        self._timeline.forget(part.stop)
        return [*out, Gap(self._channel, start_ns, end_ns, GapReason.FLAT_LINE)]

    def _live(self, start: int, values: Floats) -> None:
        if self._stretch is None:
            absent_ns = None if self._last_end_ns is None else self._timeline.t_ns(start) - self._last_end_ns
            if absent_ns is None or absent_ns >= KEEP_LEVELS_S * 1e9:
                self._past = None
                self._energies.clear()
            self._stretch = _Stretch(self._fs_hz, start, self._past, self._nets, self._energies)
        self._stretch.length += len(values)
        _take(self._stretch, self._stretch.qrs.push(values))

    def _end_stretch(self, at: int | None) -> list[Beat | Quality | Gap]:
        """Everything is final; the signal ended at the count `at`, or where it is now."""
        stretch, self._stretch = self._stretch, None
        if stretch is None:
            return []
        if at is not None:
            stretch.length = at - stretch.start
        self._past = stretch.qrs.past
        _take(stretch, stretch.qrs.flush())
        out = self._tell(stretch, stretch.length)
        if stretch.judged < stretch.length:
            out += self._judge(stretch, stretch.judged, stretch.length)
        self._last_end_ns = self._timeline.t_ns(stretch.start + stretch.length)
        self._final_ns = self._last_end_ns
        return out

    def _tell(self, stretch: _Stretch, final: int) -> list[Beat | Quality | Gap]:
        """Beats and quality before the count `final`."""
        thin = stretch.qrs.thin
        begin, stop = stretch.readable.wanted(final // thin)
        if stop > begin:
            stretch.readable.update(stretch.qrs.energy(begin, stop), stretch.qrs.thinned(begin, stop))
        beats: list[Beat] = []
        counts: list[float] = []
        while stretch.waiting and stretch.waiting[0].at < final:
            found = stretch.waiting.popleft()
            beats.append(self._beat(stretch, found))
            counts.append(found.at)
            stretch.recent.append(found)
        n = (final - stretch.judged) // self._stretch_n
        first = stretch.judged
        stretches = self._judge(stretch, first, first + n * self._stretch_n) if n > 0 else []
        out: list[Beat | Quality | Gap] = []
        told = 0
        for k, quality in enumerate(stretches):
            stop = first + (k + 1) * self._stretch_n
            while told < len(beats) and counts[told] < stop:
                out.append(beats[told])
                told += 1
            out.append(quality)
        out += beats[told:]
        self._forget(stretch, final)
        self._final_ns = self._timeline.t_ns(stretch.start + max(0, final))
        return out

    def _beat(self, stretch: _Stretch, beat: Found) -> Beat:
        t_ns = self._timeline.t_ns(stretch.start + beat.at)
        rr_s = None
        if stretch.previous is not None:
            before, before_ns = stretch.previous
            thin = stretch.qrs.thin
            doubted = _doubted(stretch, before.peak, beat.peak)
            if stretch.readable.between(before.peak // thin, beat.peak // thin, beat.level) and not doubted:
                rr_s = (t_ns - before_ns) / 1e9
                unsure = beat.energy < SHRUNK * before.energy or min(beat.score, before.score) < UNSURE
                if unsure and stretch.rr_s is not None and rr_s > LONG * stretch.rr_s:
                    rr_s = None  # the beats between may not have been seen either
                else:
                    stretch.rr_s = rr_s
        stretch.previous = (beat, t_ns)
        return Beat(t_ns, BeatSource.ECG, rr_s)

    def _judge(self, stretch: _Stretch, start: int, stop: int) -> list[Quality]:
        """Quality of the stretches in [start, stop): whole ones, or the last one, which may be shorter."""
        length = min(self._stretch_n, stop - start)
        n = (stop - start) // length
        qrs = stretch.qrs
        oldest = start - NO_BEAT_S * self._fs_hz - self._stretch_n
        keep = next((k for k, beat in enumerate(stretch.recent) if beat.at >= oldest), len(stretch.recent))
        del stretch.recent[:keep]
        short = max(1, length // qrs.thin)
        begins = [(start + k * length) // qrs.thin for k in range(n)]
        energy = qrs.energy(begins[0], begins[-1] + short)
        thinned = qrs.thinned(begins[0], begins[-1] + short)
        rows = np.minimum(np.array(begins)[:, None] - begins[0] + np.arange(short), len(energy) - 1)
        verdicts = judge(
            Windows(
                start,
                self._fs_hz,
                qrs.thin_hz,
                qrs.raw(start, start + n * length).reshape(n, length),
                energy[rows],
                thinned[rows],
                stretch.recent,
                stretch.refused_at,
                stretch.refused_score,
            )
        )
        stretch.judged = start + n * length
        out = []
        for k, (index, reason) in enumerate(verdicts):
            t0 = self._timeline.t_ns(stretch.start + start + k * length)
            t1 = self._timeline.t_ns(stretch.start + start + (k + 1) * length)
            out.append(Quality(t0, t1, index, reason is None, reason))
        return out

    def _forget(self, stretch: _Stretch, final: int) -> None:
        known = min(stretch.judged, final)
        stretch.qrs.forget(known)
        stretch.readable.forget((final - round(KEEP_LEVELS_S * self._fs_hz)) // stretch.qrs.thin)
        spare = bisect_left(stretch.refused_at, known)
        del stretch.refused_at[:spare], stretch.refused_score[:spare]
        while len(stretch.doubts) > MOST_DOUBTS:
            stretch.doubts.popleft()


def _take(stretch: _Stretch, found: Complexes) -> None:
    """Puts the complexes in line; what lies after the end of the stretch was none of its."""
    if found is NOTHING:
        return
    stretch.refused_at += found.refused_at.tolist()
    stretch.refused_score += found.refused_score.tolist()
    stretch.doubts += found.refused_at[found.refused_score > DOUBTED].tolist()
    columns = (found.at, found.peak, found.energy, found.score, found.like)
    for at, peak, energy, score, like in zip(*(column.tolist() for column in columns), strict=True):
        stretch.energies.append(energy)
        level = sorted(stretch.energies)[len(stretch.energies) // 2]
        stretch.waiting.append(Found(at, peak, energy, level, score, like))


def _doubted(stretch: _Stretch, start: int, stop: int) -> bool:
    """Whether what was refused between two beats that follow each other, at `start` and `stop`, may be one."""
    while stretch.doubts and stretch.doubts[0] <= start:
        stretch.doubts.popleft()
    return bool(stretch.doubts) and stretch.doubts[0] < stop
