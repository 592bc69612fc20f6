"""Atrial fibrillation that was told against what somebody annotated: beat by beat, by duration and by episode.

Episodes and durations are compared as ANSI/AAMI EC57:2012 asks and WFDB's `epicmp` does: an episode is found where any
of it was told, and false where none of it was there. Flutter is neither fibrillation nor its absence, so it is masked
and counted apart; so is ventricular flutter or fibrillation, which has no rhythm of beats. Nothing in the learning
period counts. Absence is None: where no fibrillation was annotated there is no sensitivity, not one of 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

AF = "(AFIB"
FLUTTER = "(AFL"
_MASKED = (FLUTTER, "(VFL", "(VF", "(VFIB")
DAY_NS = 24 * 3600 * 10**9

Span = tuple[int, int]  # [start, end) in ns


@dataclass(frozen=True, slots=True)
class AfTruth:
    """Spans of what was annotated, each list in order and apart; `annotated`: whether any rhythm was annotated at all.

    Outside `af` and `masked` there is no fibrillation. `masked` is all that does not count, `flutter` part of it.
    """

    af: tuple[Span, ...]
    masked: tuple[Span, ...]
    flutter: tuple[Span, ...]
    annotated: bool


@dataclass(frozen=True, slots=True)
class AfScore:
    """Counts of one record, or their sum over records; durations in ns.

    `tp` to `tn` count beats. A beat whose rhythm we left unknown counts as not told, and in `unknown` as well.
    """

    tp: int = 0
    fn: int = 0
    fp: int = 0
    tn: int = 0
    unknown: int = 0
    flutter_beats: int = 0
    flutter_told: int = 0
    episodes: int = 0  # annotated
    episodes_found: int = 0
    told: int = 0  # episodes that we told, without those in flutter alone
    told_true: int = 0
    af_ns: int = 0
    told_ns: int = 0
    both_ns: int = 0
    scored_ns: int = 0

    @property
    def sensitivity(self) -> float | None:
        """Of the beats in fibrillation those told, 0 to 1."""
        return _share(self.tp, self.tp + self.fn)

    @property
    def specificity(self) -> float | None:
        """Of the other beats those not told, 0 to 1."""
        return _share(self.tn, self.tn + self.fp)

    @property
    def positive_predictivity(self) -> float | None:
        """Of the beats told those in fibrillation, 0 to 1."""
        return _share(self.tp, self.tp + self.fp)

    @property
    def episode_sensitivity(self) -> float | None:
        return _share(self.episodes_found, self.episodes)

    @property
    def episode_positive_predictivity(self) -> float | None:
        return _share(self.told_true, self.told)

    @property
    def duration_sensitivity(self) -> float | None:
        return _share(self.both_ns, self.af_ns)

    @property
    def duration_positive_predictivity(self) -> float | None:
        return _share(self.both_ns, self.told_ns)

    @property
    def duration_specificity(self) -> float | None:
        other_ns = self.scored_ns - self.af_ns
        return _share(other_ns - (self.told_ns - self.both_ns), other_ns)

    @property
    def false_episodes_per_day(self) -> float | None:
        """False episodes in 24 h of what was scored."""
        return (self.told - self.told_true) / (self.scored_ns / DAY_NS) if self.scored_ns else None

    @property
    def reason(self) -> str | None:
        """Why there is nothing to score; None where something is."""
        return None if self.tp + self.fn + self.fp + self.tn else "no beat counts after the learning period"


FIGURES = (
    "sensitivity",
    "specificity",
    "positive_predictivity",
    "episode_sensitivity",
    "episode_positive_predictivity",
    "duration_sensitivity",
    "duration_positive_predictivity",
    "duration_specificity",
    "false_episodes_per_day",
)


def truth_of(times_ns: Sequence[int], rhythms: Sequence[str], end_ns: int) -> AfTruth:
    """From the moments of annotations and their texts ("(AFIB", "(N"; "" is none): each lasts until the next.

    What comes before the first is not known, and masked; where none is there at all, there is no fibrillation.
    """
    changes = [(t, text) for t, text in zip(times_ns, rhythms, strict=True) if text.startswith("(")]
    changes.sort(key=lambda change: change[0])
    if not changes:
        return AfTruth((), (), (), annotated=False)
    ends = [*(t for t, _ in changes[1:]), max(end_ns, changes[-1][0])]
    spans = [(start, end, text) for (start, text), end in zip(changes, ends, strict=True) if end > start]
    before = [(0, changes[0][0])] if changes[0][0] > 0 else []
    return AfTruth(
        af=_joined((start, end) for start, end, text in spans if text == AF),
        masked=_joined([*before, *((start, end) for start, end, text in spans if text in _MASKED)]),
        flutter=_joined((start, end) for start, end, text in spans if text == FLUTTER),
        annotated=True,
    )


def score_af(
    beats_ns: NDArray[np.int64],
    truth: AfTruth,
    told: Sequence[Span],
    known: Sequence[Span],
    end_ns: int,
    *,
    learning_ns: int = 0,
) -> AfScore:
    """Scores [learning_ns, end_ns): `told` are the spans we call fibrillation, `known` all that we tell a rhythm of."""
    told, known = _joined(told), _joined(known)
    scored = _minus([(learning_ns, end_ns)] if end_ns > learning_ns else [], truth.masked)
    beats_ns = np.sort(beats_ns)
    beats_ns = beats_ns[(beats_ns >= learning_ns) & (beats_ns < end_ns)]
    in_flutter = _inside(beats_ns, truth.flutter)
    counts = ~_inside(beats_ns, truth.masked)
    af, said = _inside(beats_ns, truth.af) & counts, _inside(beats_ns, told)
    reference = _and(truth.af, scored)
    ours = _and(told, scored)
    both = _and(reference, ours)
    # one that runs through a stretch masked in its middle is one episode, on either side
    episodes = [span for span in truth.af if _and([span], scored)]
    found = [span for span in episodes if _and(_and([span], scored), ours)]
    true = [span for span in told if _and([span], reference)]
    false = [
        span
        for span in told
        if _and([span], scored) and not _and([span], reference) and not _and([span], truth.flutter)
    ]
    return AfScore(
        tp=int(np.sum(af & said)),
        fn=int(np.sum(af & ~said)),
        fp=int(np.sum(counts & ~af & said)),
        tn=int(np.sum(counts & ~af & ~said)),
        unknown=int(np.sum(counts & ~_inside(beats_ns, known))),
        flutter_beats=int(np.sum(in_flutter)),
        flutter_told=int(np.sum(in_flutter & said)),
        episodes=len(episodes),
        episodes_found=len(found),
        told=len(true) + len(false),
        told_true=len(true),
        af_ns=_length(reference),
        told_ns=_length(ours),
        both_ns=_length(both),
        scored_ns=_length(scored),
    )


def gross(scores: Iterable[AfScore]) -> AfScore:
    """The sum over records: every beat, every second and every episode counts the same."""
    held = list(scores)
    return AfScore(**{field.name: sum(getattr(score, field.name) for score in held) for field in fields(AfScore)})


def average(scores: Sequence[AfScore], figure: str) -> tuple[float | None, int]:
    """(mean of `figure` over the records that have it, how many those are)."""
    values = [value for score in scores if (value := getattr(score, figure)) is not None]
    return (sum(values) / len(values) if values else None), len(values)


def interval(scores: Sequence[AfScore], figure: str, draws: int = 1000) -> tuple[float, float] | None:
    """95 % interval of the gross `figure`: records drawn again and again with replacement, the same draws every time.

    None for fewer than three records that the figure rests on.
    """
    if sum(getattr(score, figure) is not None for score in scores) < 3:
        return None
    rng = np.random.default_rng(0)
    values = [
        value
        for _ in range(draws)
        if (value := getattr(gross(scores[k] for k in rng.integers(0, len(scores), len(scores))), figure)) is not None
    ]
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _joined(spans: Iterable[Span]) -> tuple[Span, ...]:
    out: list[Span] = []
    for start, end in sorted(spans):
        if end <= start:
            continue
        if out and start <= out[-1][1]:
            out[-1] = (out[-1][0], max(out[-1][1], end))
        else:
            out.append((start, end))
    return tuple(out)


def _and(one: Sequence[Span], other: Sequence[Span]) -> list[Span]:
    out: list[Span] = []
    i = j = 0
    while i < len(one) and j < len(other):
        start, end = max(one[i][0], other[j][0]), min(one[i][1], other[j][1])
        if end > start:
            out.append((start, end))
        if one[i][1] < other[j][1]:
            i += 1
        else:
            j += 1
    return out


def _minus(one: Sequence[Span], other: Sequence[Span]) -> list[Span]:
    out: list[Span] = []
    for start, end in one:
        reached = start
        for low, high in other:
            if high <= reached or low >= end:
                continue
            if low > reached:
                out.append((reached, low))
            reached = max(reached, high)
        if end > reached:
            out.append((reached, end))
    return out


def _length(spans: Iterable[Span]) -> int:
    return sum(end - start for start, end in spans)


def _inside(times_ns: NDArray[np.int64], spans: Sequence[Span]) -> NDArray[np.bool_]:
    if not spans:
        return np.zeros(len(times_ns), dtype=np.bool_)
    at = np.searchsorted(np.array([start for start, _ in spans]), times_ns, "right") - 1
    ends = np.array([end for _, end in spans])
    return (at >= 0) & (times_ns < ends[np.maximum(at, 0)])
