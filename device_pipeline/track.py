"""A Track is what one beat source knows of the past minutes: beats that can be trusted, and how far.

Beats leave a track only once the verdict on the signal around them is final, so whatever is built on them never has to
take anything back. What is not good is not counted: no number comes out of a poor stretch.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace

from device_pipeline.beat import Beat, BeatSource, Quality
from sensors.samples import Gap, GapReason

_FAR_PAST_NS = -(1 << 62)
_LONGEST_INTERVAL_NS = 20 * 10**9  # no RR interval that anything is built on is longer
_FORGET_AT_ONCE = 256  # cutting the front off a list costs its length, so it is done rarely


@dataclass(frozen=True, slots=True, repr=False)
class Window:
    """What one source knows of [start_ns, end_ns): `beats` are trusted; good + poor + absent time is the whole window.

    `index` is the mean quality index over the time that has a signal, None where there is none. `reason` names what
    most of the time that is not good suffers from.
    """

    source: BeatSource
    start_ns: int
    end_ns: int
    beats: tuple[Beat, ...]
    good_ns: int
    poor_ns: int
    index: float | None
    reason: str | None

    def __repr__(self) -> str:
        return f"<Window {self.source} n={len(self.beats)}>"

    @property
    def length_ns(self) -> int:
        return self.end_ns - self.start_ns

    @property
    def good_fraction(self) -> float:
        return self.good_ns / self.length_ns

    @property
    def absent_ns(self) -> int:
        return self.length_ns - self.good_ns - self.poor_ns


class Track:
    """Takes what a beat stage puts out; gives trusted beats and windows.

    `lateness_ns`: how much later than the signal itself an off-body flag of the same device may arrive.
    """

    def __init__(self, source: BeatSource, lateness_ns: int) -> None:
        self.source = source
        self._lateness_ns = lateness_ns
        self._pending: deque[Beat] = deque()
        self._beats: list[Beat] = []
        self._beat_ns: list[int] = []
        self._verdicts: list[Quality | Gap] = []
        self._verdict_end_ns: list[int] = []
        self._off_body: list[tuple[int, int]] = []
        self._final_ns = _FAR_PAST_NS
        self.beats_n = 0  # trusted so far
        self.intervals_n = 0  # of the intervals between trusted beats, and their sum
        self.intervals_s = 0.0

    @property
    def is_heard(self) -> bool:
        """Whether anything has come of this source at all."""
        return self._final_ns != _FAR_PAST_NS

    @property
    def horizon_ns(self) -> int:
        """Beats and windows that end here or earlier will not change any more."""
        judged_ns = self._verdict_end_ns[-1] if self._verdict_end_ns else _FAR_PAST_NS
        return min(self._final_ns, judged_ns) - self._lateness_ns

    def add(self, outputs: Iterable[Beat | Quality | Gap], final_ns: int | None) -> None:
        for output in outputs:
            if isinstance(output, Beat):
                self._pending.append(output)
            else:
                self._judge(output)
        if final_ns is not None:
            self._final_ns = max(self._final_ns, final_ns)

    def off_body(self, start_ns: int, end_ns: int) -> None:
        """The device itself says that nothing it sends in this time comes from a body."""
        if self._off_body and start_ns <= self._off_body[-1][1]:
            start_ns = self._off_body.pop()[0]
        self._off_body.append((start_ns, end_ns))

    def release(self, before_ns: int | None = None) -> list[Beat]:
        """The beats that became final, in order; an interval that touches a stretch that is not good is taken off.

        `before_ns` replaces the horizon where the input has ended, or its end is known from elsewhere.
        """
        limit_ns = self.horizon_ns if before_ns is None else before_ns
        released: list[Beat] = []
        while self._pending and self._pending[0].t_ns < limit_ns:
            beat = self._pending.popleft()
            if not (self._all_good(beat.t_ns - 1, beat.t_ns) or self._all_good(beat.t_ns, beat.t_ns + 1)):
                continue  # the signal is poor on both sides: a guess, not a beat
            if beat.rr_s is not None and not self._all_good(beat.t_ns - round(beat.rr_s * 1e9), beat.t_ns):
                beat = Beat(beat.t_ns, beat.source, None, beat.label)
            if beat.rr_s is not None:
                self.intervals_n += 1
                self.intervals_s += beat.rr_s
            self.beats_n += 1
            self._beats.append(beat)
            self._beat_ns.append(beat.t_ns)
            released.append(beat)
        return released

    def window(self, start_ns: int, end_ns: int) -> Window:
        """The window [start_ns, end_ns); final once it ends at or before `horizon_ns`."""
        good_ns = poor_ns = 0
        weighted = 0.0
        blame: dict[str, int] = {}
        absent_ns = end_ns - start_ns
        for verdict in self._verdicts[bisect_right(self._verdict_end_ns, start_ns) :]:
            if verdict.start_ns >= end_ns:
                break
            low, high = max(verdict.start_ns, start_ns), min(verdict.end_ns, end_ns)
            off_ns = self._off_body_ns(low, high)
            if off_ns:
                blame[GapReason.OFF_BODY] = blame.get(GapReason.OFF_BODY, 0) + off_ns
            span_ns = high - low - off_ns
            absent_ns -= high - low
            if isinstance(verdict, Gap):
                blame[verdict.reason] = blame.get(verdict.reason, 0) + span_ns
                continue
            weighted += verdict.index * span_ns
            if verdict.good:
                good_ns += span_ns
            else:
                poor_ns += span_ns
                reason = verdict.reason or "poor_signal"
                blame[reason] = blame.get(reason, 0) + span_ns
        if absent_ns > 0:
            blame[GapReason.SILENT] = blame.get(GapReason.SILENT, 0) + absent_ns
        known_ns = good_ns + poor_ns
        first, last = bisect_left(self._beat_ns, start_ns), bisect_left(self._beat_ns, end_ns)
        return Window(
            source=self.source,
            start_ns=start_ns,
            end_ns=end_ns,
            beats=tuple(self._beats[first:last]),
            good_ns=good_ns,
            poor_ns=poor_ns,
            index=weighted / known_ns if known_ns else None,
            reason=str(max(blame, key=lambda reason: (blame[reason], reason))) if blame else None,
        )

    def forget(self, before_ns: int) -> None:
        """Drops what no window that starts at `before_ns` or later can need, and nothing a pending beat stands on."""
        if self._pending:
            before_ns = min(before_ns, self._pending[0].t_ns - _LONGEST_INTERVAL_NS)
        old = bisect_left(self._beat_ns, before_ns)
        if old > _FORGET_AT_ONCE:
            del self._beats[:old], self._beat_ns[:old]
        old = bisect_right(self._verdict_end_ns, before_ns - _LONGEST_INTERVAL_NS)
        if old > _FORGET_AT_ONCE:
            del self._verdicts[:old], self._verdict_end_ns[:old]
        while self._off_body and self._off_body[0][1] <= before_ns - _LONGEST_INTERVAL_NS:
            self._off_body.pop(0)

    def _judge(self, verdict: Quality | Gap) -> None:
        """Keeps verdicts in order and apart: a gap may be told before the stage has judged what came before it, and a
        link may be called lost while its last samples are still under way."""
        at = len(self._verdicts)
        while at and self._verdicts[at - 1].start_ns > verdict.start_ns:
            at -= 1
        start_ns, end_ns = verdict.start_ns, verdict.end_ns
        if at:
            start_ns = max(start_ns, self._verdict_end_ns[at - 1])
        if at < len(self._verdicts):
            end_ns = min(end_ns, self._verdicts[at].start_ns)
        if end_ns > start_ns:
            self._verdicts.insert(at, replace(verdict, start_ns=start_ns, end_ns=end_ns))
            self._verdict_end_ns.insert(at, end_ns)

    def _all_good(self, start_ns: int, end_ns: int) -> bool:
        reached_ns = start_ns
        for verdict in self._verdicts[bisect_right(self._verdict_end_ns, start_ns) :]:
            if reached_ns >= end_ns:
                break
            if isinstance(verdict, Gap) or not verdict.good or verdict.start_ns > reached_ns:
                return False
            reached_ns = verdict.end_ns
        return reached_ns >= end_ns and not self._off_body_ns(start_ns, end_ns)

    def _off_body_ns(self, start_ns: int, end_ns: int) -> int:
        return sum(max(0, min(high, end_ns) - max(low, start_ns)) for low, high in self._off_body)
