"""The models there are; what stands here is enrolled in their laws. To add one: its file, weights, card, and a line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models import baseline, beat, morphology, ppg_rate, qrs, quality, quality_ppg, respiration, rhythm, screen
from models.card import ModelCard
from models.interpreter import Net


class Scorer(Protocol):
    """Weights ready to be called: inputs as the card tells them, scores out."""

    @property
    def step(self) -> float:
        """How far two runtimes may differ in a score: one step of an int8 output, next to nothing for numbers."""

    def __call__(self, **inputs: NDArray[np.float64]) -> NDArray[np.float64]: ...


@dataclass(frozen=True, slots=True)
class ModelRow:
    """`scorer` makes of weights and their card what golden inputs are given to. For a `replaceable` model it is what
    its class takes as `net=`; the others find beats and rates, come with the program alone and go with it."""

    card: Path
    scorer: Callable[[bytes, ModelCard], Scorer] = Net
    replaceable: bool = True

    @property
    def name(self) -> str:
        return self.card.stem

    @property
    def golden(self) -> Path:
        return self.card.with_name(f"{self.name}.golden.npz")


MODELS: tuple[ModelRow, ...] = (
    ModelRow(qrs.CARD, qrs.GoldenQrs, replaceable=False),
    ModelRow(ppg_rate.CARD, ppg_rate.GoldenRate, replaceable=False),
    ModelRow(respiration.CARD, respiration.GoldenRespiration, replaceable=False),
    ModelRow(screen.CARD),
    ModelRow(beat.CARD),
    ModelRow(morphology.CARD),
    ModelRow(quality.CARD),
    ModelRow(quality_ppg.CARD),
    ModelRow(baseline.CARD, baseline.GoldenBaseline, replaceable=False),
    ModelRow(rhythm.CARD),
)

CARDS: tuple[Path, ...] = tuple(row.card for row in MODELS)


def row_of(name: str) -> ModelRow | None:
    return next((row for row in MODELS if row.name == name), None)
