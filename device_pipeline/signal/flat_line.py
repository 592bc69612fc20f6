"""A signal that does not move for two seconds is no signal; every real electrode moves by more than a converter step.

Looks at cells of a quarter second on the count since the start, so the answer does not depend on how samples arrived.
Samples are passed on at once, and a stillness is told when it has lasted: it then begins before what was passed on.
Until then `still_from` says where it might begin.
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
    """Samples from the count `start` on, which move or have not been still for long."""

    start: int
    values: Floats


@dataclass(frozen=True, slots=True)
class Still:
    """Nothing moves in [start, stop); a long stillness comes in several that touch.

    The first of them begins before the end of the Live that came last, and takes that back; what moves after it is told
    once more.
    """

    start: int
    stop: int


class FlatLines:
    """Parts one unbroken signal into what lives and what is flat, both told in order."""

    def __init__(self, fs_hz: float) -> None:
        self._cell = max(1, round(CELL_S * fs_hz))
        self._least = round(FLAT_S * fs_hz)
        self._part: Floats = np.empty(0)  # the samples of the unfinished cell
        self._whole = 0  # count of its first sample
        self._told = 0  # everything before this count has been told
        self._before: Floats = np.empty(0)  # the last finished cell
        self._free_from = 0  # where the last flat line ended
        # still cells at the end: count of the first, lowest and highest value, the samples before the first
        self._run: tuple[int, float, float, Floats] | None = None
        self._flat = False  # the run is long enough and has been told

    @property
    def still_from(self) -> int | None:
        """What has been told from this count on may yet turn out to be part of a flat line; None: nothing."""
        return None if self._run is None else self._run_start()

    def push(self, x: Floats) -> list[Live | Still]:
        """Takes the next samples, shape (n,), mV; returns what is to be told with them."""
        held = np.concatenate((self._part, x)) if len(self._part) else x
        first, cell = self._whole, self._cell
        cells = len(held) // cell
        out: list[Live | Still] = []
        if cells:
            rows = held[: cells * cell].reshape(cells, cell)
            lowest, highest = rows.min(axis=1), rows.max(axis=1)
            if self._run is not None or bool((highest - lowest <= STILL_MV).any()):
                for k, (low, high) in enumerate(zip(lowest.tolist(), highest.tolist(), strict=True)):
                    if self._run is not None or high - low <= STILL_MV:
                        self._take_cell(rows[k], low, high, held, first, out)
                    self._before = rows[k]
                    self._whole += cell
            else:
                self._whole += cells * cell
            self._before = rows[-1].copy()
        self._part = held[cells * cell :].copy()
        if not self._flat:
            self._pass_on(held, first, first + len(held), out)
        return out

    def flush(self) -> list[Live | Still]:
        """The signal ends here."""
        out: list[Live | Still] = []
        if self._run is not None:
            self._end_run(self._part, self._part, self._whole, out)
        self._pass_on(self._part, self._whole, self._whole + len(self._part), out)
        return out

    def _take_cell(
        self, row: Floats, low: float, high: float, held: Floats, first: int, out: list[Live | Still]
    ) -> None:
        since = self._whole
        if self._run is not None:
            begun, lowest, highest, before = self._run
            if max(high, highest) - min(low, lowest) <= STILL_MV:
                self._run = (begun, min(low, lowest), max(high, highest), before)
            else:
                since = self._end_run(row, held, first, out)
        if self._run is None and high - low <= STILL_MV:
            # what belonged to a flat line that has just ended is no part of a new one
            spare = max(0, len(self._before) - (self._whole - self._free_from))
            self._run = (since, low, high, self._before[spare:].copy() if since == self._whole else self._before[:0])
        if self._run is None:
            return
        end = self._whole + self._cell
        if self._flat:
            out.append(Still(self._told, end))
        else:
            start = self._run_start()
            if end - start < self._least:
                return
            self._pass_on(held, first, end, out)
            out.append(Still(start, end))
            self._flat = True
        self._told = self._free_from = end

    def _end_run(self, row: Floats, held: Floats, first: int, out: list[Live | Still]) -> int:
        """The stillness ends in or before the samples `row` that follow it; returns the count of the first outside."""
        stop = self._whole
        if self._run is not None:
            low, high = self._run[1], self._run[2]
            for value in row.tolist():
                low, high = min(low, value), max(high, value)
                if high - low > STILL_MV:
                    break
                stop += 1
            start = self._told
            if not self._flat:
                start = self._run_start()
                if stop - start < self._least:
                    start = stop
                else:
                    self._pass_on(held, first, self._whole + len(row), out)
            if stop > start:
                out.append(Still(start, stop))
                self._told = self._free_from = stop
        self._flat = False
        self._run = None
        return max(self._whole, self._free_from)

    def _run_start(self) -> int:
        """Where the run of still cells began, to the sample."""
        if self._run is None:
            return self._whole
        since, low, high, before = self._run
        for value in before[::-1].tolist():
            low, high = min(low, value), max(high, value)
            if high - low > STILL_MV:
                break
            since -= 1
        return since

    def _pass_on(self, held: Floats, first: int, stop: int, out: list[Live | Still]) -> None:
        """Tells what has not been told before the count `stop`; `held` are the samples from the count `first` on."""
        if stop > self._told:
            out.append(Live(self._told, held[self._told - first : stop - first]))
            self._told = stop
