"""A signal that does not move for two seconds is no signal; every real electrode moves by more than a converter step.

Looks at cells of a quarter second on the count since the start, so the answer does not depend on how samples arrived.
Samples are passed on as soon as they cannot belong to a flat line any more.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from device_pipeline.signal.filters import Floats

FLAT_S = 2.0
CELL_S = 0.25
STILL_MV = 0.0051  # one step of a converter with 200 steps a millivolt may flicker


@dataclass(frozen=True, slots=True)
class Live:
    """Moving samples from the count `start` on."""

    start: int
    values: Floats


@dataclass(frozen=True, slots=True)
class Still:
    """Nothing moves in [start, stop); a long stillness comes in several that touch."""

    start: int
    stop: int


class FlatLines:
    """Parts one unbroken signal into what lives and what is flat, both told in order and without holes."""

    def __init__(self, fs_hz: float) -> None:
        self._cell = max(1, round(CELL_S * fs_hz))
        self._least = round(FLAT_S * fs_hz)
        self._held: Floats = np.empty(0)  # not told yet; the last part may be an unfinished cell
        self._told = 0  # count of the first sample held
        self._count = 0  # samples in finished cells
        self._run: tuple[int, float, float] | None = None  # still cells at the end: since, lowest, highest
        self._flat = False  # the run is long enough; it began at _told or earlier

    def push(self, x: Floats) -> list[Live | Still]:
        """Takes the next samples, shape (n,), mV; returns what became certain."""
        self._held = np.concatenate((self._held, x))
        first = self._count - self._told
        cells = (len(self._held) - first) // self._cell
        if cells == 0:
            return []
        rows = self._held[first : first + cells * self._cell].reshape(cells, self._cell)
        out: list[Live | Still] = []
        for low, high in zip(rows.min(axis=1).tolist(), rows.max(axis=1).tolist(), strict=True):
            if high - low <= STILL_MV or self._run is not None:
                self._take_cell(low, high, out)
            self._count += self._cell
        if not self._flat:
            self._pass_on(self._keep_from(), out)
        return out

    def flush(self) -> list[Live | Still]:
        """The signal ends here."""
        out: list[Live | Still] = []
        self._end_run(out)
        self._pass_on(self._told + len(self._held), out)
        self._count = self._told
        return out

    def _take_cell(self, low: float, high: float, out: list[Live | Still]) -> None:
        if self._run is not None:
            since, lowest, highest = self._run
            if max(high, highest) - min(low, lowest) <= STILL_MV:
                self._run = (since, min(low, lowest), max(high, highest))
            else:
                self._end_run(out)
        if self._run is None and high - low <= STILL_MV:
            self._run = (max(self._count, self._told), low, high)
        if self._run is None:
            return
        end = self._count + self._cell
        if not self._flat:
            start = self._run_start()
            if end - start < self._least:
                return
            self._pass_on(start, out)
            self._flat = True
        if end - self._told >= self._least:
            self._tell_still(end, out)

    def _end_run(self, out: list[Live | Still]) -> None:
        """The stillness ends before or in the samples that follow _count."""
        if self._run is None:
            return
        low, high = self._run[1], self._run[2]
        stop = self._count
        for value in self._held[self._count - self._told : self._count - self._told + self._cell].tolist():
            low, high = min(low, value), max(high, value)
            if high - low > STILL_MV:
                break
            stop += 1
        if not self._flat:
            start = self._run_start()
            if stop - start >= self._least:
                self._pass_on(start, out)
                self._flat = True
        if self._flat and stop > self._told:
            self._tell_still(stop, out)
        self._flat = False
        self._run = None

    def _run_start(self) -> int:
        """Where the run of still cells began, to the sample."""
        if self._run is None:
            return self._count
        since, low, high = self._run
        return self._back(since, low, high)

    def _keep_from(self) -> int:
        """The first sample that may yet turn out to be part of a flat line."""
        if self._run is not None:
            return self._run_start()
        last = float(self._held[self._count - self._told - 1]) if self._count > self._told else 0.0
        return self._back(self._count, last, last)

    def _back(self, start: int, low: float, high: float) -> int:
        """How far before the count `start` the signal stayed with [low, high], at most a cell."""
        to = start - self._told
        for value in self._held[max(0, to - self._cell) : to][::-1].tolist():
            low, high = min(low, value), max(high, value)
            if high - low > STILL_MV:
                break
            start -= 1
        return start

    def _pass_on(self, stop: int, out: list[Live | Still]) -> None:
        if stop > self._told:
            out.append(Live(self._told, self._held[: stop - self._told].copy()))
            self._drop(stop)

    def _tell_still(self, stop: int, out: list[Live | Still]) -> None:
        out.append(Still(self._told, stop))
        self._drop(stop)

    def _drop(self, stop: int) -> None:
        self._held = self._held[stop - self._told :]
        self._told = stop
