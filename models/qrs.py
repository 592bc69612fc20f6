"""Whether an energy peak of an ECG is a QRS complex, and how far from it the R peak lies: two small dense nets.

The first looks at one peak alone, the second at its neighbours too, among them the first one's scores. The card beside
the weights says what they were trained on.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.card import ModelCard
from models.held_weights import FLOAT_STEP, arrays_of, held_weights

Floats = NDArray[np.float64]

WEIGHTS = Path(__file__).parent / "weights" / "qrs.npz"
CARD = WEIGHTS.with_suffix(".json")
LAYERS = 3
PLACES_S = np.arange(-10, 11) / 100.0  # from an energy peak to its R peak
# Sums of products differ in their last bits with the number of rows, in which the law of the cut has no say.
ROUNDED_TO = 1e-6


class QrsNets:
    """The nets as they run: float64, numpy alone."""

    def __init__(self, arrays: Mapping[str, NDArray[np.floating]]) -> None:
        self._first = _layers(arrays, "first")
        self._second = _layers(arrays, "second")

    def first(self, shape: Floats, scalars: Floats) -> tuple[Floats, Floats]:
        """Scores (logits), (n,), and the logits of the R peak's lying at each of PLACES_S, (n, places)."""
        out = _run(self._first, np.concatenate((shape, scalars), axis=1))
        return _rounded(out[:, 0]), _rounded(out[:, 1:])

    def second(self, features: Floats) -> Floats:
        """Scores (logits), (n,): above 0 is a beat."""
        return _rounded(_run(self._second, features)[:, 0])


@cache
def qrs_nets() -> QrsNets:
    """The nets of `weights/qrs.npz`, read once. Raises ModelError where the file is not the one on its card."""
    return QrsNets(held_weights(WEIGHTS).arrays)


class GoldenQrs:
    """Both nets on one peak: `shape`, `scalars` and `features` in, the 23 numbers of the card's labels out."""

    step = FLOAT_STEP

    def __init__(self, weights: bytes, card: ModelCard) -> None:
        self._nets = QrsNets(arrays_of(weights, card))

    def __call__(self, **inputs: Floats) -> Floats:
        score, places = self._nets.first(inputs["shape"][None], inputs["scalars"][None])
        return np.concatenate((score, places[0], self._nets.second(inputs["features"][None])))


def _layers(arrays: Mapping[str, NDArray[np.floating]], name: str) -> list[tuple[Floats, Floats]]:
    return [
        (arrays[f"{name}_w{k}"].astype(np.float64), arrays[f"{name}_b{k}"].astype(np.float64)) for k in range(LAYERS)
    ]


def _run(layers: list[tuple[Floats, Floats]], x: Floats) -> Floats:
    for k, (weight, bias) in enumerate(layers):
        x = x @ weight
        x += bias
        if k < len(layers) - 1:
            np.maximum(x, 0.0, out=x)
    return x


def _rounded(x: Floats) -> Floats:
    return np.asarray(np.round(x / ROUNDED_TO) * ROUNDED_TO, dtype=np.float64)
