"""How far a stretch of ECG can be trusted: is every beat in it found, and nothing else.

The index is the least of four scores, each 0 to 1, and good from GOOD_INDEX on:

- noise: the chance that the detector made no mistake in the stretch, as a sum of what is known of it tells (how sure it
  was of the beats and of what it refused, how like each other the beats look, how much lies between them). Fitted by
  `benchmarks.qrs_quality` to real records with and without noise, people left out; 0.5 stands where GOOD_CHANCE is;
- clipped: the share of samples at a rail;
- baseline: wander and jumps, in mV and beside the beats;
- low_amplitude: too small to be an ECG.

Each of the last three is 1 at or below its `CLEAN` and 0 at or above its `LOST` constant.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from device_pipeline.signal.filters import Floats
from device_pipeline.signal.flat_line import STILL_MV

STRETCH_S = 2.0
GOOD_INDEX = 0.5
BEAT_REACH_S = 0.15  # what lies further from a beat is rest
CLIPPED_CLEAN, CLIPPED_LOST = 0.02, 0.18  # share of samples at a rail
CLIP_LEVELS = 30  # a signal of fewer converter steps repeats its extremes without clipping
BASELINE_CLEAN_MV, BASELINE_LOST_MV = 2.0, 6.0  # wander within the stretch: input stages saturate at some mV
BASELINE_CLEAN_BEATS, BASELINE_LOST_BEATS = 12.0, 60.0  # the same over the energy of a beat
BASELINE_CELL_S = 0.25
LEAST_ENERGY_MV = 0.008  # a narrow QRS of about 0.025 mV
NO_BEAT_S = 6.0  # silence for longer cannot be told from a lost electrode

CELL_S = 0.5
DROWNED = 0.5  # rest at this share of a beat hides beats
STUCK = 3.0  # a value that stands still this many beat energies (about one QRS height) off its usual place is a rail
USUAL_CELLS = 9
SCORE_LIMIT = 8.0
FEATURES = 8


@dataclass(frozen=True, slots=True)
class Found:
    """A beat: counts of its R peak and its energy peak, energy in mV, that of beats about now, score, likeness."""

    at: float
    peak: int
    energy: float
    level: float
    score: float
    like: float


class Readability:
    """Says between which beats another one may have been hidden. Counts are those of the thinned signal."""

    def __init__(self, fs_hz: float) -> None:
        self._cell = round(CELL_S * fs_hz)
        # of each half second: lower quartile of the energy; how far off its usual place the value stands still
        self._cells: deque[tuple[float, float]] = deque()
        self._middles: deque[float] = deque(maxlen=USUAL_CELLS)
        self._first = 0
        self._folded = (0.0, 0.0)  # the worst of the half seconds since the last beat that are no longer held

    def wanted(self, known: int) -> tuple[int, int]:
        """Which counts `update` takes next, all before `known`."""
        begin = (self._first + len(self._cells)) * self._cell
        return begin, begin + max(0, (known - begin) // self._cell) * self._cell

    def update(self, energy: Floats, values: Floats) -> None:
        """Energy and samples of whole half seconds, as `wanted` says."""
        cells = len(energy) // self._cell
        if cells == 0:
            return
        quarter, half = self._cell // 4, self._cell // 2
        floors = np.partition(energy.reshape(cells, self._cell), quarter, axis=1)[:, quarter].tolist()
        rows = values.reshape(cells, self._cell)
        middles = np.partition(rows, half, axis=1)[:, half].tolist()
        still = (np.ptp(rows, axis=1) <= STILL_MV).tolist()
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


@dataclass(frozen=True, slots=True)
class Windows:
    """Stretches of one length, in samples from `start` on: `raw` (n, samples), `energy`, `thinned` (n, thinned), mV.

    `beats`, in order, are those in them and, as far as NO_BEAT_S, before; `refused_at`, in order, what was no beat, and
    its `refused_score`.
    """

    start: int
    fs_hz: float
    thin_hz: float
    raw: Floats
    energy: Floats
    thinned: Floats
    beats: Sequence[Found]
    refused_at: Sequence[int]
    refused_score: Sequence[float]


def judge(windows: Windows) -> list[tuple[float, str | None]]:
    """Index and, if it is below GOOD_INDEX, the reason, of each stretch."""
    counted = beats_of(windows)
    features, beat_mv = measure(windows, counted)
    chance = 1.0 / (1.0 + np.exp(-np.clip(features @ np.array(NOISE_WEIGHTS) + NOISE_BIAS, -50.0, 50.0)))
    clipped = _at_rails(windows.raw)
    wander = _wander(windows)
    out: list[tuple[float, str | None]] = []
    ends = [windows.start + (k + 1) * windows.raw.shape[1] for k in range(len(windows.raw))]
    for k, (_, stop) in enumerate(counted):
        last = windows.beats[stop - 1] if stop else None
        if last is None or ends[k] - last.at > NO_BEAT_S * windows.fs_hz:
            out.append((0.0, "no_beats"))
            continue
        mv = float(beat_mv[k])
        scores = {
            "noise": _index_of(float(chance[k])),
            "clipped": _score(float(clipped[k]), CLIPPED_CLEAN, CLIPPED_LOST),
            "baseline": min(
                _score(float(wander[k]), BASELINE_CLEAN_MV, BASELINE_LOST_MV),
                _score(float(wander[k]) / mv, BASELINE_CLEAN_BEATS, BASELINE_LOST_BEATS),
            ),
            "low_amplitude": 1.0 if mv >= LEAST_ENERGY_MV else 0.0,
        }
        reason = min(scores, key=lambda name: scores[name])
        index = round(scores[reason], 6)
        out.append((index, None if index >= GOOD_INDEX else reason))
    return out


def beats_of(windows: Windows) -> list[tuple[int, int]]:
    """Indices of the first beat in each stretch and of the first after it."""
    places = [beat.at for beat in windows.beats]
    n = windows.raw.shape[1]
    bounds = [bisect_left(places, windows.start + k * n) for k in range(len(windows.raw) + 1)]
    return list(pairwise(bounds))


def measure(windows: Windows, counted: Sequence[tuple[int, int]]) -> tuple[Floats, Floats]:
    """What the noise score is made of, (n, FEATURES), and the energy of a beat in each stretch."""
    n, length = windows.raw.shape[0], windows.raw.shape[1]
    out = np.zeros((n, FEATURES))
    beat_mv = np.full(n, LEAST_ENERGY_MV)
    rest = np.ones(windows.energy.shape, dtype=np.bool_)
    reach = round(BEAT_REACH_S * windows.thin_hz)
    ratio = windows.thin_hz / windows.fs_hz
    for k, (first, stop) in enumerate(counted):
        begin = windows.start + k * length
        inside = windows.beats[first:stop] or windows.beats[max(0, stop - 1) : stop]
        a, b = bisect_left(windows.refused_at, begin), bisect_left(windows.refused_at, begin + length)
        out[k, 3] = max(-SCORE_LIMIT, *windows.refused_score[a:b], -SCORE_LIMIT)
        if not inside:
            continue
        energies = sorted(beat.energy for beat in inside)
        beat_mv[k] = max(energies[len(energies) // 2], 1e-6) if stop > first else inside[-1].level
        scores = sorted(min(beat.score, SCORE_LIMIT) for beat in inside)
        likes = sorted(beat.like for beat in inside)
        out[k, 0], out[k, 1] = scores[0], scores[len(scores) // 2]
        out[k, 2] = math.log(max(0.003, 1.0 - likes[len(likes) // 2]))
        for beat in windows.beats[max(0, first - 1) : stop]:
            at = int((beat.peak - begin) * ratio)
            rest[k, max(0, at - reach) : max(0, at + reach)] = False
    ordered = np.sort(windows.energy, axis=1)
    among = np.sort(np.where(rest, windows.energy, np.inf), axis=1)
    counts = rest.sum(axis=1)
    enough = counts >= 0.1 * windows.thin_hz
    row = np.arange(n)
    quartile = ordered[:, ordered.shape[1] // 4]
    upper = np.where(enough, among[row, np.where(enough, 3 * counts // 4, 0)], quartile)
    top = np.where(enough, among[row, np.where(enough, 19 * counts // 20, 0)], quartile)
    for column, value in ((4, quartile), (5, upper), (6, top)):
        out[:, column] = np.log(np.clip(value / beat_mv, 0.005, 10.0))
    out[:, 7] = np.log(np.clip(_wander(windows) / beat_mv, 0.1, 100.0))
    return out, beat_mv


# Fitted by benchmarks.qrs_quality.
NOISE_WEIGHTS = (0.5769, 0.2652, -0.1313, -0.3472, 0.166, -0.537, -0.2063, -0.2439)
NOISE_BIAS = -2.7713
GOOD_CHANCE = 0.9


def _index_of(chance: float) -> float:
    """0 to 1, with 0.5 where the chance is GOOD_CHANCE."""
    if chance < GOOD_CHANCE:
        return GOOD_INDEX * chance / GOOD_CHANCE
    return GOOD_INDEX + (1.0 - GOOD_INDEX) * (chance - GOOD_CHANCE) / (1.0 - GOOD_CHANCE)


def _score(value: float, clean: float, lost: float) -> float:
    return min(1.0, max(0.0, (lost - value) / (lost - clean)))


def _wander(windows: Windows) -> Floats:
    """From the lowest to the highest mean of the quarter seconds of each stretch, in mV."""
    rows = windows.thinned
    cell = max(1, min(round(BASELINE_CELL_S * windows.thin_hz), rows.shape[1]))
    cells = rows.shape[1] // cell
    means = rows[:, : cells * cell].reshape(len(rows), cells, cell).mean(axis=2)
    return np.asarray(np.ptp(means, axis=1), dtype=np.float64)


def _at_rails(raw: Floats) -> Floats:
    """The share of samples that repeat an extreme value, in a signal with enough steps to make that unusual."""
    low, high = raw.min(axis=1), raw.max(axis=1)
    out = np.zeros(len(raw))
    if raw.shape[1] < 3:
        return out
    steps = np.abs(raw[:, 1:] - raw[:, :-1])
    same = steps <= 1e-9
    held = same[:, 1:] & same[:, :-1]
    some = np.flatnonzero(held.any(axis=1))
    if len(some) == 0:
        return out
    steps, at, held = steps[some], raw[some, 2:], held[some]
    move = np.where(same[some], np.inf, steps).min(axis=1)
    low, high = low[some], high[some]
    stuck = np.maximum((held & (at == low[:, None])).sum(axis=1), (held & (at == high[:, None])).sum(axis=1))
    out[some] = np.where(np.isfinite(move) & (high - low >= CLIP_LEVELS * move), stuck / raw.shape[1], 0.0)
    return out
