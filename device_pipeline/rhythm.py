"""Tells stretches of irregular rhythm that can be atrial fibrillation, from RR intervals alone; it is no diagnosis.

Beats are used as they come: correcting intervals would make an irregular rhythm regular. Where there are too few
intervals, or no model, the rhythm is unknown, and no span covers it. Decided beat by beat, so it cannot depend on how
input is cut.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from device_pipeline.beat import Beat
from device_pipeline.rhythm_judge import RhythmJudge
from models.rhythm_input import LEAST, WINDOW
from sensors.samples import Gap

STEP = 12  # intervals between judgements; each stands for the beat in the middle of its window
LONGEST_RR_S = 3.0  # longer is a gap in what was recorded
BRIDGE_NS = 15 * 10**9  # an absence up to this long does not end a stretch: the heart's rhythm went on
HOLD = 1  # judgements in a row that begin or end an irregular stretch


class RhythmKind(StrEnum):
    AFIB = "AFIB"  # irregular in the way of atrial fibrillation
    N = "N"  # not so: regular, or irregular by single early beats, their patterns, or breathing


@dataclass(frozen=True, slots=True, repr=False)
class RhythmSpan:
    """The rhythm in [start_ns, end_ns), from beat to beat.

    `probability`: of fibrillation, the mean over what `model` in `version` said of the windows in it; None where it was
    told by a program that kept none.
    """

    start_ns: int
    end_ns: int
    kind: RhythmKind
    probability: float | None = None
    model: str | None = None
    version: str | None = None

    def __repr__(self) -> str:
        return f"<RhythmSpan start_ns={self.start_ns} end_ns={self.end_ns}>"


class Rhythm:
    """A Stage over beats of one source and the gaps between them, in order of time.

    `current` is the rhythm told last, since `since_ns`; before `final_ns` nothing changes any more.
    """

    def __init__(self, judge: RhythmJudge | None = None) -> None:
        self._judge = judge if judge is not None else RhythmJudge()
        self.current: RhythmKind | None = None
        self.since_ns: int | None = None
        self.final_ns: int | None = None
        self._last_ns: int | None = None
        self._begin()

    def _begin(self) -> None:
        """A new stretch, of which nothing is known."""
        self.current = self.since_ns = None
        self._rr_s: deque[float] = deque(maxlen=WINDOW)
        self._times_ns: deque[int] = deque(maxlen=WINDOW)
        self._start_ns: int | None = None
        self._count = 0
        self._sum = 0.0
        self._judged = 0
        self._run = 0
        self._run_sum = 0.0
        self._run_ns = 0

    @property
    def reason(self) -> str | None:
        """Why nothing can be told of any rhythm; None where only beats decide."""
        return self._judge.reason

    @property
    def open_span(self) -> RhythmSpan | None:
        """The stretch that goes on, as far as it is final."""
        return None if self.final_ns is None else self._span(self.final_ns)

    @property
    def window_ns(self) -> tuple[int, ...]:
        """The beats that the next judgement would be about so far, each at the end of its interval."""
        return tuple(self._times_ns)

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
            self._count += 1
            self._times_ns.append(beat.t_ns)
            self._rr_s.append(beat.rr_s)
            if self._count >= LEAST and (self._count - LEAST) % STEP == 0:
                probability = self._judge.probability(np.array(self._rr_s))
                ended += self._close() if probability is None else self._decide(probability)
        return ended

    def flush(self) -> list[RhythmSpan]:
        """The input ends here: returns the span that was open."""
        return self._close()

    def _close(self) -> list[RhythmSpan]:
        """The stretch ended at its last beat; a run not yet held goes with the rhythm before it."""
        self._sum += self._run_sum
        self._judged += self._run
        span = None if self._last_ns is None else self._span(self._last_ns)
        if self._last_ns is not None:
            self.final_ns = self._last_ns
        self._last_ns = None
        self._begin()
        return [] if span is None else [span]

    def _span(self, end_ns: int) -> RhythmSpan | None:
        model = self._judge.model
        if self.current is None or self.since_ns is None:
            return None
        probability = self._sum / self._judged if self._judged else None
        name, version = (None, None) if model is None else (model.name, model.version)
        return RhythmSpan(self.since_ns, end_ns, self.current, probability, name, version)

    def _decide(self, probability: float) -> list[RhythmSpan]:
        model = self._judge.model
        assert model is not None, "who answered is there"
        middle_ns = self._times_ns[len(self._times_ns) // 2]
        irregular = self.current is RhythmKind.AFIB
        if probability < model.end if irregular else probability > model.start:
            self._run += 1
            self._run_sum += probability
            if self._run == 1:
                # the first judgement of a stretch stands for all beats before it too
                self._run_ns = middle_ns if self.current is not None or self._start_ns is None else self._start_ns
        else:
            self._sum += self._run_sum + probability
            self._judged += self._run + 1
            self._run, self._run_sum = 0, 0.0
            if self.current is None:
                if len(self._times_ns) < WINDOW and probability >= model.end:
                    return []  # the first windows are short: what they leave open a whole one decides
                self.current, self.since_ns = RhythmKind.N, self._start_ns
        self.final_ns = self._run_ns if self._run else middle_ns
        if self._run < HOLD:
            return []
        ended = self._span(self._run_ns)
        if self.current is None:  # what was left open belongs to it
            self._run_sum += self._sum
            self._run += self._judged
        self.current = RhythmKind.N if irregular else RhythmKind.AFIB
        self.since_ns = self._run_ns
        self.final_ns = middle_ns
        self._sum, self._judged = self._run_sum, self._run
        self._run, self._run_sum = 0, 0.0
        return [] if ended is None else [ended]
