"""One rate from two sources: they are tracked together, and each alone to see whether they agree.

Together they can be sure of a rate that one of them alone is just as sure is another; then neither is believed.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from device_pipeline.respiration.tracker import Tracker, best_rates

APART = 0.14  # of the rate, on a logarithmic scale

Floats = NDArray[np.float64]


class Fusion:
    """Takes the windows in order, some at a time, each with the logits of both sources, None where there are none.

    What comes out is (rate in breaths a minute, how likely it is) of each window up to LAG windows ago.
    """

    def __init__(self) -> None:
        self._together = Tracker()
        self._alone: tuple[Tracker, Tracker] | None = None  # ECG, PPG: once both have been seen
        self._seen = [False, False]

    def push(self, ecg: Sequence[Floats | None], ppg: Sequence[Floats | None]) -> list[tuple[float, float]]:
        if self._alone is not None:
            return self._push(ecg, ppg)
        for n, pair in enumerate(zip(ecg, ppg, strict=True)):
            before = tuple(self._seen)
            self._seen = [was or logits is not None for was, logits in zip(self._seen, pair, strict=True)]
            if all(self._seen):
                told = self._push(ecg[:n], ppg[:n])
                # What was known so far was known of the one that came first.
                self._alone = (self._stood_for(before[0]), self._stood_for(before[1]))
                return told + self._push(ecg[n:], ppg[n:])
        return self._push(ecg, ppg)

    def flush(self) -> list[tuple[float, float]]:
        """The windows that were still open."""
        return _judge(self._together.flush(), *(each.flush() for each in self._alone or ()))

    def _push(self, ecg: Sequence[Floats | None], ppg: Sequence[Floats | None]) -> list[tuple[float, float]]:
        if not ecg:
            return []
        told = self._together.push(ecg, ppg)
        if self._alone is None:
            return _judge(told)
        nothing = [None] * len(ecg)
        return _judge(told, self._alone[0].push(ecg, nothing), self._alone[1].push(nothing, ppg))

    def _stood_for(self, was_seen: bool) -> Tracker:
        return copy.deepcopy(self._together) if was_seen else self._together.unknowing()


def _judge(told: Floats, *alone: Floats) -> list[tuple[float, float]]:
    together = best_rates(told)
    if not alone:
        return together
    judged = []
    for (rate_bpm, share), (ecg_bpm, ecg_share), (ppg_bpm, ppg_share) in zip(
        together, *(best_rates(each) for each in alone), strict=True
    ):
        apart = abs(math.log(ecg_bpm / ppg_bpm)) > APART
        judged.append((rate_bpm, share * (1.0 - min(ecg_share, ppg_share)) if apart else share))
    return judged
