"""What the alerts see of ventricular beats: runs of them, and how many of the beats of some minutes they are.

Only beats that a model has labelled count, and it labels only where the signal is good. What moves an electrode makes
runs of its own, so a run counts only where every beat has a label for STEADY_S until its end and for CONFIRMING beats
after what is judged; a few minutes of which not nearly all beats are labelled say nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from device_pipeline.alerts.alert import Alert, Grounds
from device_pipeline.alerts.engine import AlertEngine
from device_pipeline.alerts.rules import Watches
from device_pipeline.alerts.ventricular import VentricularRun, VentricularShare
from device_pipeline.beat import BeatLabel
from device_pipeline.beat_types import BeatType

_S = 1_000_000_000
STRIP_S = 10
MOST_BEATS = 32  # that an alert names
SHARE_WINDOW_S = 300
SHARE_STEP_S = 60
STEADY_S = 10
CONFIRMING = 4
_LEAST_LABELLED = 100  # beats in the window of a share
_LABELLED_SHARE = 0.9  # of all beats in it
_APART_S = 2.5  # beats further from each other do not follow on each other
_LEAD_IN_S = 2  # of a strip before its first beat


class Ectopy:
    """Takes what kind each beat is, in order of time, and lets the alerts see what that means."""

    def __init__(self, alerts: AlertEngine) -> None:
        self._alerts = alerts
        self._waiting: deque[BeatType] = deque()  # for the beats that follow them
        self._run: deque[BeatType] = deque(maxlen=MOST_BEATS)  # the newest of it
        self._run_n = 0
        self._run_start_ns = 0
        self._run_score = 0.0  # summed
        self._last_ns: int | None = None
        self._steady_ns = 0  # where the beats that all have labels began
        self._window: deque[BeatType] = deque()
        self._step_end_ns: int | None = None

    def push(self, beat: BeatType) -> list[Alert]:
        return [*self._share(beat), *self._confirm(beat)]

    def _confirm(self, beat: BeatType) -> list[Alert]:
        """A beat is judged once CONFIRMING labelled ones have followed it; else as one without a label."""
        alerts: list[Alert] = []
        newest_ns = self._waiting[-1].t_ns if self._waiting else beat.t_ns
        if beat.label is None or beat.t_ns - newest_ns > _APART_S * _S:
            while self._waiting:
                alerts += self._runs(replace(self._waiting.popleft(), label=None))
        self._waiting.append(beat)
        if beat.label is None or len(self._waiting) > CONFIRMING:
            alerts += self._runs(self._waiting.popleft())
        return alerts

    def _runs(self, beat: BeatType) -> list[Alert]:
        last_ns, self._last_ns = self._last_ns, beat.t_ns
        follows = last_ns is not None and beat.t_ns - last_ns <= _APART_S * _S
        since_ns = last_ns if follows and last_ns is not None else beat.t_ns
        if beat.label is None or not follows:
            self._steady_ns = beat.t_ns
        if beat.label is not BeatLabel.V:
            self._run_n = 0
            told = None if beat.label is None else VentricularRun(0, None, None)
            return self._see_run(since_ns, beat.t_ns, told)
        if not follows or self._run_n == 0:
            self._run.clear()
            self._run_n, self._run_start_ns, self._run_score = 0, beat.t_ns, 0.0
        self._run.append(beat)
        self._run_n += 1
        self._run_score += beat.score or 0.0
        score = self._run_score / self._run_n
        if self._run_n == 1 or beat.t_ns - self._steady_ns < STEADY_S * _S:
            return self._see_run(since_ns, beat.t_ns, VentricularRun(1, None, score))
        start_ns = self._run_start_ns
        bpm = 60.0 * (self._run_n - 1) / ((beat.t_ns - start_ns) / _S)
        grounds = _grounds(self._run, start_ns, beat.t_ns, score, start_ns)
        return self._see_run(start_ns, beat.t_ns, VentricularRun(self._run_n, bpm, score), grounds)

    def _see_run(
        self, start_ns: int, end_ns: int, run: VentricularRun | None, grounds: Grounds | None = None
    ) -> list[Alert]:
        return self._alerts.push(Watches.VENTRICULAR_RUN, start_ns, end_ns, run, grounds)

    def _share(self, beat: BeatType) -> list[Alert]:
        alerts: list[Alert] = []
        step_ns = SHARE_STEP_S * _S
        next_end_ns = beat.t_ns // step_ns * step_ns + step_ns
        end_ns = next_end_ns if self._step_end_ns is None else self._step_end_ns
        while end_ns < next_end_ns:
            start_ns = end_ns - step_ns
            while self._window and self._window[0].t_ns < end_ns - SHARE_WINDOW_S * _S:
                self._window.popleft()
            if not self._window:
                end_ns = next_end_ns - step_ns  # of all that time nothing is known: one word for it
            share, grounds = self._share_at(end_ns)
            alerts += self._alerts.push(Watches.VENTRICULAR_SHARE, start_ns, end_ns, share, grounds)
            end_ns += step_ns
        self._step_end_ns = next_end_ns
        self._window.append(beat)
        return alerts

    def _share_at(self, end_ns: int) -> tuple[VentricularShare | None, Grounds | None]:
        labelled = sum(beat.label is not None for beat in self._window)
        if labelled < max(_LEAST_LABELLED, _LABELLED_SHARE * len(self._window)):
            return None, None
        found = [beat for beat in self._window if beat.label is BeatLabel.V]
        share = VentricularShare(100.0 * len(found) / labelled)
        if not found:
            return share, None
        score = sum(beat.score or 0.0 for beat in found) / len(found)
        at_ns = np.array([beat.t_ns for beat in found])
        following = np.searchsorted(at_ns, at_ns + (STRIP_S - _LEAD_IN_S) * _S) - np.arange(len(at_ns))
        densest_ns = int(at_ns[np.argmax(following)])
        return share, _grounds(found, end_ns - SHARE_WINDOW_S * _S, end_ns, score, densest_ns)


def _grounds(beats: Sequence[BeatType], start_ns: int, end_ns: int, score: float, strip_from_ns: int) -> Grounds:
    newest = list(beats)[-MOST_BEATS:]
    return Grounds(
        start_ns=start_ns,
        end_ns=end_ns,
        beats_ns=tuple(beat.t_ns for beat in newest),
        score=score,
        model=newest[-1].model,
        version=newest[-1].version,
        strip_start_ns=strip_from_ns - _LEAD_IN_S * _S,
        strip_end_ns=strip_from_ns + (STRIP_S - _LEAD_IN_S) * _S,
    )
