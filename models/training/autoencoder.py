"""Small dense autoencoders, trained by Adam in numpy alone: a seed gives the same net again.

Every layer is rectified but the middle one, the code, and the last one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Autoencoder:
    """Layer k maps x to x @ weights[k] + biases[k]; layer `code` gives the code."""

    weights: list[Floats]
    biases: list[Floats]
    code: int

    def __call__(self, x: Floats) -> tuple[Floats, Floats]:
        """(code, what is made of it) of each row of `x`."""
        kept = x[:, :0]
        for k, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            x = x @ weight + bias
            if k == self.code:
                kept = x
            elif k < len(self.weights) - 1:
                x = np.maximum(x, 0)
        return kept, x


def fit(
    draw: Callable[[np.random.Generator], tuple[Floats, Floats]],
    sizes: tuple[int, ...],
    code: int,
    weight: Floats,
    *,
    steps: int,
    rate: float = 3e-3,
    decay: float = 1e-5,
    seed: int = 0,
) -> Autoencoder:
    """`draw` gives a batch: what goes in and what is wanted back; each point of it counts `weight` in the loss."""
    rng = np.random.default_rng(seed)
    layers = len(sizes) - 1
    pairs = list(pairwise(sizes))
    weights = [(rng.normal(size=(a, b)) * (2 / a) ** 0.5).astype(np.float32) for a, b in pairs]
    biases = [np.zeros(b, dtype=np.float32) for _, b in pairs]
    parameters = [*weights, *biases]
    first = [np.zeros_like(p) for p in parameters]
    second = [np.zeros_like(p) for p in parameters]
    bent = [k not in (code, layers - 1) for k in range(layers)]
    for step in range(1, steps + 1):
        x, wanted = draw(rng)
        outputs = [x]
        for k in range(layers):
            y = outputs[-1] @ weights[k] + biases[k]
            outputs.append(np.maximum(y, 0) if bent[k] else y)
        slope = (outputs[-1] - wanted) * weight * (2 / wanted.size)
        gradients: list[Floats] = [*weights, *biases]
        for k in range(layers - 1, -1, -1):
            if bent[k]:
                slope = slope * (outputs[k + 1] > 0)
            gradients[k] = outputs[k].T @ slope + decay * weights[k]
            gradients[layers + k] = slope.sum(axis=0)
            slope = slope @ weights[k].T
        now = rate * min(1.0, step / 100) * 0.5 * (1 + np.cos(np.pi * step / steps))
        for k, gradient in enumerate(gradients):
            first[k] += 0.1 * (gradient - first[k])
            second[k] += 0.001 * (gradient * gradient - second[k])
            spread = np.sqrt(second[k] / (1 - 0.999**step)) + 1e-8
            parameters[k] -= (now / (1 - 0.9**step)) * first[k] / spread
    return Autoencoder(weights, biases, code)
