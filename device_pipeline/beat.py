"""A Beat is a heartbeat at a moment, with where we know it from; a Quality says how far a stretch can be trusted."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class BeatSource(StrEnum):
    ECG = "ecg"
    PPG = "ppg"
    RR = "rr"  # intervals that the sensor worked out by itself
    ANNOTATION = "annotation"  # beats read from a file


class BeatLabel(StrEnum):
    """AAMI EC57 classes; N until a model says otherwise."""

    N = "N"
    S = "S"
    V = "V"
    F = "F"
    Q = "Q"


@dataclass(frozen=True, slots=True, repr=False)
class Beat:
    """`t_ns`: the R peak (ECG) or the foot-to-peak upstroke fiducial (PPG).

    `rr_s` is the interval to the beat before it, None where none may be formed: the first beat, or one after a gap or a
    stretch too poor to know whether a beat was missed.
    """

    t_ns: int
    source: BeatSource
    rr_s: float | None
    label: BeatLabel = BeatLabel.N

    def __repr__(self) -> str:
        return f"<Beat {self.source}>"


@dataclass(frozen=True, slots=True)
class Quality:
    """How usable [start_ns, end_ns) of a channel is, 0 (not at all) to 1; `reason` says what is wrong if not good.

    The stretches of one channel touch each other and never overlap. `good` is the documented threshold applied.
    """

    start_ns: int
    end_ns: int
    index: float
    good: bool
    reason: str | None = None
