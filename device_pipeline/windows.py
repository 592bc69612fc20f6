"""Windows lie on a fixed grid; each is answered, if only with the reason for having no number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from device_pipeline.beat import BeatSource
from device_pipeline.track import Window

# Fewer than two intervals say nothing about a rate: a single missed beat would halve it.
MIN_INTERVALS = 2
# Nothing is told window by window of a hole longer than this; the Gap itself says that nothing is known.
LONGEST_HOLE_NS = 86_400 * 1_000_000_000
# A rate is told only where at least half of the window could be read.
MIN_GOOD_FRACTION = 0.5


@dataclass(slots=True)
class Grid:
    """Windows [origin + k * step, + length), handed out once each as time passes them."""

    origin_ns: int
    length_ns: int
    step_ns: int
    _next: int = 0

    def skip_to(self, t_ns: int) -> None:
        """Starts with the window that contains `t_ns`."""
        self._next = max(self._next, (t_ns - self.origin_ns) // self.step_ns)

    @property
    def next_start_ns(self) -> int:
        return self.origin_ns + self._next * self.step_ns

    def closed_by(self, t_ns: int) -> Iterator[tuple[int, int]]:
        """(start_ns, end_ns) of every window not handed out yet that ends at or before `t_ns`."""
        while (start_ns := self.next_start_ns) + self.length_ns <= t_ns:
            self._next += 1
            yield start_ns, start_ns + self.length_ns

    def rest(self, t_ns: int) -> Iterator[tuple[int, int]]:
        """The windows that had begun when the input ended at `t_ns`, cut off there."""
        yield from self.closed_by(t_ns)
        while (start_ns := self.next_start_ns) < t_ns:
            self._next += 1
            yield start_ns, t_ns


@dataclass(frozen=True, slots=True, repr=False)
class HeartRate:
    """Mean heart rate of [start_ns, start_ns + length_ns): 60 / mean RR over the intervals that lie wholly inside.

    `bpm` None where it cannot be told, and then `reason` says why. `quality` 0 to 1, None where the source has none.
    """

    start_ns: int
    length_ns: int
    bpm: float | None
    quality: float | None
    reason: str | None
    source: BeatSource

    def __repr__(self) -> str:
        return f"<HeartRate {self.source}>"


def heart_rate(window: Window) -> HeartRate:
    """A pure function of the window."""
    intervals_s = [
        beat.rr_s
        for beat in window.beats
        if beat.rr_s is not None and beat.t_ns - round(beat.rr_s * 1e9) >= window.start_ns
    ]
    bpm, reason = None, None
    if window.good_fraction < MIN_GOOD_FRACTION:
        reason = window.reason
    elif len(intervals_s) < MIN_INTERVALS:
        reason = "too_few_beats"
    else:
        bpm = 60.0 * len(intervals_s) / sum(intervals_s)
    has_index = window.source in (BeatSource.ECG, BeatSource.PPG)
    return HeartRate(
        start_ns=window.start_ns,
        length_ns=window.length_ns,
        bpm=bpm,
        quality=window.index if has_index else None,
        reason=reason,
        source=window.source,
    )
