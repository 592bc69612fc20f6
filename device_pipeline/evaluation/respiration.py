"""How right respiration rates are, against breaths that people marked.

The truth of a window is 60 over the mean interval between the breaths in it, for each annotator; windows whose
annotators differ by more than MOST_APART_BPM have no truth, and are left out. What was abstained from is not an error,
it costs coverage.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MOST_APART_BPM = 2.0
FEWEST_BREATHS = 2

Floats = NDArray[np.float64]


def true_rate_bpm(breaths_s: Floats, start_s: float, length_s: float) -> float | None:
    """Breaths a minute in [start_s, start_s + length_s) from the moments of breaths, in order.

    None with fewer than two in it, or where the marks begin after the window does or end before it by more than the
    window's own longest interval: nobody marked there.
    """
    inside = breaths_s[(breaths_s >= start_s) & (breaths_s < start_s + length_s)]
    if len(inside) < FEWEST_BREATHS:
        return None
    longest_s = float(np.max(np.diff(inside)))
    if breaths_s[0] - start_s > longest_s + 1.0 or start_s + length_s - breaths_s[-1] > longest_s + 1.0:
        return None
    return 60.0 * (len(inside) - 1) / float(inside[-1] - inside[0])


def agreed_rate_bpm(rates_bpm: Sequence[float | None]) -> float | None:
    """The mean of what the annotators say; None where one of them says nothing or two of them differ."""
    known = [rate for rate in rates_bpm if rate is not None]
    if not known or len(known) < len(rates_bpm) or max(known) - min(known) > MOST_APART_BPM:
        return None
    return sum(known) / len(known)


@dataclass(frozen=True, slots=True, repr=False)
class RespirationScore:
    """`windows` have a truth, `told` of them a rate. Errors are what was told minus the truth, breaths a minute."""

    windows: int
    told: int
    absolute_bpm: float  # the sum of the absolute errors
    signed_bpm: float
    within_2_bpm: int
    without_truth: int

    def __repr__(self) -> str:
        return f"<RespirationScore windows={self.windows}>"

    @property
    def mae_bpm(self) -> float | None:
        return self.absolute_bpm / self.told if self.told else None

    @property
    def bias_bpm(self) -> float | None:
        return self.signed_bpm / self.told if self.told else None

    @property
    def coverage(self) -> float | None:
        return self.told / self.windows if self.windows else None

    @property
    def reason(self) -> str | None:
        """Why there is no error to tell."""
        if not self.windows:
            return "no window has a truth"
        return None if self.told else "no rate was told"


def score_respiration(told_bpm: Sequence[float | None], true_bpm: Sequence[float | None]) -> RespirationScore:
    """One record: what was told of each window, None where abstained, and the truth, None where there is none."""
    pairs = [(told, true) for told, true in zip(told_bpm, true_bpm, strict=True) if true is not None]
    errors = [told - true for told, true in pairs if told is not None]
    return RespirationScore(
        windows=len(pairs),
        told=len(errors),
        absolute_bpm=sum(abs(error) for error in errors),
        signed_bpm=sum(errors),
        within_2_bpm=sum(abs(error) <= MOST_APART_BPM for error in errors),
        without_truth=len(true_bpm) - len(pairs),
    )


def gross(scores: Sequence[RespirationScore]) -> RespirationScore:
    """All windows of all records together."""
    return RespirationScore(
        windows=sum(score.windows for score in scores),
        told=sum(score.told for score in scores),
        absolute_bpm=sum(score.absolute_bpm for score in scores),
        signed_bpm=sum(score.signed_bpm for score in scores),
        within_2_bpm=sum(score.within_2_bpm for score in scores),
        without_truth=sum(score.without_truth for score in scores),
    )
