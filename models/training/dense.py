"""Small dense nets with rectified hidden layers, trained by Adam in numpy alone: a seed gives the same net again.

The net's first output is the logit of a class; the others, where there are any, the logits of places, of which one is
right where the class is there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

PLACES_COUNT = 0.3  # of the loss, beside the class


@dataclass(frozen=True, slots=True)
class Net:
    """Layer k maps x to x @ weights[k] + biases[k]; all but the last are rectified."""

    weights: list[Floats]
    biases: list[Floats]

    def __call__(self, x: Floats) -> Floats:
        """Shape (n, inputs) to (n, outputs)."""
        done = [self._layers(x[at : at + 65536]) for at in range(0, len(x), 65536)]
        return np.concatenate(done) if done else np.empty((0, len(self.biases[-1])), dtype=np.float32)

    def _layers(self, x: Floats) -> Floats:
        for k, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            x = x @ weight + bias
            if k < len(self.weights) - 1:
                x = np.maximum(x, 0)
        return x


def fit(
    x: Floats,
    wanted: Floats,
    weight: Floats,
    hidden: tuple[int, ...],
    *,
    places: Floats | None = None,
    epochs: int = 8,
    batch: int = 1024,
    rate: float = 2e-3,
    decay: float = 1e-5,
    seed: int = 0,
) -> Net:
    """A net for `wanted` (n,) of 0 and 1, each example counting `weight`.

    `places` (n, m): the share of each place where the class is there, nothing but zeros where it is not or not known.

    Inputs are standardised while training; the net that comes back takes them as they are.
    """
    rng = np.random.default_rng(seed)
    mean, spread = x.mean(axis=0), x.std(axis=0) + 1e-6
    sizes = (x.shape[1], *hidden, 1 if places is None else 1 + places.shape[1])
    layers = len(sizes) - 1
    weights = [(rng.normal(size=(a, b)) * (2 / a) ** 0.5).astype(np.float32) for a, b in zip(sizes, sizes[1:])]  # noqa: B905, RUF007
    weights[-1] *= 0.1
    biases = [np.zeros(b, dtype=np.float32) for b in sizes[1:]]
    parameters = [*weights, *biases]
    first = [np.zeros_like(p) for p in parameters]
    second = [np.zeros_like(p) for p in parameters]
    step, steps = 0, epochs * (len(x) // batch)
    for _ in range(epochs):
        order = rng.permutation(len(x))
        for at in range(0, len(x) - batch + 1, batch):
            rows = order[at : at + batch]
            outputs = [(x[rows] - mean) / spread]
            for k in range(layers):
                y = outputs[-1] @ weights[k] + biases[k]
                outputs.append(np.maximum(y, 0) if k < layers - 1 else y)
            chance = 1 / (1 + np.exp(-outputs[-1][:, 0]))
            slope = np.zeros_like(outputs[-1])
            slope[:, 0] = (chance - wanted[rows]) * weight[rows] / batch
            if places is not None:
                right = places[rows]
                shares = np.exp(outputs[-1][:, 1:] - outputs[-1][:, 1:].max(axis=1, keepdims=True))
                shares /= shares.sum(axis=1, keepdims=True)
                known = right.sum(axis=1) * weight[rows]
                slope[:, 1:] = PLACES_COUNT * (shares - right) * (known / batch)[:, None]
            gradients: list[Floats] = [*weights, *biases]
            for k in range(layers - 1, -1, -1):
                gradients[k] = outputs[k].T @ slope + decay * weights[k]
                gradients[layers + k] = slope.sum(axis=0)
                slope = (slope @ weights[k].T) * (outputs[k] > 0)
            step += 1
            now = rate * min(1.0, step / 200) * 0.5 * (1 + np.cos(np.pi * step / steps))
            for k, gradient in enumerate(gradients):
                first[k] += 0.1 * (gradient - first[k])
                second[k] += 0.001 * (gradient * gradient - second[k])
                spread_now = np.sqrt(second[k] / (1 - 0.999**step)) + 1e-8
                parameters[k] -= (now / (1 - 0.9**step)) * first[k] / spread_now
    biases[0] -= (mean / spread) @ weights[0]
    weights[0] /= spread[:, None]
    return Net(weights, biases)
