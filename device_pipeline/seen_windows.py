"""Windows of a side's own grid, put together from the 2 s that the pipeline tells of the beats."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from device_pipeline.beat import BeatSource
from device_pipeline.track import Window
from device_pipeline.windows import Grid


@dataclass(frozen=True, slots=True, repr=False)
class Seen:
    """`grains`: the 2 s that lie in the window, as far as they were told, in order."""

    window: Window
    grains: list[Window]


class SeenWindows:
    """Of one source alone. `late_ns`: how far beyond a window the beats must be known before it is told."""

    def __init__(self, origin_ns: int, length_ns: int, late_ns: int, source: BeatSource = BeatSource.ECG) -> None:
        self._source = source
        self._grid = Grid(origin_ns, length_ns, length_ns)
        self._late_ns = late_ns
        self._grains: deque[Window] = deque()
        self._seen_ns: int | None = None
        self._is_begun = False

    def begin(self, start_ns: int) -> None:
        """A sample of the source came, the first one: nothing is told of what was before."""
        if not self._is_begun:
            self._is_begun = True
            self._grid.skip_to(start_ns)

    def see(self, windows: Sequence[Window]) -> Iterator[Seen]:
        """The windows that are known now."""
        start_ns, end_ns = windows[0].start_ns, windows[0].end_ns
        if self._seen_ns is not None and start_ns > self._seen_ns:
            # a hole of more than a day: nothing is told of it
            yield from self.rest(self._seen_ns)
            self._grid.skip_to(start_ns)
        self._seen_ns = end_ns
        if not self._is_begun:
            return
        self._grains += [window for window in windows if window.source is self._source]
        for low_ns, high_ns in self._grid.closed_by(end_ns - self._late_ns):
            yield self._window(low_ns, high_ns)

    def rest(self, end_ns: int) -> Iterator[Seen]:
        """The input has ended; the last window is as long as it came."""
        if self._is_begun:
            for low_ns, high_ns in self._grid.rest(end_ns):
                yield self._window(low_ns, high_ns)

    def _window(self, start_ns: int, end_ns: int) -> Seen:
        mine = [grain for grain in self._grains if grain.start_ns < end_ns and grain.end_ns > start_ns]
        while self._grains and self._grains[0].end_ns <= end_ns:
            self._grains.popleft()
        blame: dict[str, int] = {}
        weighted, known_ns = 0.0, 0
        for grain in mine:
            if grain.reason is not None:
                blame[grain.reason] = blame.get(grain.reason, 0) + grain.length_ns - grain.good_ns
            if grain.index is not None:
                weighted += grain.index * (grain.good_ns + grain.poor_ns)
                known_ns += grain.good_ns + grain.poor_ns
        window = Window(
            source=self._source,
            start_ns=start_ns,
            end_ns=end_ns,
            beats=tuple(beat for grain in mine for beat in grain.beats if start_ns <= beat.t_ns < end_ns),
            good_ns=min(sum(grain.good_ns for grain in mine), end_ns - start_ns),
            poor_ns=min(sum(grain.poor_ns for grain in mine), end_ns - start_ns),
            index=weighted / known_ns if known_ns else None,
            reason=max(blame, key=lambda name: (blame[name], name)) if blame else None,
        )
        return Seen(window, mine)
