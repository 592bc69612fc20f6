"""How far a stretch of ECG can be trusted: do its beats stand out of what lies between them, and is it all there.

The index is the worst of four scores, each 1 at or below its `CLEAN` and 0 at or above its `LOST` constant, and good
from 0.5 on. The constants lie between what clean ambulatory ECG and the same with electrode motion at 0 dB show.
Only order statistics are used, so that equal samples give equal figures whatever memory they lie in.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np

from device_pipeline.signal.filters import Floats, Track
from device_pipeline.signal.flat_line import STILL_MV
from device_pipeline.signal.qrs_filters import QrsFilters
from device_pipeline.signal.qrs_rules import Found

STRETCH_S = 2.0
GOOD_INDEX = 0.5
BEAT_REACH_S = 0.15  # what lies further from a beat is rest

# energy between beats relative to that of the beats: lower quartile of all, upper quartile and 95 % point of the rest
REST_SCALES = (0.20, 0.35, 0.60)
REST_CLEAN, REST_LOST = 0.30, 0.85  # mean of the three over their scales
UNLIKE_CLEAN, UNLIKE_LOST = 0.012, 0.07  # 1 - correlation of a beat with the likest of those before
CLIPPED_CLEAN, CLIPPED_LOST = 0.02, 0.18  # share of samples at a rail
CLIP_LEVELS = 30  # a signal of fewer converter steps repeats its extremes without clipping
BASELINE_CLEAN_MV, BASELINE_LOST_MV = 2.0, 6.0  # wander within the stretch: input stages saturate at some mV
BASELINE_CLEAN_BEATS, BASELINE_LOST_BEATS = 8.0, 40.0  # the same over the energy of a beat
LEAST_ENERGY_MV = 0.007  # a QRS of about 0.05 mV
NO_BEAT_S = 6.0  # silence for longer cannot be told from a lost electrode

CELL_S = 0.5
DROWNED = 0.5  # rest at this share of a beat hides beats
STUCK = 2.0  # a value that stands still this many beat energies (about one QRS height) off its usual place is a rail
USUAL_CELLS = 9


SHAPES = 8  # beats to compare with: enough for two or three alternating kinds


class Agreement:
    """How like its predecessors each beat looks: noise has no memory of shape, a heart has."""

    def __init__(self) -> None:
        self._shapes: Floats | None = None

    def push(self, shapes: Floats) -> list[float | None]:
        """Highest correlation of each complex, rows of `shapes` (n, points), with those before; None for the first."""
        known = 0 if self._shapes is None else len(self._shapes)
        rows = shapes if self._shapes is None else np.concatenate((self._shapes, shapes))
        best = np.full(len(rows), -np.inf)
        for back in range(1, min(SHAPES, len(rows) - 1) + 1):
            best[back:] = np.maximum(best[back:], (rows[back:] * rows[:-back]).sum(axis=1))
        self._shapes = rows[-SHAPES:].copy()
        return [value if value > -np.inf else None for value in best[known:].tolist()]


class Readability:
    """Says between which beats another one may have been hidden."""

    def __init__(self, fs_hz: float) -> None:
        self._cell = round(CELL_S * fs_hz)
        # of each half second: lower quartile of the energy; how far off its usual place the value stands still
        self._cells: deque[tuple[float, float]] = deque()
        self._middles: deque[float] = deque(maxlen=USUAL_CELLS)
        self._first = 0
        self._folded = (0.0, 0.0)  # the worst of the half seconds since the last beat that are no longer held

    def update(self, filters: QrsFilters, raw: Track, known: int) -> None:
        """Energy and samples are final before the count `known`."""
        begin = (self._first + len(self._cells)) * self._cell
        cells = (known - begin) // self._cell
        if cells <= 0:
            return
        quarter, half = self._cell // 4, self._cell // 2
        energy = filters.energy(begin, begin + cells * self._cell).reshape(cells, self._cell)
        floors = np.partition(energy, quarter, axis=1)[:, quarter].tolist()
        values = raw.view(begin, begin + cells * self._cell).reshape(cells, self._cell)
        middles = np.partition(values, half, axis=1)[:, half].tolist()
        still = (np.ptp(values, axis=1) <= STILL_MV).tolist()
        for floor, middle, stands in zip(floors, middles, still, strict=True):
            off = abs(middle - sorted(self._middles)[len(self._middles) // 2]) if stands and self._middles else 0.0
            self._middles.append(middle)
            self._cells.append((floor, off))

    def between(self, start: int, stop: int, level: float) -> bool:
        """Whether every half second that ends in (start, stop] would have shown a beat of energy `level`."""
        first = start // self._cell
        if first >= self._first:
            self._folded = (0.0, 0.0)
        while self._first < first and self._cells:
            self._cells.popleft()
            self._first += 1
        last = min(stop // self._cell - self._first, len(self._cells))
        cells = [self._folded, *(self._cells[k] for k in range(last))]
        return all(floor <= DROWNED * level and off <= STUCK * level for floor, off in cells)

    def forget(self, before: int) -> None:
        """Keeps only the worst of what ends before the count `before`, where no beat can come any more."""
        while self._cells and (self._first + 1) * self._cell <= before:
            floor, off = self._cells.popleft()
            self._first += 1
            self._folded = (max(self._folded[0], floor), max(self._folded[1], off))


def judge(
    raw: Floats,
    energy: Floats,
    baseline: Floats,
    beats: Sequence[Found],
    likeness: Sequence[float | None],
    *,
    start: int,
    fs_hz: float,
) -> tuple[float, str | None]:
    """Index and, if it is below GOOD_INDEX, the reason, of the stretch that starts at the count `start`.

    `raw`, `energy`, `baseline` are its samples in mV; `beats` those in it and shortly before, `likeness` what Agreement
    says of each.
    """
    if not beats or start + len(raw) - beats[-1].at > NO_BEAT_S * fs_hz:
        return 0.0, "no_beats"
    inside = sorted(beat.energy for beat in beats if beat.at >= start)
    beat_mv = inside[len(inside) // 2] if inside else beats[-1].level
    scores = {
        "clipped": _score(_at_rails(raw), CLIPPED_CLEAN, CLIPPED_LOST),
        "baseline": min(
            _score(float(np.ptp(baseline)), BASELINE_CLEAN_MV, BASELINE_LOST_MV),
            _score(float(np.ptp(baseline)) / beat_mv, BASELINE_CLEAN_BEATS, BASELINE_LOST_BEATS),
        ),
        "low_amplitude": 1.0 if beat_mv >= LEAST_ENERGY_MV else 0.0,
        "noise": _noise(_rest(energy, beat_mv, beats, start, fs_hz), likeness[len(beats) - len(inside) :]),
    }
    reason = min(scores, key=lambda name: scores[name])
    return scores[reason], None if scores[reason] >= GOOD_INDEX else reason


def _score(value: float, clean: float, lost: float) -> float:
    return min(1.0, max(0.0, (lost - value) / (lost - clean)))


def _noise(rest: float, likeness: Sequence[float | None]) -> float:
    """A quiet rest and like beats count the same: a tall T wave or a fast rhythm fills the rest without being noise."""
    score = _score(rest, REST_CLEAN, REST_LOST)
    alike = sorted(value for value in likeness if value is not None)
    if not alike:
        return score
    return (score + _score(1.0 - alike[len(alike) // 2], UNLIKE_CLEAN, UNLIKE_LOST)) / 2


def _rest(energy: Floats, beat_mv: float, beats: Sequence[Found], start: int, fs_hz: float) -> float:
    reach = round(BEAT_REACH_S * fs_hz)
    between = np.ones(len(energy), dtype=np.bool_)
    for beat in beats:
        between[max(0, beat.at - start - reach) : max(0, beat.at - start + reach)] = False
    rest = np.sort(energy[between])
    all_of_it = np.sort(energy)
    quartile = all_of_it[len(all_of_it) // 4]
    if len(rest) < 0.1 * fs_hz:
        return float(quartile / beat_mv / REST_SCALES[0])
    upper, top = rest[3 * len(rest) // 4], rest[19 * len(rest) // 20]
    return float((quartile / REST_SCALES[0] + upper / REST_SCALES[1] + top / REST_SCALES[2]) / (3 * beat_mv))


def _at_rails(raw: Floats) -> float:
    """The share of samples that repeat an extreme value, in a signal with enough steps to make that unusual."""
    low, high = float(raw.min()), float(raw.max())
    steps = np.abs(np.diff(raw))
    moves = steps[steps > 1e-9]
    if len(moves) == 0 or high - low < CLIP_LEVELS * float(moves.min()):
        return 0.0
    same = steps <= 1e-9
    held = same[1:] & same[:-1]
    at = raw[2:][held]
    return max(int(np.count_nonzero(at == low)), int(np.count_nonzero(at == high))) / len(raw)
