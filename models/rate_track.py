"""Which rate the heart had, window by window: a hidden Markov chain over rates that looks LAG windows ahead.

A heart seldom changes its rate by more than a few bpm in 2 s, so what the windows before and after make likely decides
between two candidates of one window. How far an estimate can be trusted is calibrated: the index is the probability
that it is right to RIGHT_BPM, learned on people that the net had not seen.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.ppg_rate import Trust
from models.ppg_rate_features import RATES_BPM

Floats = NDArray[np.float64]

LAG = 3  # windows that come 2 s after each other
RIGHT_BPM = 1.5
SHARP = 0.6  # windows overlap by three quarters, so each counts less than it would alone
STEP_BPM = 3.0  # Laplace's scale of the change from window to window
JUMP = 1e-4
FORGOTTEN = 15  # windows without a wave, after which nothing is known any more
NEAR_BPM = 6.0
AGREE_BPM = 3.0  # the beats and the chain mean the same rate: the beats tell it more exactly
MIN_GOOD = 0.5
EVIDENCE = 7
# A stride looks like a pulse, so a rate must have been seen apart from the movement: how far it was is remembered, and
# fades by FADE a window while both have the same rate.
FADE = 0.9
MOVES_AT, MOVES_NEAR_BPM = 2.0, 4.0

FINE_BPM = np.arange(30.0, 222.5, 1.0)
_HALF = round(NEAR_BPM)


@dataclass(frozen=True, slots=True, repr=False)
class Estimate:
    """`index`, 0 to 1, is the probability that `bpm` is right to RIGHT_BPM; `evidence` is what it was told from."""

    bpm: float
    index: float
    evidence: Floats


@dataclass(frozen=True, slots=True)
class _Window:
    likely: Floats  # over FINE_BPM: how well each rate explains the window
    own: Floats  # over RATES_BPM: the probabilities by this window alone
    before: Floats  # over FINE_BPM: the probabilities by this window and those before it
    moves: Floats | None  # over RATES_BPM


class RateTrack:
    """Takes the logits of one window after another, and tells each once LAG more have come, or none will."""

    def __init__(self, trust: Trust) -> None:
        self._trust = trust
        change = np.exp(-np.abs(FINE_BPM[:, None] - FINE_BPM[None, :]) / STEP_BPM)
        self._change = (1 - JUMP) * change / change.sum(axis=0) + JUMP / len(FINE_BPM)
        self._back = np.ascontiguousarray(self._change.T)
        self._even = np.full(len(FINE_BPM), 1 / len(FINE_BPM))
        self._belief = self._even
        self._unseen = 0
        self._clear = 0.0
        self._open: deque[_Window] = deque()

    @property
    def waiting(self) -> int:
        """Windows that were pushed and not told yet; one is due when there are more than LAG."""
        return len(self._open)

    def push(self, logits: Floats | None, moves: Floats | None) -> None:
        """`logits` over RATES_BPM, None where there was no wave, and the MOVE_COLUMN of the features."""
        if logits is None:
            self._unseen += 1
            if self._unseen >= FORGOTTEN:
                self._belief = self._even
            likely, own = self._even, np.full(len(RATES_BPM), 1 / len(RATES_BPM))
        else:
            self._unseen = 0
            above = logits - logits.max()
            own = np.exp(above)
            own /= own.sum()
            likely = np.exp(SHARP * np.interp(FINE_BPM, RATES_BPM, above))
            likely /= likely.sum()
        belief = likely * (self._change @ self._belief)
        self._belief = belief / belief.sum()
        self._open.append(_Window(likely, own, self._belief, moves))

    def tell(self, beats_bpm: float | None, good: float, unrest: float) -> Estimate:
        """The oldest window that waits, given the rate of the beats in it, the share of it that could be read, and the
        mean difference of neighbouring intervals over their mean: pulses that come early may be too weak to be seen.
        """
        window = self._open.popleft()
        if good < MIN_GOOD:
            beats_bpm = None
        after = np.ones(len(FINE_BPM))
        for later in reversed(self._open):
            after = self._back @ (later.likely * after)
            after /= after.sum()
        share = window.before * after
        share /= share.sum()
        sums = np.concatenate((np.zeros(1), np.cumsum(share)))
        i = np.arange(len(FINE_BPM))
        inside = sums[np.minimum(i + _HALF + 1, len(i))] - sums[np.maximum(i - _HALF, 0)]
        top = int(np.argmax(inside))
        near = slice(max(0, top - _HALF), top + _HALF + 1)
        bpm = float((FINE_BPM[near] * share[near]).sum() / share[near].sum())
        spread = float((share * np.abs(FINE_BPM - bpm)).sum())
        close = np.abs(RATES_BPM - bpm) <= NEAR_BPM
        support = [float(one.own[close].sum()) for one in (window, *self._open)]
        apart = 1.0
        if window.moves is not None:
            apart -= min(1.0, max(0.0, float(window.moves[np.abs(RATES_BPM - bpm) <= MOVES_NEAR_BPM].max()) / MOVES_AT))
        self._clear = max(FADE * self._clear, apart * support[0])
        off = 0.0 if beats_bpm is None else abs(bpm - beats_bpm)
        evidence = np.array(
            [
                math.log(spread + 1e-3),
                math.log(support[0] + 0.01),
                math.log(sum(support) / len(support) + 0.01),
                float(beats_bpm is not None),
                math.log1p(min(off, 20.0)),
                math.log(self._clear + 0.01),
                math.log1p(20 * min(unrest, 1.0)),
            ]
        )
        odds = float(evidence @ self._trust.slopes) + self._trust.bias
        if beats_bpm is not None and off < AGREE_BPM:
            bpm = beats_bpm
        return Estimate(bpm, 1 / (1 + math.exp(-min(max(odds, -50.0), 50.0))), evidence)
