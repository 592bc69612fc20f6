"""What the rules judge of ventricular beats: a run of them, or how much of the beats of some minutes they are."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, repr=False)
class VentricularRun:
    """`n` ventricular beats in a row so far (0: the last beat was none), at `bpm`; `score` is the mean of theirs."""

    n: int
    bpm: float | None
    score: float | None

    def __repr__(self) -> str:
        return "<VentricularRun>"


@dataclass(frozen=True, slots=True, repr=False)
class VentricularShare:
    """How much of the labelled beats of a window is ventricular."""

    percent: float

    def __repr__(self) -> str:
        return "<VentricularShare>"
