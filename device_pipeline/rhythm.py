"""Tells stretches of irregular rhythm that can be atrial fibrillation, from RR intervals alone; it is no diagnosis.

Beats are used as they come: correcting intervals would make an irregular rhythm regular. Where there are too few
intervals the rhythm is unknown, and no span covers it. Decided beat by beat, so it cannot depend on how input is cut.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from device_pipeline.beat import Beat
from sensors.samples import Gap

WINDOW = 48  # intervals that one judgement sees; it stands for the beat in their middle
LEAST = 32  # intervals for the first judgement of a stretch; every measure is per interval, so the score holds
STEP = 4  # intervals between judgements
LONGEST_RR_S = 3.0  # longer is a gap in what was recorded
BRIDGE_NS = 15 * 10**9  # an absence up to this long does not end a stretch: the heart's rhythm went on
# With every person left out of the fit that judged them: AFDB (12 records, flutter masked) 99.2 % of the beats in
# fibrillation and 99.1 % of the others called right, NSRDB (9 days) no false episode, MIT-BIH (26 records) positive
# predictivity 82 %, what is false there being runs of ventricular beats. The three limits were chosen on those scores.
START = 3.0  # score above which, HOLD judgements in a row, an irregular stretch begins
END = -1.0  # score below which, HOLD judgements in a row, it ends
HOLD = 4

_MATCH_S = 0.03  # two intervals match when closer than this (Lake & Moorman 2011, r = 30 ms)
_PAUSE = 0.05  # an early beat's pair of intervals replaces two usual ones when this close to them, as a share
_EARLY = 0.1  # and when its second interval is longer than its first by this share

# Logistic regression on AFDB, NSRDB and MIT-BIH (12, 9 and 26 records), each person with equal weight, fibrillation
# three times: constant, entropy, change from beat to beat, least change over four lags, turning points, median.
_WEIGHTS = (11.94, 4.28, -3.22, 4.61, 2.96, -5.04)
_SLOW_S = 1.1  # median beyond which a slower heart weighs no more: few in the fit were slower

_OLDER = np.tri(WINDOW, k=-1, dtype=np.bool_)  # of each interval of a window the ones before it


class RhythmKind(StrEnum):
    AFIB = "AFIB"  # irregular in the way of atrial fibrillation
    N = "N"  # not so: regular, or irregular by single early beats, their patterns, or breathing


@dataclass(frozen=True, slots=True, repr=False)
class RhythmSpan:
    """The rhythm in [start_ns, end_ns), from beat to beat."""

    start_ns: int
    end_ns: int
    kind: RhythmKind

    def __repr__(self) -> str:
        return f"<RhythmSpan start_ns={self.start_ns} end_ns={self.end_ns}>"


class Rhythm:
    """A Stage over beats of one source and the gaps between them, in order of time.

    Index: coefficient of sample entropy (D. E. Lake and J. R. Moorman 2011, Am J Physiol Heart Circ Physiol
    300:H319) of the intervals, after an early beat and its compensatory pause were put back to two equal intervals;
    combined by logistic regression with the least median change over lags 1 to 4 (low in bigeminy to quadrigeminy), the
    median change from beat to beat, the share of turning points (low where breathing moves the rate), and the median
    interval (breathing moves slow hearts more).
    """

    def __init__(self) -> None:
        self.current: RhythmKind | None = None
        self.since_ns: int | None = None
        self.final_ns: int | None = None
        self._last_ns: int | None = None
        self._begin()

    def _begin(self) -> None:
        """A new stretch, of which nothing is known."""
        self.current = self.since_ns = None
        self._rr_s: deque[float] = deque(maxlen=WINDOW + 2)
        self._times_ns: deque[int] = deque(maxlen=WINDOW + 2)
        self._joined_s: deque[float] = deque(maxlen=WINDOW + 2)
        self._start_ns: int | None = None
        self._count = 0
        self._run = 0
        self._run_ns = 0

    def push(self, beat: Beat | Gap) -> list[RhythmSpan]:
        """Takes the next beat or gap, returns the span that ended with it, if one did."""
        if isinstance(beat, Gap):
            if self._last_ns is None or beat.end_ns - self._last_ns <= BRIDGE_NS:
                return []
            ended = self._close()
            self.final_ns = beat.end_ns if self.final_ns is None else max(self.final_ns, beat.end_ns)
            return ended
        ended = []
        if self._last_ns is not None and beat.t_ns - self._last_ns > BRIDGE_NS:
            ended = self._close()
        if self._start_ns is None:
            self._start_ns = self.final_ns = beat.t_ns
        self._last_ns = beat.t_ns
        if beat.rr_s is not None and 0 < beat.rr_s <= LONGEST_RR_S:
            self._add(beat.t_ns, beat.rr_s)
            if self._count >= LEAST + 2 and (self._count - 2) % STEP == 0:
                ended += self._judge(self._score())
        return ended

    def flush(self) -> list[RhythmSpan]:
        """The input ends here: returns the span that was open."""
        return self._close()

    def _close(self) -> list[RhythmSpan]:
        """The stretch ended at its last beat; what a run not yet held said is dropped."""
        span = []
        if self.current is not None and self.since_ns is not None and self._last_ns is not None:
            span = [RhythmSpan(self.since_ns, self._last_ns, self.current)]
        if self._last_ns is not None:
            self.final_ns = self._last_ns
        self._last_ns = None
        self._begin()
        return span

    def _judge(self, score: float) -> list[RhythmSpan]:
        middle_ns = self._times_ns[(len(self._times_ns) - 2) // 2]
        against = score < END if self.current is RhythmKind.AFIB else score > START
        if against:
            self._run += 1
            if self._run == 1:
                # the first judgement of a stretch stands for all beats before it too
                self._run_ns = middle_ns if self.current is not None or self._start_ns is None else self._start_ns
        else:
            self._run = 0
        if self.current is None and not against:
            self.current, self.since_ns = RhythmKind.N, self._start_ns
        self.final_ns = self._run_ns if self._run else middle_ns
        if self._run < HOLD:
            return []
        ended = []
        if self.current is not None and self.since_ns is not None:
            ended = [RhythmSpan(self.since_ns, self._run_ns, self.current)]
        self.current = RhythmKind.N if self.current is RhythmKind.AFIB else RhythmKind.AFIB
        self.since_ns = self._run_ns
        self.final_ns = middle_ns
        self._run = 0
        return ended

    def _add(self, t_ns: int, rr_s: float) -> None:
        self._count += 1
        self._times_ns.append(t_ns)
        self._rr_s.append(rr_s)
        joined = self._joined_s
        joined.append(rr_s)
        if len(joined) >= 4:
            pair_s, usual_s = (joined[-3] + joined[-2]) / 2, (joined[-4] + joined[-1]) / 2
            if joined[-2] - joined[-3] > _EARLY * pair_s and abs(pair_s - usual_s) < _PAUSE * usual_s:
                joined[-3] = joined[-2] = pair_s

    def _score(self) -> float:
        """Log odds that the newest window is irregular in the way of atrial fibrillation."""
        rr = np.array(self._rr_s)[:-2]
        n = len(rr)
        changes = [_middle(np.abs(rr[lag:] - rr[:-lag])) for lag in (1, 2, 3, 4)]
        median_s = _middle(rr)
        steps = rr[1:] - rr[:-1]
        turns = np.count_nonzero(steps[1:] * steps[:-1] < 0) / (n - 2)
        w = _WEIGHTS
        return (
            w[0]
            + w[1] * self._entropy()
            + w[2] * math.log(changes[0] / median_s + 0.005)
            + w[3] * math.log(min(changes) / median_s + 0.005)
            + w[4] * turns
            + w[5] * min(median_s, _SLOW_S)
        )

    def _entropy(self) -> float:
        """COSEn = -ln(A / B) + ln(2 r) - ln(mean RR), m = 1, over all pairs in the window; A is at least 1/2."""
        rr: NDArray[np.float64] = np.array(self._joined_s)[:-2]  # the two newest may still be joined
        n = len(rr)
        alike = ((rr - _MATCH_S)[:, None] < rr) & (rr < (rr + _MATCH_S)[:, None]) & _OLDER[:n, :n]
        ones = int(np.count_nonzero(alike[:-1]))
        twos = int(np.count_nonzero(alike[1:, 1:] & alike[:-1, :-1]))
        mean_s = math.fsum(rr) / n
        return math.log(max(ones, 1) / max(twos, 0.5)) + math.log(2 * _MATCH_S / mean_s)


def _middle(values: NDArray[np.float64]) -> float:
    middle = len(values) // 2
    return float(np.partition(values, middle)[middle])
