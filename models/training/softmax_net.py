"""A small dense net of classes, trained by Adam in numpy alone: a seed gives the same net again.

Few people stand behind many beats, so it is held back: noise on what goes in, parts left out, weights that decay, and
an average over the second half of its steps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
_BATCH, _RATE, _DECAY = 256, 3e-3, 3e-3
_NOISE, _LEFT_OUT, _DROPPED, _SMOOTH = 0.4, 0.15, 0.3, 0.02


@dataclass(frozen=True, slots=True)
class SoftmaxNet:
    """Layer k maps x to x @ weights[k] + biases[k]; all but the last are rectified, the last is a softmax."""

    weights: list[Floats]
    biases: list[Floats]

    def __call__(self, x: Floats) -> Floats:
        """Shape (n, inputs) to (n, classes)."""
        for k, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            x = x @ weight + bias
            if k < len(self.weights) - 1:
                x = np.maximum(x, 0)
        x = np.exp(x - x.max(axis=1, keepdims=True))
        return np.asarray(x / x.sum(axis=1, keepdims=True), dtype=np.float32)


def fit(
    x: Floats,
    wanted: NDArray[np.int64],
    weight: NDArray[np.float64],
    classes: int,
    *,
    hidden: tuple[int, ...],
    steps: int,
    turned: list[int],
    seed: int,
) -> SoftmaxNet:
    """Of examples drawn as often as `weight` says; columns `turned` change sign in half of them (the lead upside down).

    Inputs are standardised while training; the net that comes back takes them as they are.
    """
    rng = np.random.default_rng(seed)
    mean, spread = x.mean(axis=0), x.std(axis=0) + 1e-2
    scaled = ((x - mean) / spread).astype(np.float32)
    sizes = (x.shape[1], *hidden, classes)
    layers = len(sizes) - 1
    parameters = [
        (rng.normal(size=(a, b)) * (2 / a) ** 0.5).astype(np.float32)
        for a, b in zip(sizes, sizes[1:], strict=False)  # noqa: RUF007
    ]
    parameters[-1] *= 0.2
    parameters += [np.zeros(b, dtype=np.float32) for b in sizes[1:]]
    first = [np.zeros_like(p) for p in parameters]
    second = [np.zeros_like(p) for p in parameters]
    settled = [p.copy() for p in parameters]
    targets = (np.eye(classes)[wanted] * (1 - _SMOOTH) + _SMOOTH / classes).astype(np.float32)
    drawn = np.cumsum(weight / weight.sum())
    shift = (2 * mean / spread).astype(np.float32)[turned]
    for step in range(1, steps + 1):
        rows = np.minimum(np.searchsorted(drawn, rng.random(_BATCH)), len(x) - 1)
        seen = scaled[rows] + rng.normal(0, _NOISE, (_BATCH, x.shape[1])).astype(np.float32)
        over = np.ix_(np.flatnonzero(rng.random(_BATCH) < 0.5), np.array(turned))
        seen[over] = -seen[over] - shift
        seen *= rng.random(seen.shape) > _LEFT_OUT
        outputs = [seen]
        for k in range(layers):
            y = outputs[-1] @ parameters[k] + parameters[layers + k]
            if k < layers - 1:
                y = np.maximum(y, 0) * (rng.random(y.shape) > _DROPPED).astype(np.float32) / (1 - _DROPPED)
            outputs.append(y)
        shares = np.exp(outputs[-1] - outputs[-1].max(axis=1, keepdims=True))
        slope = (shares / shares.sum(axis=1, keepdims=True) - targets[rows]) / _BATCH
        rate = _RATE * min(1, step / 100) * 0.5 * (1 + np.cos(np.pi * step / steps))
        gradients = list(parameters)
        for k in range(layers - 1, -1, -1):
            gradients[k], gradients[layers + k] = outputs[k].T @ slope, slope.sum(axis=0)
            if k:
                slope = (slope @ parameters[k].T) * (outputs[k] > 0) / (1 - _DROPPED)
        for k, gradient in enumerate(gradients):
            first[k] += 0.1 * (gradient - first[k])
            second[k] += 0.002 * (gradient * gradient - second[k])
            move = first[k] / (1 - 0.9**step) / (np.sqrt(second[k] / (1 - 0.998**step)) + 1e-8)
            parameters[k] -= (rate * (move + (_DECAY if k < layers else 0.0) * parameters[k])).astype(np.float32)
            settled[k] += (0.01 if step > steps // 2 else 1.0) * (parameters[k] - settled[k])
    weights, biases = settled[:layers], settled[layers:]
    biases[0] -= (mean / spread) @ weights[0]
    weights[0] = weights[0] / spread[:, None].astype(np.float32)
    return SoftmaxNet(weights, biases)
