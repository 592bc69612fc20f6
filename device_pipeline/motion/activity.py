"""An Activity is how much the wearer moved in one window, or the reason why it cannot be told."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How much the body moves."""

    STILL = "still"
    LIGHT = "light"
    MODERATE = "moderate"
    VIGOROUS = "vigorous"


class Posture(StrEnum):
    """How the trunk lies, where the place of the sensor lets it be told."""

    UPRIGHT = "upright"
    SUPINE = "supine"
    PRONE = "prone"
    LEFT = "left"
    RIGHT = "right"


@dataclass(frozen=True, slots=True, repr=False)
class Activity:
    """[start_ns, start_ns + length_ns): steps taken in it, level and posture.

    Where nothing can be told all three are None, and `reason` says why; `posture` alone is None wherever it is not
    known. `quality` 0 to 1 of the acceleration, None where there was none.
    """

    start_ns: int
    length_ns: int
    steps: int | None
    level: Level | None
    posture: Posture | None
    quality: float | None
    reason: str | None

    def __repr__(self) -> str:
        return f"<Activity start_ns={self.start_ns}>"
