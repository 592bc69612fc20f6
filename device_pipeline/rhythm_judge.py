"""The model that judges windows of RR intervals, made when the first one asks; without it nothing is judged.

A model that is missing, broken or answers with what is no probability is not asked again: the rhythm is unknown from
there on, with the reason, and all else goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.errors import ModelError


class RhythmModel(Protocol):
    """`start` and `end`: the probabilities at which an irregular stretch begins and ends."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    @property
    def start(self) -> float: ...

    @property
    def end(self) -> float: ...

    def probability(self, rr_s: NDArray[np.float64]) -> float: ...


MakeRhythmModel = Callable[[], RhythmModel]


def shipped() -> RhythmModel:
    """The one that came with the program. Raises ModelError."""
    from models.rhythm import RhythmNet

    return RhythmNet()


class RhythmJudge:
    """Asks one model, for all beat sources of a pipeline. `reason`: why it says nothing, None while it does."""

    def __init__(self, make: MakeRhythmModel = shipped) -> None:
        self._make = make
        self.model: RhythmModel | None = None
        self.reason: str | None = None

    def probability(self, rr_s: NDArray[np.float64]) -> float | None:
        """Of `rr_s` in seconds, oldest first. None where there is no model to ask."""
        if self.reason is not None:
            return None
        try:
            if self.model is None:
                self.model = self._make()
            p = self.model.probability(rr_s)
            if 0.0 <= p <= 1.0:
                return p
        except (ModelError, OSError, RuntimeError, ValueError):
            pass
        self.reason = "no_model"
        return None
