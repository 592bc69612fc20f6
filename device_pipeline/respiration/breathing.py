"""Respiration beside the beats: 32 s windows every 8 s, from an ECG, a PPG, or both.

A window is looked at once the beats two seconds past its end are final, and told after the next one (see tracker.py),
always on the grid and never on how the input was cut. Where too little of it can be read, or the rate is not sure
enough, it says why and gives no number.

Of a file many windows become known at once; those are looked at some at a time, each exactly as it would be alone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from device_pipeline.beat import Beat, BeatSource
from device_pipeline.respiration.fusion import Fusion
from device_pipeline.respiration.respiration import Respiration
from device_pipeline.respiration.spectra import AROUND_S, POINTS, WINDOW_S, Spectra, Spectrum
from device_pipeline.respiration.sureness import LEAST_QUALITY, sureness
from device_pipeline.respiration.traces import (
    BEAT_TRACES,
    GRID_NS,
    LONGEST_CYCLE_NS,
    Floats,
    Smoother,
    Starts,
    Times,
    Traces,
    trace_beats,
)
from device_pipeline.track import Window
from device_pipeline.windows import MIN_GOOD_FRACTION, Grid
from models.respiration import RespirationModel
from sensors.samples import Item, Kind, Samples

_S = 1_000_000_000
STEP_S = 8
_AFTER_NS = 2 * _S  # beats this far past a window are waited for: they bend the traces at its end
_AROUND_NS = round(AROUND_S * _S)
_WINDOW_NS = round(WINDOW_S * _S)
_SOURCES = {Kind.ECG: BeatSource.ECG, Kind.PPG: BeatSource.PPG}
_KEEP_RAW_NS = 2 * _S  # samples before the oldest beat or moment that is still to be looked at
_STEP = STEP_S * _S // GRID_NS  # points of the wave
_AT_ONCE = 32  # windows: more would save little more, and take memory


@dataclass(frozen=True, slots=True)
class _Due:
    """A window whose beats are known: how many of them (counted from the first ever) it may be read from, and the
    time of the beat after those, where one was seen by then."""

    start_ns: int
    beats_n: int
    next_ns: int | None


class _Source:
    """The samples and beats of one channel, and what breathing left in them."""

    def __init__(self, source: BeatSource, first: Samples) -> None:
        self.source = source
        self.channel = first.channel
        self._fs_hz = first.fs_hz
        self._smoother = Smoother(first.fs_hz)
        self._pieces: list[Samples] = []
        self._t_ns: Times = np.empty(0, np.int64)
        self._x: Floats = np.empty(0)
        self._beats: list[Beat] = []  # not traced yet
        self._traced_n = 0
        self._traces = Traces(np.empty(0, np.int64), np.empty((0, BEAT_TRACES)))
        self._wave: Floats = np.empty(0)
        self._wave_from_ns = 0
        self._grains: deque[Window] = deque()
        self._due: list[_Due] = []

    def push(self, block: Samples) -> None:
        self._pieces.append(block)

    def see(self, window: Window) -> None:
        self._beats += window.beats
        self._grains.append(window)

    def mark(self, start_ns: int) -> None:
        """All is known of the window that starts here: it is read from what has been seen by now, and no more."""
        beats_n, next_ns = self._traced_n + len(self._beats), None
        if self._beats and self._beats[-1].t_ns + LONGEST_CYCLE_NS >= start_ns + _WINDOW_NS:
            # The last beat waits while its cycle may still end.
            beats_n, next_ns = beats_n - 1, self._beats[-1].t_ns
        self._due.append(_Due(start_ns, beats_n, next_ns))

    def windows(self, spectrum: Spectrum) -> tuple[list[bool], Spectra]:
        """Of the windows marked since: in which enough of it can be read, and what those show."""
        due, self._due = self._due, []
        self._join()
        first = self._trace(due)
        waves = self._smooth(due, first)
        start_ns = np.array([window.start_ns for window in due])
        known_ns, traced_n = self._traces.t_ns, self._traced_n - len(self._traces.t_ns)
        begin = np.searchsorted(known_ns, start_ns - _AROUND_NS)
        end = np.searchsorted(known_ns, start_ns + (_WINDOW_NS + _AROUND_NS))
        n = np.maximum(np.minimum(end, [window.beats_n - traced_n for window in due]) - begin, 0)
        near = np.minimum(begin[:, None] + np.arange(int(n.max())), max(0, len(known_ns) - 1))
        self._drop(int(first[-1]))
        clear, spectra = spectrum.windows(known_ns[near] - start_ns[:, None], n, self._traces.values[near], waves)
        return clear.tolist(), spectra

    def why_not(self, start_ns: int) -> str:
        """What most of the window that is not good suffers from."""
        blame: dict[str, int] = {}
        good_ns = 0
        for grain in self._grains:
            if start_ns <= grain.start_ns < start_ns + _WINDOW_NS:
                good_ns += grain.good_ns
                if grain.reason is not None:
                    blame[grain.reason] = blame.get(grain.reason, 0) + grain.length_ns - grain.good_ns
        if not blame or good_ns >= MIN_GOOD_FRACTION * _WINDOW_NS:
            return "too_few_beats"
        return max(blame, key=lambda reason: (blame[reason], reason))

    def forget(self, before_ns: int) -> None:
        """No window that starts earlier will be asked for."""
        while self._grains and self._grains[0].end_ns <= before_ns:
            self._grains.popleft()

    def _join(self) -> None:
        if self._pieces:
            times = [
                piece.anchor_ns + np.round((piece.offset + np.arange(len(piece))) * piece.step_ns).astype(np.int64)
                for piece in self._pieces
            ]
            self._t_ns = np.concatenate((self._t_ns, *times))
            self._x = np.concatenate((self._x, *(piece.values for piece in self._pieces)))
            self._pieces = []

    def _trace(self, due: list[_Due]) -> Starts:
        """Traces of the beats that the windows are read from. Before each window, and after the last: the first of the
        samples that are still looked at, (len(due) + 1,)."""
        first = [0]
        beats_n = [window.beats_n - self._traced_n for window in due]
        for window, n in zip(due, beats_n, strict=True):
            keep_ns = window.start_ns + _WINDOW_NS
            if window.next_ns is not None or n < 0:
                keep_ns = min(keep_ns, self._beats[n].t_ns)
            first.append(max(first[-1], int(np.searchsorted(self._t_ns, keep_ns - _KEEP_RAW_NS))))
        old = int(np.searchsorted(self._traces.t_ns, due[0].start_ns - _AROUND_NS))
        t_ns, values = self._traces.t_ns[old:], self._traces.values[old:]
        beats = self._beats[: beats_n[-1]]
        if beats and len(self._x):
            starts = np.repeat(first[:-1], np.diff(beats_n, prepend=0))
            new = trace_beats(self.source, beats, due[-1].next_ns, self._t_ns, self._x, self._fs_hz, starts)
            t_ns, values = np.concatenate((t_ns, new.t_ns)), np.concatenate((values, new.values))
            self._beats = self._beats[len(beats) :]
            self._traced_n += len(beats)
        self._traces = Traces(t_ns, values)
        return np.array(first, dtype=np.int64)

    def _smooth(self, due: list[_Due], first: Starts) -> Floats:
        """(len(due), POINTS) the wave itself in the windows; what an earlier window worked out is kept."""
        start_ns = due[0].start_ns
        done = (start_ns - self._wave_from_ns) // GRID_NS
        kept = self._wave[done:] if 0 <= done < len(self._wave) else self._wave[:0]
        points = POINTS + _STEP * (len(due) - 1)
        at_ns = start_ns + GRID_NS // 2 + np.arange(len(kept), points, dtype=np.int64) * GRID_NS
        starts = np.repeat(first[:-1], [POINTS - len(kept)] + [_STEP] * (len(due) - 1))
        wave = np.concatenate((kept, self._smoother.at(at_ns, self._t_ns, self._x, starts)))
        self._wave, self._wave_from_ns = wave[-POINTS:], due[-1].start_ns
        return np.stack([wave[k : k + POINTS] for k in range(0, _STEP * len(due), _STEP)])

    def _drop(self, samples_n: int) -> None:
        self._t_ns, self._x = self._t_ns[samples_n:], self._x[samples_n:]


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A window that is not told yet: what it was read from, or why it could not be."""

    start_ns: int
    sources: tuple[BeatSource, ...]
    reason: str | None


