"""What a model in shadow said, beside what the one in service said of the same inputs. Nothing rests on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.card import ModelCard


@dataclass(frozen=True, slots=True, repr=False)
class ShadowScore:
    """`t_ns`: how far the data had come when it was told. `label` and `score`: the likeliest label and its score; of a
    model whose scores are no labels, its first label and their mean."""

    t_ns: int
    model: str
    version: str
    label: str
    score: float
    active_version: str
    active_label: str
    active_score: float

    def __repr__(self) -> str:
        return f"<ShadowScore {self.model} {self.version}>"


def told(card: ModelCard, scores: NDArray[np.float64]) -> tuple[str, float]:
    """(label, score) of one call."""
    if len(card.labels) == scores.size:
        best = int(np.argmax(scores))
        return card.labels[best], float(scores.reshape(-1)[best])
    return card.labels[0], float(np.mean(scores))
