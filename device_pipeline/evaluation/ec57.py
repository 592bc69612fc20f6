"""Beat-by-beat comparison of a detector with a reference, as ANSI/AAMI EC57:2012 asks and WFDB's `bxb` does.

Each beat is paired at most once, with the nearest beat of the other side inside the match window, and only where that
partner has no nearer one. Nothing in the learning period and nothing in ventricular flutter or fibrillation counts.
Absence is None with a reason: a record with nothing to score has no sensitivity, not one of 0.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MATCH_WINDOW_S = 0.150
LEARNING_PERIOD_S = 300.0
_FLUTTER_RHYTHMS = ("(VFL", "(VF", "(VFIB")


@dataclass(frozen=True, slots=True)
class BeatScore:
    """Counts of one record, or their sum over records, with the timing of the pairs (test minus reference).

    `reason` says why there is nothing to score; it is None where something was.
    """

    tp: int
    fn: int
    fp: int
    error_sum_s: float
    error_sq_sum_s2: float
    reason: str | None = None

    @property
    def sensitivity(self) -> float | None:
        """TP / (TP + FN), 0 to 1; None without reference beats."""
        return self.tp / (self.tp + self.fn) if self.tp + self.fn else None

    @property
    def positive_predictivity(self) -> float | None:
        """TP / (TP + FP), 0 to 1; None without test beats."""
        return self.tp / (self.tp + self.fp) if self.tp + self.fp else None

    @property
    def f1(self) -> float | None:
        """2 TP / (2 TP + FN + FP), 0 to 1; None where nothing was there to find and nothing was found."""
        total = 2 * self.tp + self.fn + self.fp
        return 2 * self.tp / total if total else None

    @property
    def mean_error_ms(self) -> float | None:
        return 1e3 * self.error_sum_s / self.tp if self.tp else None

    @property
    def rms_error_ms(self) -> float | None:
        return 1e3 * math.sqrt(self.error_sq_sum_s2 / self.tp) if self.tp else None

    @property
    def sd_error_ms(self) -> float | None:
        """Sample standard deviation (n − 1); None with fewer than two pairs."""
        if self.tp < 2:
            return None
        spread = self.error_sq_sum_s2 - self.error_sum_s**2 / self.tp
        return 1e3 * math.sqrt(max(0.0, spread) / (self.tp - 1))


@dataclass(frozen=True, slots=True)
class Average:
    """Means over records of each figure; records that have no such figure are left out of it."""

    records: int
    sensitivity: float | None
    positive_predictivity: float | None
    f1: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Which beats count, as indices: `of_reference` and `of_test` are the pairs, `missed` (of the reference) and
    `extra` (of the test) what has no partner. `reason` says why nothing can count; None where something may.
    """

    of_reference: NDArray[np.intp]
    of_test: NDArray[np.intp]
    missed: NDArray[np.intp]
    extra: NDArray[np.intp]
    reason: str | None = None


def compare_beats(
    reference: NDArray[np.int64],
    test: NDArray[np.int64],
    fs_hz: float,
    *,
    window_s: float = MATCH_WINDOW_S,
    learning_s: float = LEARNING_PERIOD_S,
    end_sample: int | None = None,
    excluded: Sequence[tuple[int, int]] = (),
) -> Comparison:
    """Pairs `test` beats with `reference` beats, both sample numbers at `fs_hz`, rising.

    Pairs are made over the whole record, then those whose reference beat lies in the learning period, in `excluded`
    ([start, end] samples, both inside) or after `end_sample` are set aside with every unpaired beat that lies there:
    a beat at the border is judged with its partner.
    """
    if not (math.isfinite(fs_hz) and fs_hz > 0 and window_s >= 0 and learning_s >= 0):
        raise ValueError(f"rate {fs_hz} Hz, window {window_s} s, learning {learning_s} s: expected a rate above 0")
    start = math.ceil(learning_s * fs_hz)
    end = (
        end_sample if end_sample is not None else max((int(a[-1]) + 1 for a in (reference, test) if len(a)), default=0)
    )
    if end <= start:
        none = np.empty(0, dtype=np.intp)
        why = f"the record lasts {end / fs_hz:.0f} s, the learning period alone {learning_s:.0f} s"
        return Comparison(none, none, none, none, why)
    steady = np.flatnonzero(_outside(reference, excluded))
    of_steady, of_test = pair_beats(reference[steady], test, math.floor(window_s * fs_hz + 1e-9))
    of_reference = steady[of_steady]
    missed = np.delete(steady, of_steady)
    extra = np.delete(np.arange(len(test)), of_test)
    extra = extra[_outside(test[extra], excluded)]

    def counted(at: NDArray[np.int64]) -> NDArray[np.bool_]:
        return np.asarray((at >= start) & (at < end))

    counts = counted(reference[of_reference])
    of_reference, of_test = of_reference[counts], of_test[counts]
    missed, extra = missed[counted(reference[missed])], extra[counted(test[extra])]
    any_counts = len(of_reference) + len(missed) + len(extra)
    reason = None if any_counts else f"no beat of either side counts after the first {learning_s:.0f} s"
    return Comparison(of_reference, of_test, missed, extra, reason)


