"""Says of every interval whether it is normal-to-normal, and leaves out what is not: nothing is interpolated.

A pure function of the intervals it is given, so a window's values depend on nothing outside the window.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from device_pipeline.beat import Beat, BeatLabel
from device_pipeline.nn_series import NnSeries

# The adaptive thresholds of Lipponen & Tarvainen 2019; intervals are left out, not moved, and the threshold is capped.
METHOD = "lipponen-tarvainen-2019/leave-out-2"

SHORTEST_S = 0.25  # 240 bpm: shorter is a double detection, or a rhythm for which NN has no meaning
LONGEST_S = 3.0  # longer is a gap in what was recorded, not one interval

_SPREAD_OF = 91  # differences that the threshold is taken from (2019, eq. 1)
_MEDIAN_OF = 11  # intervals that the local median is taken from (2019, eq. 3)
_C1, _C2 = 0.13, 0.17  # how far a difference must turn back to be an ectopic beat (2019, fig. 1)
_FAR = 3.0  # this many thresholds off the median, an interval is not normal whatever its neighbours (2019, fig. 2)

# Not in the paper. Where breathing has just slowed the heart or quickened it, an early beat is a smaller step from its
# neighbour; this share of the limit is enough where it is also this many limits below the median.
_EARLY_STEP, _EARLY_OFF = 0.6, 1.3
# Not in the paper. A sinus node that quickens in one beat rests there or quickens on; after an early beat the next
# interval is whole again, so at least this share of the step must be taken back.
_BACK = 0.5
_FEW = 0.03  # share of intervals left out above which the judgement is made a second time
_ROWS = 4096  # of the table of neighbours that is held at a time
_LONGEST_RUN = 4  # ectopic beats in a row; a longer run is a rhythm of its own


@dataclass(frozen=True, slots=True)
class Rule:
    """How far a difference must stand out: `alpha` times the quartile deviation of those around it (2019, eq. 1).

    The bounds are not in the paper. `least`, in medians of the interval: below it the sinus node of a healthy sleeper
    turns from one beat to the next, and such steps are rare enough to stand out at any spread; no early beat that
    is less early moves a value much. `most`, likewise: where ectopic beats are frequent they widen the spread
    until none stands out, and so does breathing in a young heart.
    """

    alpha: float
    least: float
    most: float


# The paper has 5.2, 99.95 % of normally distributed differences. This and the bounds were chosen on sinus rhythm of
# NSRDB with beats moved, added and taken away; `python -m benchmarks.hrv` chooses again with each person left out.
RULE = Rule(alpha=4.5, least=0.13, most=0.22)


class IntervalKind(StrEnum):
    NORMAL = "normal"  # between two normal beats
    ECTOPIC = "ectopic"  # begins or ends at a beat that came early or late
    MISSED = "missed"  # a beat within it was not found
    EXTRA = "extra"  # begins or ends at something that was no beat
    IMPOSSIBLE = "impossible"  # shorter than 0.25 s or longer than 3 s
    ABSENT = "absent"  # no interval could be formed


@dataclass(frozen=True, slots=True, repr=False)
class Intervals:
    """`nn_ms`: the normal-to-normal intervals; `gap_ms[k]`: the time between `nn_ms[k]` and the one before it, 0 where
    it directly follows that one.

    `kinds` has one entry for each beat. `corrected_pct` is the share of intervals left out, None without any interval.
    """

    kinds: tuple[IntervalKind, ...]
    nn_ms: tuple[float, ...]
    gap_ms: tuple[float, ...]
    corrected_pct: float | None
    method: str = METHOD

    @property
    def follows(self) -> tuple[bool, ...]:
        """For each NN interval whether it directly follows the one before; the first follows none."""
        return tuple(k > 0 and gap_ms == 0 for k, gap_ms in enumerate(self.gap_ms))

    def series(self) -> NnSeries:
        return NnSeries(np.array(self.nn_ms, dtype=np.float64), np.array(self.gap_ms, dtype=np.float64))

    def __repr__(self) -> str:
        return f"<Intervals n={len(self.nn_ms)}>"


def classify(rr_s: Sequence[float | None], rule: Rule = RULE) -> list[IntervalKind]:
    """The kind of each interval; None stands where none could be formed, and nothing is compared across it."""
    kinds: list[IntervalKind] = []
    stretch: list[float] = []
    for rr in rr_s:
        if rr is not None and rr <= LONGEST_S:
            stretch.append(rr)
            continue
        kinds += _classify_stretch(stretch, rule)
        stretch = []
        kinds.append(IntervalKind.ABSENT if rr is None else IntervalKind.IMPOSSIBLE)
    return kinds + _classify_stretch(stretch, rule)


def normal_intervals(beats: Sequence[Beat], rule: Rule = RULE) -> Intervals:
    """The NN intervals among the intervals that end at `beats`, which come in order of time.

    An interval is left out for its timing, or because one of its two beats is labelled supraventricular, ventricular
    or fusion. A beat labelled Q (paced, unclassified) is judged by its timing alone.
    """
    kinds = classify([beat.rr_s for beat in beats], rule)
    for k, beat in enumerate(beats):
        if beat.label in _ECTOPIC_LABELS:
            for touched in (k, k + 1):
                if touched < len(kinds) and kinds[touched] is IntervalKind.NORMAL:
                    kinds[touched] = IntervalKind.ECTOPIC
    nn_ms: list[float] = []
    gap_ms: list[float] = []
    before: IntervalKind | None = None
    ended_ns = 0
    formed = 0
    for beat, kind in zip(beats, kinds, strict=True):
        formed += beat.rr_s is not None
        if kind is IntervalKind.NORMAL and beat.rr_s is not None:
            # the clock of the intervals and that of the beats are not one clock: what was left out took some time
            hole_ms = max((beat.t_ns - ended_ns) / 1e6 - beat.rr_s * 1000.0, 1.0) if nn_ms else 0.0
            nn_ms.append(beat.rr_s * 1000.0)
            gap_ms.append(0.0 if before is IntervalKind.NORMAL else hole_ms)
            ended_ns = beat.t_ns
        before = kind
    corrected_pct = 100.0 * (formed - len(nn_ms)) / formed if formed else None
    return Intervals(tuple(kinds), tuple(nn_ms), tuple(gap_ms), corrected_pct)


_ECTOPIC_LABELS = frozenset({BeatLabel.S, BeatLabel.V, BeatLabel.F})


def _classify_stretch(rr_s: list[float], rule: Rule) -> list[IntervalKind]:
    """Intervals that touch, none longer than a gap."""
    n = len(rr_s)
    if n < 3:
        return [IntervalKind.IMPOSSIBLE if rr < SHORTEST_S else IntervalKind.NORMAL for rr in rr_s]
    rr = np.array(rr_s)
    kinds = _judge(rr_s, rr, rule)
    normal = np.array([kind is IntervalKind.NORMAL for kind in kinds])
    if n * _FEW < n - np.count_nonzero(normal) < n:
        # where many are left out they also moved the medians and thresholds: judge once more against what remained
        at = np.arange(n)
        kinds = _judge(rr_s, np.interp(at, at[normal], rr[normal]), rule)
    return [IntervalKind.IMPOSSIBLE if rr < SHORTEST_S else kind for rr, kind in zip(rr_s, kinds, strict=True)]


def _judge(rr_s: list[float], usual: NDArray[np.float64], rule: Rule) -> list[IntervalKind]:
    """Judges each interval against the medians and the spread of the intervals `usual`."""
    n = len(rr_s)
    kinds = [IntervalKind.NORMAL] * n
    median_s = _running(usual, _MEDIAN_OF, (0.5,))[0]
    medians = median_s.tolist()
    # the first is compared with the median, as if a usual interval went before
    steps = [rr - before for rr, before in zip(rr_s, medians[:1] + rr_s[:-1], strict=True)]
    step_limit = _threshold(np.diff(usual, prepend=median_s[0]), median_s, rule).tolist()
    off_limit = _threshold(usual - median_s, median_s, rule).tolist()

    k = 0
    while k < n:
        first, last, kind = k, k - 1, IntervalKind.ECTOPIC
        # after something left out, the next is compared with the median in place of it
        step = steps[k] if k == 0 or kinds[k - 1] is IntervalKind.NORMAL else rr_s[k] - medians[k]
        limit, about, median = step_limit[k], off_limit[k], medians[k]
        far = abs(rr_s[k] - median) > _FAR * about
        both = step < -_EARLY_STEP * limit and rr_s[k] - median < -_EARLY_OFF * about
        if step < -limit or both or (far and rr_s[k] < median):
            before = rr_s[k - 1] if k and kinds[k - 1] is IntervalKind.NORMAL else median
            if abs(before + rr_s[k] - median) < about:
                first, last, kind = k - 1, k, IntervalKind.EXTRA
            else:
                last, kind = _end_of_early(rr_s, k, median, limit, about)
        elif step > limit or (far and rr_s[k] > median):
            turn = _C1 * step + _C2 * limit
            ahead = rr_s[k + 1] if k + 1 < n else median
            if far or ahead - rr_s[k] < -turn:
                last = k
                if k and kinds[k - 1] is IntervalKind.NORMAL and steps[k - 1] < -turn and rr_s[k - 1] < median:
                    first = k - 1  # a beat only a little early shows in the pause after it
                elif abs(rr_s[k] / 2 - median) < about:
                    kind = IntervalKind.MISSED
        for left_out in range(first, last + 1):
            kinds[left_out] = kind
        k = max(last, k) + 1
    return kinds


def _end_of_early(
    rr_s: list[float], k: int, median_s: float, limit_s: float, about_s: float
) -> tuple[int, IntervalKind]:
    """The last interval to leave out when `k` is the first that ends early, and why.

    A run of early beats ends with the interval that begins at its last. k - 1 if the intervals stay short: then the
    heart rate changed, and no beat was early.
    """
    n = len(rr_s)
    if k + 1 < n and abs(rr_s[k] + rr_s[k + 1] - median_s) < about_s:
        return k + 1, IntervalKind.EXTRA
    turn = max((_C1 + _C2) * limit_s, _BACK * (median_s - rr_s[k]))
    for at in range(k + 1, min(k + 1 + _LONGEST_RUN, n)):
        if rr_s[at] - rr_s[at - 1] > turn and rr_s[at] > median_s - limit_s:
            return at, IntervalKind.ECTOPIC
    return (n - 1 if n - k <= _LONGEST_RUN else k - 1), IntervalKind.ECTOPIC


def _threshold(values: NDArray[np.float64], median_s: NDArray[np.float64], rule: Rule) -> NDArray[np.float64]:
    low, high = _running(values, _SPREAD_OF, (0.25, 0.75))
    return np.clip(rule.alpha * (high - low) / 2, rule.least * median_s, rule.most * median_s)


def _running(values: NDArray[np.float64], width: int, at: tuple[float, ...]) -> list[NDArray[np.float64]]:
    """Order statistics of the `width` values nearest to each; at the ends of the first and last `width`."""
    n = len(values)
    width = min(width, n)
    rows = np.lib.stride_tricks.sliding_window_view(values, width)
    ranks = [round(q * (width - 1)) for q in at]
    # some rows at a time: all those of a day would take a hundred megabytes
    # (sorting whole rows takes less than a partition by two ranks)
    parts = [np.sort(rows[k : k + _ROWS], axis=1)[:, ranks] for k in range(0, len(rows), _ROWS)]
    ordered = np.concatenate(parts)
    nearest = np.clip(np.arange(n) - width // 2, 0, n - width)
    return [ordered[nearest, k] for k in range(len(ranks))]
