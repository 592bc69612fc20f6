"""A Model turns features into Scores: pure, without a clock, knowing nothing of where the features came from."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.score import Score


class Model(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    def score(self, features: NDArray[np.float64]) -> list[Score]:
        """`features` has the shape that the model's card states; empty where the model abstains."""
