"""What a window of RR intervals tells of its rhythm, as numbers that hold for any heart rate and any length of window.

Intervals are taken as they come, early beats and all: correcting them would make an irregular rhythm regular. Only
beside that is it asked how irregular they are once early beats are put back.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LEAST = 30  # intervals of the shortest window, and of the longest
WINDOW = 48

FEATURES = (
    "sample entropy, early beats put back",
    "sample entropy",
    "log of the median change to the next interval",
    "log of the least median change over lags 1 to 4",
    "log of the root mean square change, early beats put back",
    "share of turning points",
    "median interval",
    "share of intervals near the median",
    "share of large changes",
    "share of pairs of small changes",
    "correlation of one change with the next",
    "correlation of one interval with the next",
    "log of the spread from the 15th to the 85th percentile",
    "which way the distribution leans",
    "largest correlation of one interval with that 2 to 4 later",
    "how far the likest interval foretells the next: its error, in the mean difference of two intervals",
)
CUT = 4.0  # in spreads: what is further off is cut

_MATCH_S = 0.03  # two intervals match when closer than this (Lake & Moorman 2011, r = 30 ms)
_PAUSE = 0.05  # an early beat's pair of intervals replaces two usual ones when this close to them, as a share
_EARLY = 0.1  # and when its second interval is longer than its first by this share
_SLOWEST_S = 1.5  # median beyond which a slower heart tells no more
_FLOOR = 0.005  # of a log: a change so small is none
_SMALL, _LARGE = 0.04, 0.15  # changes, in medians

# Centre and spread of each feature over the windows that the net learned from (models/training/rhythm.py prints them).
_CENTRE = np.array(
    (
        -1.929,
        -1.895,
        -3.389,
        -3.504,
        -2.909,
        0.502,
        0.826,
        0.602,
        0.123,
        0.570,
        -0.182,
        0.422,
        -2.212,
        -0.039,
        0.402,
        0.704,
    )
)
_SPREAD = np.array(
    (0.658, 0.699, 0.946, 0.857, 1.020, 0.138, 0.164, 0.286, 0.228, 0.349, 0.328, 0.422, 0.900, 0.256, 0.287, 0.243)
)


def features(rr_s: Floats) -> Floats:
    """The FEATURES of LEAST to WINDOW intervals, oldest first: shape (16,), in spreads off their centre, cut at CUT."""
    return standardise(measures(rr_s))


def standardise(told: Floats) -> Floats:
    """Measures, shape (16,) or (n, 16), in spreads off their centre, cut at CUT."""
    return np.asarray(np.minimum(np.maximum((told - _CENTRE) / _SPREAD, -CUT), CUT))


def measures(rr_s: Floats) -> Floats:
    """As `features`, in their own units. Raises ValueError for another number of intervals, or one not above 0."""
    n = len(rr_s)
    if not LEAST <= n <= WINDOW:
        raise ValueError(f"{n} intervals, {LEAST} to {WINDOW} expected")
    ordered = np.sort(rr_s)
    if not (ordered[0] > 0 and ordered[-1] < math.inf):
        raise ValueError("an interval that is no number above 0 s, all above 0 expected")
    median_s = float(ordered[n // 2])
    apart_s = np.abs(rr_s[:, None] - rr_s)
    changes = [_middle(apart_s.diagonal(lag)) / median_s for lag in (1, 2, 3, 4)]
    entropy = _entropy(apart_s, rr_s)
    rel = rr_s / median_s
    step = rel[1:] - rel[:-1]
    square = float(step @ step) / (n - 1)
    even_s = put_back(rr_s)
    if even_s is None:
        even_entropy, even_square = entropy, square
    else:
        even_entropy = _entropy(np.abs(even_s[:, None] - even_s), even_s)
        even_step = (even_s[1:] - even_s[:-1]) / median_s
        even_square = float(even_step @ even_step) / (n - 1)
    before, after = step[:-1], step[1:]
    product = before * after
    size = np.abs(step)
    small = size < _SMALL
    off = rel - float(rel.sum()) / n
    power = float(off @ off) / n + 1e-5
    repeats = max(float(off[lag:] @ off[:-lag]) / (n - lag) for lag in (2, 3, 4)) / power
    low, lower, higher, high = (ordered[int(q * (n - 1))] / median_s for q in (0.1, 0.15, 0.85, 0.9))
    count = np.count_nonzero
    return np.array(
        (
            even_entropy,
            entropy,
            math.log(changes[0] + _FLOOR),
            math.log(min(changes) + _FLOOR),
            math.log(math.sqrt(even_square) + _FLOOR),
            count(product < 0) / (n - 2),
            min(median_s, _SLOWEST_S),
            count(np.abs(rel - 1) < _SMALL) / n,
            count(size > _LARGE) / (n - 1),
            count(small[:-1] & small[1:]) / (n - 2),
            float(product.sum()) / (n - 2) / (square + 1e-5),
            float(off[1:] @ off[:-1]) / (n - 1) / power,
            math.log(higher - lower + _FLOOR),
            (high + low - 2) / (high - low + 0.02),
            repeats,
            _foretold(apart_s),
        )
    )


def _foretold(apart_s: Floats) -> float:
    """Of each interval the likest other one is sought, and what followed that held to what followed this."""
    n = len(apart_s)
    others = apart_s[:-1, :-1].copy()
    others.flat[::n] = np.inf
    likest = others.argmin(axis=1)
    error_s = apart_s[np.arange(1, n), likest + 1]
    return float(error_s.sum()) / (n - 1) / (float(apart_s.sum()) / (n * (n - 1)) + 1e-3)


def put_back(rr_s: Floats) -> Floats | None:
    """Each early beat and its compensatory pause as two equal intervals; None where there is no such pair."""
    first, second = rr_s[1:-2], rr_s[2:-1]
    pair_s = (first + second) / 2
    usual_s = (rr_s[:-3] + rr_s[3:]) / 2
    hits = (second - first > _EARLY * pair_s) & (np.abs(pair_s - usual_s) < _PAUSE * usual_s)
    if not hits.any():
        return None
    hits[1:] &= ~hits[:-1]
    at = np.flatnonzero(hits)
    even_s = rr_s.copy()
    even_s[at + 1] = even_s[at + 2] = pair_s[at]
    return even_s


def _middle(values: Floats) -> float:
    return float(np.sort(values)[len(values) // 2])


def _entropy(apart_s: Floats, rr_s: Floats) -> float:
    """Coefficient of sample entropy: -ln(A / B) + ln(2 r) - ln(mean RR), m = 1, over all pairs; A is at least 1/2.

    D. E. Lake and J. R. Moorman 2011, Am J Physiol Heart Circ Physiol 300:H319.
    """
    n = len(rr_s)
    alike = apart_s < _MATCH_S
    head = alike[:-1, :-1]
    ones = (int(np.count_nonzero(head)) - (n - 1)) / 2
    twos = (int(np.count_nonzero(head & alike[1:, 1:])) - (n - 1)) / 2
    return math.log(max(ones, 1) / max(twos, 0.5)) + math.log(2 * _MATCH_S * n / float(rr_s.sum()))
