"""Where a QRS complex may be: the peaks of the energy between 10 and 30 Hz, each with what a score is made from.

The signal is first thinned to about 120 Hz, sums of a few neighbours on the count since the start. Whatever is told of
a peak depends on the signal from some seconds before to LOOK_S after it, and on no decision about any other peak.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from device_pipeline.signal.filters import BandPass, Floats, MovingMean, Track

THIN_HZ = 120.0
# A QRS outweighs P and T waves and the motion of electrodes here; under such motion at 0 dB 94 % of beats still are a
# peak of their own, in the usual 5 to 20 Hz 83 %.
BAND_HZ = (10.0, 30.0)
ENERGY_S = 0.07
PEAK_REACH_S = 0.09  # two complexes never lie closer; half the refractory time
SLOPE_REACH_S = 0.08
LOOK_S = 0.4
LEAST_SHARE = 0.05  # of the highest energy within LOOK_S: less is no peak
LEAST_ENERGY_MV = 0.002
SPIKE = 3.0  # energy beside a peak counts at most so many times the usual level of beats
LEAST_LOG = -4.0
TINY_MV = 1e-4
GRAIN_S = 0.05  # peaks are looked for in steps of this, however few samples come
CELL_S = 0.5
LEARN_CELLS = 5  # before those nothing can be said of a new signal
PAST_CELLS = 16
LEVELS = 5  # the largest energies of as many spans of three cells
# where the shape of a complex is read, in seconds from its energy peak
SHAPE_AT_S = np.concatenate(
    [np.arange(-0.36, -0.12, 0.02), np.arange(-0.12, 0.1201, 0.01), np.arange(0.14, 0.401, 0.02)]
)
QRS_POINTS = slice(12, 37)  # of those within 0.12 s
SHAPE_LIMIT = 8.0
SCALARS = 19
CLEAR_OF_PEAK_S = 0.14
BESIDE_PEAK_S = 0.05


@dataclass(frozen=True, slots=True)
class Candidates:
    """Peaks in order: `at` counts the thinned signal, energy in mV; `scalars` (n, SCALARS) are logarithms of ratios.

    `shape` (n, len(SHAPE_AT_S)): the signal around each, without mean and trend, over its energy.
    """

    at: NDArray[np.int64]
    energy: Floats
    slope: Floats
    scalars: Floats
    shape: Floats


@dataclass(frozen=True, slots=True)
class PastLevels:
    """What is worth keeping over a short absence: the largest, smallest and mean energy of the last cells."""

    cells: Floats  # (PAST_CELLS, 3)


class QrsCandidates:
    """One unbroken stretch of signal; `past` is that of the stretch before, if it still holds."""

    def __init__(self, fs_hz: float, past: PastLevels | None = None) -> None:
        self.thin = max(1, round(fs_hz / THIN_HZ))
        self.fs_hz = fs_hz / self.thin
        self._rest: Floats = np.empty(0)
        self._band = BandPass(BAND_HZ[0], min(BAND_HZ[1], 0.45 * self.fs_hz), self.fs_hz)
        self._power = MovingMean(max(3, round(ENERGY_S * self.fs_hz)))
        self.lag = round(self._band.delay + (self._power.n - 1) / 2)
        self._slope_lag = round((self._power.n - 1) / 2)
        self._reach = max(1, round(PEAK_REACH_S * self.fs_hz))
        self._slope_reach = round(SLOPE_REACH_S * self.fs_hz)
        self._look = round(LOOK_S * self.fs_hz)
        self._grain = round(GRAIN_S * self.fs_hz)
        self._cell = round(CELL_S * self.fs_hz)
        self._pad = self._look + 4
        self._shape_from, self._to_shape = _reader(self.fs_hz)
        self._thinned = Track()
        self._energy = Track()
        self._steps = Track()
        self._last: Floats | None = None
        self._origin_mv: float | None = None
        self._prior = 0 if past is None else len(past.cells)
        self._cells: Floats = np.empty((0, 3)) if past is None else past.cells
        self._cells_from = -self._prior  # number of the first cell held
        self._cells_to = 0  # number of the first cell that is not whole yet
        self._done = 1  # the energy count before which every peak is out

    @property
    def decided(self) -> int:
        """Every candidate before this count of the thinned signal is out."""
        return max(0, self._done - self.lag)

    @property
    def past(self) -> PastLevels:
        return PastLevels(self._cells[-PAST_CELLS:])

    def push(self, x: Floats) -> Candidates | None:
        """Takes the next samples, shape (n,), mV; returns the candidates that became final, None where none did."""
        if len(self._rest):
            x = np.concatenate((self._rest, x))
        whole = len(x) // self.thin * self.thin
        self._rest = x[whole:].copy()
        if whole == 0:
            return None
        u = x[:whole]
        if self.thin > 1:
            u = x[0 : whole : self.thin] + x[1 : whole : self.thin]
            for k in range(2, self.thin):
                u += x[k : whole : self.thin]
            u *= 1.0 / self.thin
        if self._origin_mv is None:
            self._origin_mv = float(u[0])
        # a large offset would cost precision
        u = u - self._origin_mv
        y = self._band.push(u)
        energy = self._power.push(y * y)
        np.maximum(energy, 0.0, out=energy)
        np.sqrt(energy, out=energy)
        if self._last is None:
            for track, first in ((self._thinned, u[0]), (self._energy, energy[0]), (self._steps, 0.0)):
                track.add(np.full(self._pad, first))
            self._last = y[:1]
        steps = np.empty(len(y))
        steps[0] = y[0] - self._last[0]
        np.subtract(y[1:], y[:-1], out=steps[1:])
        np.abs(steps, out=steps)
        self._last = y[-1:].copy()
        self._thinned.add(u)
        self._energy.add(energy)
        self._steps.add(steps)
        self._close_cells()
        return self._advance()

    def energy(self, start: int, stop: int) -> Floats:
        """Energy at counts [start, stop) of the thinned signal; shorter where it is not known or forgotten."""
        return _held(self._energy, start + self.lag + self._pad, stop + self.lag + self._pad)

    def thinned(self, start: int, stop: int) -> Floats:
        """The thinned signal at counts [start, stop), from its first value, in mV; shorter where it is not known."""
        return _held(self._thinned, start + self._pad, stop + self._pad)

    def forget(self, before: int) -> None:
        """Drops what is needed only for counts of the thinned signal before this one."""
        before = min(before, self._done - self.lag)
        self._thinned.forget(before)
        self._energy.forget(before)
        self._steps.forget(before)
        spare = len(self._cells) - 2 * PAST_CELLS
        oldest = self._done // self._cell - PAST_CELLS
        if spare > 0 and self._cells_from + spare <= oldest:
            self._cells = self._cells[spare:]
            self._cells_from += spare

    def _close_cells(self) -> None:
        count = self._energy.end - self._pad
        n = count // self._cell - self._cells_to
        if n <= 0:
            return
        begin = self._cells_to * self._cell + self._pad
        rows = self._energy.view(begin, begin + n * self._cell).reshape(n, self._cell)
        fresh = np.stack((rows.max(axis=1), rows.min(axis=1), rows.mean(axis=1)), axis=1)
        self._cells = np.concatenate((self._cells, fresh))
        self._cells_to += n

    def _advance(self) -> Candidates | None:
        stop = (self._energy.end - self._pad - self._look) // self._grain * self._grain
        if stop <= self._done or self._cells_to + self._prior < LEARN_CELLS:
            return None
        first, self._done = self._done, stop
        p = self._peaks(first, stop)
        p = p[p >= self.lag]
        if len(p) == 0:
            return None
        energy = self._energy.view(self._energy.start, self._energy.end)
        offset = self._pad - self._energy.start
        around = np.lib.stride_tricks.sliding_window_view(energy, 2 * self._look + 1)[p + offset - self._look]
        peak = around[:, self._look]
        before, after = around[:, : self._look], around[:, self._look + 1 :]
        spans, floors = self._past(p)
        # a violent spike is no measure for the beats around it
        most = np.maximum(SPIKE * np.sort(spans, axis=1)[:, LEVELS // 2], peak)
        highest = np.minimum(np.maximum(before.max(axis=1), after.max(axis=1)), most)
        keep = np.flatnonzero((peak > LEAST_SHARE * highest) & (peak > LEAST_ENERGY_MV))
        if len(keep) == 0:
            return None
        p, around, peak, most = p[keep], around[keep], peak[keep], most[keep]
        spans, floors = spans[keep], floors[keep]
        steps = self._steps.view(self._steps.start, self._steps.end)
        at = p - self._slope_lag - self._slope_reach + self._pad - self._steps.start
        rows = np.lib.stride_tricks.sliding_window_view(steps, 2 * self._slope_reach + 1)[at]
        slope = rows.max(axis=1) * self.fs_hz
        thinned = self._thinned.view(self._thinned.start, self._thinned.end)
        at = p - self.lag + self._shape_from + self._pad - self._thinned.start
        rows = np.lib.stride_tricks.sliding_window_view(thinned, len(self._to_shape))[at]
        shape = rows @ self._to_shape
        shape /= peak[:, None]
        np.clip(shape, -SHAPE_LIMIT, SHAPE_LIMIT, out=shape)
        return Candidates(p - self.lag, peak, slope, self._scalars(peak, slope, around, most, spans, floors), shape)

    def _peaks(self, first: int, stop: int) -> NDArray[np.int64]:
        """Energy counts in [first, stop) that nothing within the reach exceeds; of equal ones the first."""
        offset = self._pad - self._energy.start
        held = self._energy.view(self._energy.start, self._energy.end)
        e = held[first + offset - 1 : stop + offset + 1]
        at = np.flatnonzero((e[1:-1] >= e[2:]) & (e[1:-1] > e[:-2])) + first
        if len(at) == 0:
            return at.astype(np.int64)
        e = held[at + offset]
        ends = np.maximum(held[at + offset - self._reach], held[at + offset + self._reach])
        at, e = at[e >= ends], e[e >= ends]
        rows = np.lib.stride_tricks.sliding_window_view(held, 2 * self._reach + 1)[at + offset - self._reach]
        return np.asarray(at[e >= rows.max(axis=1)], dtype=np.int64)

    def _past(self, p: NDArray[np.int64]) -> tuple[Floats, Floats]:
        """Before each energy count: the largest energies of LEVELS spans of 1.5 s; two floors and the usual energy."""
        before = p[:, None] // self._cell - 1 - np.arange(PAST_CELLS)[None, :]
        if self._prior == 0:
            # the first seconds stand for what was before them
            before = np.where(before < 0, (-before - 1) % LEARN_CELLS, before)
        at = np.clip(before - self._cells_from, 0, len(self._cells) - 1)
        most, least, mean = self._cells[:, 0], self._cells[:, 1], self._cells[:, 2]
        spans = most[at[:, : 3 * LEVELS]].reshape(-1, LEVELS, 3).max(axis=2)
        floor = np.sort(least[at[:, :6]], axis=1)
        usual = np.sort(mean[at[:, :8]], axis=1)
        return spans, np.stack((floor[:, 2], floor[:, 0], usual[:, 3]), axis=1)

    def _scalars(
        self, peak: Floats, slope: Floats, around: Floats, most: Floats, spans: Floats, floors: Floats
    ) -> Floats:
        levels = np.sort(spans, axis=1)

        def span(start_s: float, stop_s: float) -> Floats:
            look, fs_hz = self._look, self.fs_hz
            return around[:, look + round(start_s * fs_hz) : look + round(stop_s * fs_hz) + 1]

        def beside(at_s: float) -> Floats:
            return around[:, self._look + round(at_s * self.fs_hz)]

        earlier, later = span(-LOOK_S, -CLEAR_OF_PEAK_S), span(CLEAR_OF_PEAK_S, LOOK_S)
        width = 1.0 / earlier.shape[1]
        parts = (
            levels[:, 2],
            levels[:, 4],
            levels[:, 0],
            spans[:, 0],
            floors[:, 0],
            floors[:, 1],
            floors[:, 2],
            np.minimum(earlier.max(axis=1), most),
            np.minimum(later.max(axis=1), most),
            span(-LOOK_S, -BESIDE_PEAK_S).min(axis=1),
            span(BESIDE_PEAK_S, LOOK_S).min(axis=1),
            slope,
            beside(-0.05),
            beside(0.05),
            beside(-0.1),
            beside(0.1),
            np.minimum(np.add.reduce(earlier, axis=1) * width, most),
            np.minimum(np.add.reduce(later, axis=1) * width, most),
            np.ones(len(peak)),
        )
        logs = np.log(np.maximum(np.stack(parts, axis=1), TINY_MV))
        own = np.log(peak)
        logs = own[:, None] - logs
        logs[:, 11] *= -1.0
        np.maximum(logs, LEAST_LOG, out=logs)
        return np.asarray(logs, dtype=np.float64)


def _reader(fs_hz: float) -> tuple[int, Floats]:
    """Where the samples begin, relative to a peak, and how they make up the shape: smoothed, read, straightened."""
    first = int(np.floor(SHAPE_AT_S[0] * fs_hz)) - 1
    last = int(np.floor(SHAPE_AT_S[-1] * fs_hz)) + 2
    read = np.zeros((last - first + 1, len(SHAPE_AT_S)))
    for column, at_s in enumerate(SHAPE_AT_S.tolist()):
        whole = int(np.floor(at_s * fs_hz))
        part = at_s * fs_hz - whole
        for neighbour, weight in ((-1, 0.25), (0, 0.5), (1, 0.25)):
            read[whole - first + neighbour, column] += weight * (1 - part)
            read[whole + 1 - first + neighbour, column] += weight * part
    trend, _ = np.linalg.qr(np.stack((np.ones(len(SHAPE_AT_S)), SHAPE_AT_S), axis=1))
    return first, read - (read @ trend) @ trend.T


def _held(track: Track, start: int, stop: int) -> Floats:
    start = min(max(start, track.start), track.end)
    return track.view(start, min(max(stop, start), track.end))
