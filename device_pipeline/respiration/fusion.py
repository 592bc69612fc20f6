"""One rate from two sources: they are tracked together, and each alone to see whether they agree.

Together they can be sure of a rate that one of them alone is just as sure is another; then neither is believed.
"""

from __future__ import annotations

import copy
import math

import numpy as np
from numpy.typing import NDArray

from device_pipeline.respiration.tracker import Tracker, best_rate

APART = 0.14  # of the rate, on a logarithmic scale

Floats = NDArray[np.float64]


class Fusion:
    """Takes the windows in order, each with the logits of both sources, None where there are none.

    What comes out is (rate in breaths a minute, how likely it is) of the window LAG windows ago.
    """

    def __init__(self) -> None:
        self._together = Tracker()
        self._alone: tuple[Tracker, Tracker] | None = None  # ECG, PPG: once both have been seen
        self._seen = [False, False]

    def push(self, ecg: Floats | None, ppg: Floats | None) -> tuple[float, float] | None:
        first = self._alone is None
        before = tuple(self._seen)
        self._seen = [self._seen[0] or ecg is not None, self._seen[1] or ppg is not None]
        if first and all(self._seen):
            # What was known so far was known of the one that came first.
            self._alone = (self._stood_for(before[0]), self._stood_for(before[1]))
        told = self._together.push(ecg, ppg)
        alone = () if self._alone is None else (self._alone[0].push(ecg, None), self._alone[1].push(None, ppg))
        return None if told is None else _judge(told, *alone)

    def flush(self) -> list[tuple[float, float]]:
        """The windows that were still open."""
        together = self._together.flush()
        if self._alone is None:
            return [_judge(told) for told in together]
        return [_judge(*told) for told in zip(together, *(each.flush() for each in self._alone), strict=True)]

    def _stood_for(self, was_seen: bool) -> Tracker:
        return copy.deepcopy(self._together) if was_seen else self._together.unknowing()


def _judge(told: Floats, ecg: Floats | None = None, ppg: Floats | None = None) -> tuple[float, float]:
    rate_bpm, share = best_rate(told)
    if ecg is not None and ppg is not None:
        (ecg_bpm, ecg_share), (ppg_bpm, ppg_share) = best_rate(ecg), best_rate(ppg)
        if abs(math.log(ecg_bpm / ppg_bpm)) > APART:
            share *= 1.0 - min(ecg_share, ppg_share)
    return rate_bpm, share
