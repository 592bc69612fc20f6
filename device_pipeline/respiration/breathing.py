"""Respiration beside the beats: 32 s windows every 8 s, from an ECG, a PPG, or both.

A window is looked at once the beats two seconds past its end are final, and told after the next one (see tracker.py),
always on the grid and never on how the input was cut. Where too little of it can be read, or the rate is not sure
enough, it says why and gives no number.
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
    Times,
    Traces,
    seconds,
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
        self._beats: list[Beat] = []
        self._traces = Traces(np.empty(0, np.int64), np.empty((0, BEAT_TRACES)))
        self._wave: Floats = np.empty(0)
        self._wave_from_ns = 0
        self._grains: deque[Window] = deque()

    def push(self, block: Samples) -> None:
        self._pieces.append(block)

    def see(self, window: Window) -> None:
        self._beats += window.beats
        self._grains.append(window)

    def window(self, start_ns: int, spectrum: Spectrum) -> Spectra | None:
        """What the window that starts here shows; None where too little of it can be read."""
        self._join()
        self._trace(start_ns)
        wave = self._smooth(start_ns)
        at_s = seconds(self._traces.t_ns - start_ns)
        near = slice(*np.searchsorted(at_s, (-AROUND_S, WINDOW_S + AROUND_S)).tolist())
        return spectrum.window(at_s[near], self._traces.values[near], wave)

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

    def _trace(self, start_ns: int) -> None:
        """Traces of the beats seen since the last window, but the last while its cycle may still end."""
        old = int(np.searchsorted(self._traces.t_ns, start_ns - _AROUND_NS))
        t_ns, values = self._traces.t_ns[old:], self._traces.values[old:]
        beats, next_ns = self._beats[:-1], None
        if self._beats and self._beats[-1].t_ns + LONGEST_CYCLE_NS < start_ns + _WINDOW_NS:
            beats = self._beats
        elif self._beats:
            next_ns = self._beats[-1].t_ns
        if beats and len(self._x):
            new = trace_beats(self.source, beats, next_ns, self._t_ns, self._x, self._fs_hz)
            t_ns, values = np.concatenate((t_ns, new.t_ns)), np.concatenate((values, new.values))
            self._beats = self._beats[len(beats) :]
        self._traces = Traces(t_ns, values)

    def _smooth(self, start_ns: int) -> Floats:
        """(POINTS,) the wave itself in the window; what an earlier window worked out is kept."""
        done = (start_ns - self._wave_from_ns) // GRID_NS
        kept = self._wave[done:] if 0 <= done < len(self._wave) else self._wave[:0]
        at_ns = start_ns + GRID_NS // 2 + np.arange(len(kept), POINTS, dtype=np.int64) * GRID_NS
        self._wave = np.concatenate((kept, self._smoother.at(at_ns, self._t_ns, self._x)))
        self._wave_from_ns = start_ns
        keep_ns = start_ns + _WINDOW_NS - _KEEP_RAW_NS
        if self._beats:
            keep_ns = min(keep_ns, self._beats[0].t_ns - _KEEP_RAW_NS)
        drop = int(np.searchsorted(self._t_ns, keep_ns))
        self._t_ns, self._x = self._t_ns[drop:], self._x[drop:]
        return self._wave


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

    def see(self, windows: Sequence[Window]) -> Sequence[Respiration]:
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
        for start_ns, _ in self._grid.closed_by(end_ns - _AFTER_NS):
            out += self._read(start_ns)
        return out

    def flush(self, end_ns: int) -> Sequence[Respiration]:
        return self._finish(end_ns)

    def _finish(self, end_ns: int) -> list[Respiration]:
        out: list[Respiration] = []
        if self._sources:
            for start_ns, _ in self._grid.closed_by(end_ns):
                out += self._read(start_ns)
        out += [self._tell(*told) for told in self._fusion.flush()]
        self._fusion = Fusion()
        return out

    def _read(self, start_ns: int) -> list[Respiration]:
        if self._spectrum is None:
            self._spectrum = Spectrum()
        if self._model is None:
            self._model = RespirationModel()
        logits: dict[BeatSource, Floats] = {}
        for kind, source in self._sources.items():
            found = source.window(start_ns, self._spectrum)
            if found is not None:
                logits[kind] = self._model.logits(kind.value, found.power, found.alike, found.pulse_bpm)
        leading = self._sources.get(BeatSource.ECG) or self._sources[BeatSource.PPG]
        reason = None if logits else leading.why_not(start_ns)
        self._waiting.append(_Waiting(start_ns, tuple(kind for kind in BeatSource if kind in logits), reason))
        for source in self._sources.values():
            source.forget(start_ns + STEP_S * _S)
        told = self._fusion.push(logits.get(BeatSource.ECG), logits.get(BeatSource.PPG))
        return [] if told is None else [self._tell(*told)]

    def _tell(self, rate_bpm: float, share: float) -> Respiration:
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