class Breathing:
    """A Side that tells Respiration, from the first ECG or PPG sample on; of each kind the channel that comes first."""

    def __init__(self, *, origin_ns: int, live: bool, model: RespirationModel | None = None) -> None:
        self._grid = Grid(origin_ns, _WINDOW_NS, STEP_S * _S)
        self._model = model
        self._spectrum: Spectrum | None = None
        self._sources: dict[BeatSource, _Source] = {}
        self._fusion = Fusion()
        self._waiting: deque[_Waiting] = deque()
        self._seen_ns: int | None = None
        self._due: list[int] = []  # starts of windows that are known and not looked at yet

    def begin(self, start_ns: int) -> None:
        self._grid.skip_to(start_ns)

    def push(self, item: Item) -> Sequence[Respiration]:
        if isinstance(item, Samples) and len(item) and (kind := _SOURCES.get(item.kind)) is not None:
            source = self._sources.get(kind)
            if source is None:
                if not self._sources:
                    self._grid.skip_to(item.start_ns)
                source = self._sources[kind] = _Source(kind, item)
            if source.channel == item.channel:
                source.push(item)
        return ()

    def see(self, windows: Sequence[Window], more: bool) -> Sequence[Respiration]:
        out: list[Respiration] = []
        start_ns, end_ns = windows[0].start_ns, windows[0].end_ns
        if self._seen_ns is not None and start_ns > self._seen_ns:
            # A hole that no windows are told of: what is known of the breathing before it is old.
            out += self._finish(self._seen_ns)
            self._grid.skip_to(start_ns)
        self._seen_ns = end_ns
        if not self._sources:
            return out
        for window in windows:
            if window.source in self._sources:
                self._sources[window.source].see(window)
        out += self._mark(end_ns - _AFTER_NS)
        if not more:
            out += self._read()
        return out

    def flush(self, end_ns: int) -> Sequence[Respiration]:
        return self._finish(end_ns)

    def _finish(self, end_ns: int) -> list[Respiration]:
        out: list[Respiration] = []
        if self._sources:
            out += self._mark(end_ns)
            out += self._read()
        out += self._tell(self._fusion.flush())
        self._fusion = Fusion()
        return out

    def _mark(self, end_ns: int) -> list[Respiration]:
        """The windows that end by then are known."""
        out: list[Respiration] = []
        for start_ns, _ in self._grid.closed_by(end_ns):
            self._due.append(start_ns)
            for source in self._sources.values():
                source.mark(start_ns)
            if len(self._due) == _AT_ONCE:
                out += self._read()
        return out

    def _read(self) -> list[Respiration]:
        """The windows that are known and were not looked at, one after the other without a hole."""
        if not self._due:
            return []
        if self._spectrum is None:
            self._spectrum = Spectrum()
        if self._model is None:
            self._model = RespirationModel()
        due, self._due = self._due, []
        logits: dict[BeatSource, list[Floats | None]] = {kind: [None] * len(due) for kind in _SOURCES.values()}
        for kind, source in self._sources.items():
            clear, found = source.windows(self._spectrum)
            told = iter(self._model.logits(kind.value, found.power, found.alike, found.pulse_bpm))
            logits[kind] = [next(told) if is_clear else None for is_clear in clear]
        leading = self._sources.get(BeatSource.ECG) or self._sources[BeatSource.PPG]
        for k, start_ns in enumerate(due):
            read = tuple(kind for kind in BeatSource if kind in logits and logits[kind][k] is not None)
            self._waiting.append(_Waiting(start_ns, read, None if read else leading.why_not(start_ns)))
        for source in self._sources.values():
            source.forget(due[-1] + STEP_S * _S)
        return self._tell(self._fusion.push(logits[BeatSource.ECG], logits[BeatSource.PPG]))

    def _tell(self, told: list[tuple[float, float]]) -> list[Respiration]:
        return [self._respiration(*rate) for rate in told]

    def _respiration(self, rate_bpm: float, share: float) -> Respiration:
        window = self._waiting.popleft()
        assert self._model is not None, "a window was read by it"
        read = window.sources or tuple(kind for kind in BeatSource if kind in self._sources)
        names = "+".join(kind.value for kind in read)
        method = f"{names}, {self._model.name} {self._model.version}"
        if window.reason is not None:
            return Respiration(window.start_ns, _WINDOW_NS, None, None, window.reason, method)
        quality = sureness(share)
        if quality < LEAST_QUALITY:
            return Respiration(window.start_ns, _WINDOW_NS, None, quality, "unsure", method)
        return Respiration(window.start_ns, _WINDOW_NS, rate_bpm, quality, None, method)
