"""How many of the short sequences of intervals look alike: what sample and approximate entropy count.

A sequence is taken only where its intervals touch. Alike means that no interval differs by more than the tolerance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LENGTH = 2  # m of Pincus 1991 and of Richman & Moorman 2000
TOLERANCE = 0.2  # r, in standard deviations of the intervals
MOST_INTERVALS = 10_000  # the work grows with the square: a night is no window for an entropy
# Intervals are told in steps, so differences of exactly r occur and must not hang on the last binary digit.
_EDGE = 1 + 1e-9
_CELLS = 1 << 22  # of the table of differences that is held at a time


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Templates:
    """For each sequence that there is, how many are like it, itself included.

    `twos`, `threes`: sequences of 2 among those of 2, of 3 among those of 3. `twos_before_third`: the first two
    intervals of each sequence of 3, among the first two of all of those.
    """

    twos: NDArray[np.int64]
    threes: NDArray[np.int64]
    twos_before_third: NDArray[np.int64]

    def __repr__(self) -> str:
        return f"<Templates n={len(self.twos)}>"


def count_templates(nn_ms: NDArray[np.float64], touches: NDArray[np.bool_]) -> Templates | None:
    """Over the intervals `nn_ms` (n,), where `touches` (n - 1,) says which follow one another.

    None of fewer than 3 or more than MOST_INTERVALS intervals.
    """
    n = len(nn_ms)
    if not LENGTH < n <= MOST_INTERVALS:
        return None
    within_ms = TOLERANCE * np.std(nn_ms, ddof=1) * _EDGE
    # In order of size, those near to an interval are neighbours: two small whole numbers say which.
    order = np.argsort(nn_ms, kind="stable")
    rank = np.empty(n, dtype=np.uint16)
    rank[order] = np.arange(n, dtype=np.uint16)
    lowest = np.searchsorted(nn_ms[order], nn_ms - within_ms, "left").astype(np.uint16)
    many = np.searchsorted(nn_ms[order], nn_ms + within_ms, "right").astype(np.uint16) - lowest
    of_two, of_three = touches, touches[:-1] & touches[1:]
    unbroken = bool(touches.all())
    twos, threes, before = (np.zeros(k, dtype=np.int64) for k in (n - 1, n - 2, n - 2))
    rows = max(1, _CELLS // n)
    for first in range(0, n - 1, rows):
        part = slice(first, first + rows + 2)
        near = rank[None, :] - lowest[part, None] < many[part, None]  # below the lowest it wraps around to many
        two = near[:-1, :-1] & near[1:, 1:]
        three = two[: len(near) - 2, :-1] & near[2:, 2:]
        if not unbroken:
            two &= of_two
            three &= of_three
        two, three = two[:rows], three[:rows]
        twos[first : first + len(two)] = np.count_nonzero(two, axis=1)
        threes[first : first + len(three)] = np.count_nonzero(three, axis=1)
        first_two = two[: len(three), :-1] if unbroken else two[: len(three), :-1] & of_three
        before[first : first + len(three)] = np.count_nonzero(first_two, axis=1)
    return Templates(twos[of_two], threes[of_three], before[of_three])
