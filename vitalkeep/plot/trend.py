"""Values over time as a picture can show them: thinned to its width, extremes kept, broken where nothing is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, repr=False)
class Trend:
    """Points in order of time, all finite. `runs`: [first, last) of the points that may be joined by a line.

    Where values were thinned, a point is the median of its column of time, `low` and `high` the extremes in it.
    """

    t_s: Floats
    low: Floats
    middle: Floats
    high: Floats
    runs: tuple[tuple[int, int], ...]
    thinned: bool

    def __repr__(self) -> str:
        return f"<Trend n={len(self.t_s)}>"

    def __len__(self) -> int:
        return len(self.t_s)


def trend(points: Sequence[tuple[float, float | None]], end_s: float, most: int, apart_s: float) -> Trend:
    """`points`: (time in s, value or None where it is not known) in order of time, from 0 to `end_s`.

    At most `most` points come out. Two values are joined unless one that is not known, or more than `apart_s`, lies
    between them; thinned, unless a column between them has none.
    """
    if len(points) <= most:
        return _as_they_are(points, apart_s)
    known = [(t_s, value) for t_s, value in points if value is not None]
    t_s = np.array([t for t, _ in known], dtype=np.float64)
    values = np.array([value for _, value in known], dtype=np.float64)
    bounds = np.searchsorted(t_s, np.linspace(0.0, end_s, most + 1))
    bounds[-1] = len(t_s)
    columns = [k for k in range(most) if bounds[k + 1] > bounds[k]]
    parts = [values[bounds[k] : bounds[k + 1]] for k in columns]
    middle_s = (np.array(columns, dtype=np.float64) + 0.5) * end_s / most
    breaks = [at for at in range(1, len(columns)) if columns[at] != columns[at - 1] + 1]
    return Trend(
        middle_s,
        np.array([part.min() for part in parts]),
        np.array([np.median(part) for part in parts]),
        np.array([part.max() for part in parts]),
        _runs(len(columns), breaks),
        True,
    )


def _as_they_are(points: Sequence[tuple[float, float | None]], apart_s: float) -> Trend:
    t_s: list[float] = []
    values: list[float] = []
    breaks: list[int] = []
    broken = False
    for at_s, value in points:
        if value is None:
            broken = True
            continue
        if t_s and (broken or at_s - t_s[-1] > apart_s):
            breaks.append(len(t_s))
        broken = False
        t_s.append(at_s)
        values.append(value)
    drawn = np.array(values, dtype=np.float64)
    return Trend(np.array(t_s, dtype=np.float64), drawn, drawn, drawn, _runs(len(t_s), breaks), False)


def _runs(n: int, breaks: Sequence[int]) -> tuple[tuple[int, int], ...]:
    edges = [0, *breaks, n]
    return tuple((first, last) for first, last in pairwise(edges) if last > first)


def shares(spans: Sequence[tuple[float, float, float]], end_s: float, most: int) -> tuple[Floats, Floats]:
    """(edges in s, n + 1; share of each column, n): how much of a column the spans (start_s, end_s, weight) cover.

    `weight` is the share of the span that counts, 0 to 1.
    """
    edges = np.linspace(0.0, end_s, most + 1)
    width_s = end_s / most if end_s > 0 else 1.0
    covered = np.zeros(most)
    for start_s, stop_s, weight in spans:
        first = max(0, min(most - 1, int(start_s / width_s)))
        last = max(first, min(most - 1, int(np.ceil(stop_s / width_s)) - 1))
        for column in range(first, last + 1):
            inside_s = min(stop_s, edges[column + 1]) - max(start_s, edges[column])
            covered[column] += weight * max(0.0, inside_s)
    return edges, np.clip(covered / width_s, 0.0, 1.0)