def score_beats(
    reference: NDArray[np.int64],
    test: NDArray[np.int64],
    fs_hz: float,
    *,
    window_s: float = MATCH_WINDOW_S,
    learning_s: float = LEARNING_PERIOD_S,
    end_sample: int | None = None,
    excluded: Sequence[tuple[int, int]] = (),
) -> BeatScore:
    """Scores `test` beats against `reference` beats, in any order; else as `compare_beats`."""
    reference, test = np.sort(reference), np.sort(test)
    found = compare_beats(
        reference,
        test,
        fs_hz,
        window_s=window_s,
        learning_s=learning_s,
        end_sample=end_sample,
        excluded=excluded,
    )
    return beat_score(reference, test, found, fs_hz)


def beat_score(reference: NDArray[np.int64], test: NDArray[np.int64], found: Comparison, fs_hz: float) -> BeatScore:
    """The counts of a comparison of these beats."""
    error_s = (test[found.of_test] - reference[found.of_reference]) / fs_hz
    return BeatScore(
        len(found.of_test),
        len(found.missed),
        len(found.extra),
        float(error_s.sum()),
        float((error_s**2).sum()),
        found.reason,
    )


def pair_beats(
    reference: NDArray[np.int64], test: NDArray[np.int64], window: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Indices (into reference, into test) of the pairs, both rising; inputs sorted, `window` in samples, inclusive.

    Walks both in time as `bxb` does: the earlier of the two next beats takes the other if it is inside the window and
    the beat that follows the earlier one is not nearer to it; otherwise the earlier one stays alone.
    """
    ref: list[int] = reference.tolist()
    tst: list[int] = test.tolist()
    of_reference: list[int] = []
    of_test: list[int] = []
    i = j = 0
    n, m = len(ref), len(tst)
    while i < n and j < m:
        distance = tst[j] - ref[i]
        if distance < 0:  # the test beat is the earlier one
            if -distance <= window and (j + 1 >= m or abs(tst[j + 1] - ref[i]) >= -distance):
                of_reference.append(i)
                of_test.append(j)
                i += 1
            j += 1
        else:
            if distance <= window and (i + 1 >= n or abs(ref[i + 1] - tst[j]) >= distance):
                of_reference.append(i)
                of_test.append(j)
                j += 1
            i += 1
    return np.array(of_reference, dtype=np.intp), np.array(of_test, dtype=np.intp)


def flutter_segments(
    samples: NDArray[np.int64], symbols: Sequence[str], aux: Sequence[str], end_sample: int | None = None
) -> list[tuple[int, int]]:
    """[start, end] of ventricular flutter and fibrillation, both inside; one left open lasts to the end.

    `[` and `]` bound a segment; so does a rhythm `(VFL`, `(VF` or `(VFIB` until `]` or the next rhythm.
    """
    last = end_sample if end_sample is not None else (int(samples.max()) if len(samples) else 0)
    segments: list[tuple[int, int]] = []
    opened: int | None = None
    bracket = False
    for sample, symbol, text in zip(samples.tolist(), symbols, aux, strict=True):
        if symbol == "[":
            bracket = True
            opened = sample if opened is None else opened
        elif symbol == "]":
            if opened is not None:
                segments.append((opened, sample))
            opened, bracket = None, False
        elif symbol == "+":
            if text.rstrip("\0 ") in _FLUTTER_RHYTHMS:
                opened = sample if opened is None else opened
            elif opened is not None and not bracket:
                segments.append((opened, sample - 1))
                opened = None
    if opened is not None:
        segments.append((opened, last))
    return segments


def gross(scores: Iterable[BeatScore]) -> BeatScore:
    """Every beat of every record counts the same: the figures of the summed counts."""
    scores = list(scores)
    total = BeatScore(
        sum(s.tp for s in scores),
        sum(s.fn for s in scores),
        sum(s.fp for s in scores),
        math.fsum(s.error_sum_s for s in scores),
        math.fsum(s.error_sq_sum_s2 for s in scores),
    )
    if total.tp + total.fn + total.fp:
        return total
    return BeatScore(0, 0, 0, 0.0, 0.0, "no record has anything to score" if scores else "no record")


def average(scores: Iterable[BeatScore]) -> Average:
    """Every record counts the same: the mean of the records' figures."""
    scored = [s for s in scores if s.reason is None]
    return Average(
        len(scored),
        _mean(s.sensitivity for s in scored),
        _mean(s.positive_predictivity for s in scored),
        _mean(s.f1 for s in scored),
    )


def _mean(values: Iterable[float | None]) -> float | None:
    present = [v for v in values if v is not None]
    return math.fsum(present) / len(present) if present else None


def _outside(at: NDArray[np.int64], segments: Sequence[tuple[int, int]]) -> NDArray[np.bool_]:
    keep = np.ones(len(at), dtype=bool)
    for start, end in segments:
        keep &= (at < start) | (at > end)
    return keep
