"""A fast rhythm that came gradually is a sinus tachycardia: its beats are not early, however short their intervals.

The net knows runs from above the ventricles from few people, and takes the racing heart of somebody who runs for one.
Such a run begins with an early beat. So in a fast rhythm an S stands only where it comes early itself, or goes on from
one that did. Of the 944 S beats of 22 people of MIT-BIH (DS1), as their doctors labelled them, this denies 8.
"""

from __future__ import annotations

import math
from collections import deque
from statistics import median

FAST_S = 0.6  # intervals below are a tachycardia (100 bpm)
EARLY = 0.9  # times the interval before, and the usual one of the last beats
_RECENT = 8
_APART = 2  # beats of another kind end a run; a single one may be told wrong


class Gradual:
    """Takes beats in order, one by one. Where no interval is known before a beat, what the net says stands."""

    def __init__(self) -> None:
        self._recent: deque[float] = deque(maxlen=_RECENT)
        self._run_is_early = False
        self._others = 0  # beats of another kind since the last S

    def denies(self, is_s: bool, rr_s: float) -> bool:
        """Whether what the net calls S is none. `rr_s`: the interval before the beat, NaN where it is not known."""
        known = not math.isnan(rr_s)
        early = not known or not self._recent or self._is_early(rr_s)
        self._others = 0 if is_s else self._others + 1
        if is_s:
            self._run_is_early = self._run_is_early or early
        elif self._others >= _APART:
            self._run_is_early = False
        if known:
            self._recent.append(rr_s)
        return is_s and known and rr_s < FAST_S and not self._run_is_early

    def _is_early(self, rr_s: float) -> bool:
        return rr_s <= EARLY * self._recent[-1] and rr_s <= EARLY * median(self._recent)
