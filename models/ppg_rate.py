"""How likely each rate is, from one row of `ppg_rate_features` a rate: a small dense net, the same for every rate.

It learns what a pulse looks like beside a stride, not which rates are common: the rows of all rates go through one net,
and the records it learned from were played at many speeds. The card beside the weights says what they were trained on.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.card import ModelCard
from models.errors import ModelError
from models.held_weights import FLOAT_STEP, arrays_of, held_weights
from models.ppg_rate_features import FEATURES

Floats = NDArray[np.float64]

WEIGHTS = Path(__file__).parent / "weights" / "ppg_rate.npz"
CARD = WEIGHTS.with_suffix(".json")


@dataclass(frozen=True, slots=True)
class RateNet:
    """Layer k maps x to x @ weights[k] + biases[k]; all but the last are rectified."""

    weights: tuple[Floats, ...]
    biases: tuple[Floats, ...]

    def __call__(self, features: Floats) -> Floats:
        """Logits, shape (rates,), from features of shape (rates, FEATURES)."""
        x = features
        for k, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            x = x @ weight
            x += bias
            if k < len(self.weights) - 1:
                np.maximum(x, 0.0, out=x)
        return x[:, 0]


@dataclass(frozen=True, slots=True)
class Trust:
    """Logistic: evidence @ slopes + bias is the log odds that an estimate is right."""

    slopes: Floats
    bias: float


@cache
def rate_net() -> RateNet:
    """Read once. Raises ModelError where the weights are not those of this net, or of the card."""
    return _net(held_weights(WEIGHTS).arrays)


class GoldenRate:
    """`features` of all rates in, one logit a rate out."""

    step = FLOAT_STEP

    def __init__(self, weights: bytes, card: ModelCard) -> None:
        self._net = _net(arrays_of(weights, card))

    def __call__(self, **inputs: Floats) -> Floats:
        return self._net(inputs["features"])


def _net(arrays: dict[str, Floats]) -> RateNet:
    n = sum(name.startswith("w") for name in arrays)
    weights = tuple(arrays[f"w{k}"] for k in range(n))
    biases = tuple(arrays[f"b{k}"] for k in range(n))
    if not n or weights[0].shape[0] != FEATURES or weights[-1].shape[1] != 1:
        have = weights[0].shape[0] if n else 0
        raise ModelError(f"{WEIGHTS.name}: takes {have} features, expected {FEATURES}")
    return RateNet(weights, biases)


@cache
def rate_trust() -> Trust:
    """Read once."""
    arrays = held_weights(WEIGHTS).arrays
    return Trust(arrays["trust_slopes"], float(arrays["trust_bias"]))
