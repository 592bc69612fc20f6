"""The beat-by-beat table of ANSI/AAMI EC57:2012 and what it says of ventricular (V) and supraventricular (S) beats.

Rows are what the reference says, columns what the test says; O stands where the other side has no beat, X where the
other side has none because it says that nothing can be read there. What may rightly be taken for V is no false V: a
fusion beat (F) is half one, and what is unclassifiable or paced (Q) may be one. For S that holds of Q alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from device_pipeline.beat import BeatLabel
from device_pipeline.evaluation.ec57 import Comparison

ROWS = COLUMNS = (*BeatLabel, "O", "X")
_CLASSES = len(BeatLabel)
_O, _X = _CLASSES, _CLASSES + 1
# The labels of the reference that are not counted against a class where the test takes them for it.
EXCUSED: dict[BeatLabel, frozenset[BeatLabel]] = {
    BeatLabel.V: frozenset({BeatLabel.F, BeatLabel.Q}),
    BeatLabel.S: frozenset({BeatLabel.Q}),
}

FIGURES = ("sensitivity", "positive_predictivity", "false_positive_rate", "f1")
DRAWS = 2000
LEAST_RECORDS = 5  # with fewer the spread over them says little


@dataclass(frozen=True, slots=True)
class ClassScore:
    """How well one class of beats is told. A figure is None where it has nothing to stand on."""

    tp: int
    fn: int
    fp: int
    tn: int

    @property
    def sensitivity(self) -> float | None:
        """TP / (TP + FN), 0 to 1; None where the reference has no such beat."""
        return self.tp / (self.tp + self.fn) if self.tp + self.fn else None

    @property
    def positive_predictivity(self) -> float | None:
        """TP / (TP + FP), 0 to 1; None where the test claims no such beat."""
        return self.tp / (self.tp + self.fp) if self.tp + self.fp else None

    @property
    def false_positive_rate(self) -> float | None:
        """FP / (FP + TN), 0 to 1; None where the test has no beat that could be a false one."""
        return self.fp / (self.fp + self.tn) if self.fp + self.tn else None

    @property
    def f1(self) -> float | None:
        """2 TP / (2 TP + FN + FP), 0 to 1; None where there is no such beat on either side."""
        total = 2 * self.tp + self.fn + self.fp
        return 2 * self.tp / total if total else None


@dataclass(frozen=True, slots=True, eq=False)
class BeatTable:
    """`counts`: int64, shape (7, 7), rows and columns in the order of ROWS; nothing stands where neither has a beat.

    `labelled`: whether the test says of any beat of its own what kind it is.
    """

    counts: NDArray[np.int64]
    labelled: bool = True

    def of(self, label: BeatLabel) -> ClassScore:
        """The figures of `label`, V or S."""
        at = ROWS.index(label)
        excused = [ROWS.index(other) for other in EXCUSED[label]]
        tp = int(self.counts[at, at])
        fp = int(self.counts[:, at].sum() - tp - self.counts[excused, at].sum())
        others = [column for column in range(_CLASSES) if column != at]
        tn = int(self.counts[:, others].sum() - self.counts[at, others].sum())
        return ClassScore(tp, int(self.counts[at].sum()) - tp, fp, tn)

    def reason(self, label: BeatLabel) -> str | None:
        """Why a figure of `label` is None; None where all of them stand."""
        score = self.of(label)
        if not self.labelled:
            return "the beats found have no labels"
        if score.tp + score.fn == 0:
            return f"the reference has no {label} beat that counts"
        return f"no beat is called {label}" if score.positive_predictivity is None else None

    def rows(self) -> dict[str, dict[str, int]]:
        """By label of the reference, then by label of the test."""
        return {
            row: {column.lower(): int(n) for column, n in zip(COLUMNS, line, strict=True)}
            for row, line in zip(ROWS, self.counts, strict=True)
        }


def beat_table(
    reference: NDArray[np.int64],
    reference_labels: Sequence[BeatLabel],
    test: NDArray[np.int64],
    test_labels: Sequence[BeatLabel | None],
    found: Comparison,
    *,
    unreadable: Sequence[tuple[int, int]] = (),
    unread: Sequence[tuple[int, int]] = (),
) -> BeatTable:
    """The table of beats that were compared; labels stand beside the sample numbers.

    A beat of the test without a label is one that it could not classify, Q. `unreadable` and `unread` are [start, end]
    samples, both inside, in which the reference, and the test, say that nothing can be read.
    """
    rows = np.array([ROWS.index(label) for label in reference_labels], dtype=np.intp)
    columns = np.array([COLUMNS.index(label or BeatLabel.Q) for label in test_labels], dtype=np.intp)
    counts = np.zeros((len(ROWS), len(COLUMNS)), dtype=np.int64)
    np.add.at(counts, (rows[found.of_reference], columns[found.of_test]), 1)
    np.add.at(counts, (rows[found.missed], _absent(reference[found.missed], unread)), 1)
    np.add.at(counts, (_absent(test[found.extra], unreadable), columns[found.extra]), 1)
    return BeatTable(counts, any(label is not None for label in test_labels))


def gross_table(tables: Iterable[BeatTable]) -> BeatTable:
    """Every beat of every record counts the same."""
    tables = list(tables)
    total = np.zeros((len(ROWS), len(COLUMNS)), dtype=np.int64)
    for table in tables:
        total += table.counts
    return BeatTable(total, any(table.labelled for table in tables))


def gross_score(scores: Iterable[ClassScore]) -> ClassScore:
    """The figures of the summed counts."""
    scores = list(scores)
    return ClassScore(*(sum(getattr(score, name) for score in scores) for name in ("tp", "fn", "fp", "tn")))


def average_score(scores: Iterable[ClassScore]) -> dict[str, float | None]:
    """Mean of each of FIGURES over the records that have it; None where none has."""
    scores = list(scores)
    means: dict[str, float | None] = {}
    for name in FIGURES:
        known = [value for score in scores if (value := getattr(score, name)) is not None]
        means[name] = math.fsum(known) / len(known) if known else None
    return means


def gross_spread(scores: Sequence[ClassScore]) -> dict[str, tuple[float, float] | None]:
    """95 % interval of each gross figure over the records: drawn anew, with replacement, DRAWS times.

    Beats of one record are no independent trials, so the records are what is drawn. None below LEAST_RECORDS.
    """
    if len(scores) < LEAST_RECORDS:
        return dict.fromkeys(FIGURES)
    counts = np.array([(score.tp, score.fn, score.fp, score.tn) for score in scores])
    drawn = np.random.default_rng(0).integers(len(scores), size=(DRAWS, len(scores)))
    totals = [ClassScore(*row) for row in counts[drawn].sum(axis=1).tolist()]
    spread: dict[str, tuple[float, float] | None] = {}
    for name in FIGURES:
        values = [value for total in totals if (value := getattr(total, name)) is not None]
        if not values or getattr(gross_score(scores), name) is None:
            spread[name] = None
            continue
        low, high = np.percentile(values, (2.5, 97.5))
        spread[name] = float(low), float(high)
    return spread


def _absent(at: NDArray[np.int64], segments: Sequence[tuple[int, int]]) -> NDArray[np.intp]:
    shut = np.zeros(len(at), dtype=bool)
    for start, end in segments:
        shut |= (at >= start) & (at <= end)
    return np.where(shut, _X, _O).astype(np.intp)
