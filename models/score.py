"""A Score says what a model makes of a stretch, and which model said it; a model that abstains gives no Score."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, repr=False)
class Score:
    """`probability`, in [0, 1], is calibrated; `model` and `version` are those of the card."""

    label: str
    probability: float
    model: str
    version: str

    def __repr__(self) -> str:
        return f"<Score {self.model} {self.version}>"
