"""One compiled Keras model, trained again and again from fresh weights: compiling costs more than an epoch here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

Batches = Callable[[int], tuple[list[NDArray[np.float32]], NDArray[np.float32]]]


def weighted_cross_entropy(y: Any, p: Any) -> Any:
    """`y`: soft labels, each row already multiplied by the weight of its example."""
    return -keras.ops.sum(y * keras.ops.log(keras.ops.clip(p, 1e-6, 1.0)), axis=-1)


class Trainer:
    """AdamW under a warm-up of two epochs and a cosine, `steps` batches an epoch."""

    def __init__(self, make: Callable[[], Any], steps: int, epochs: int, rate: float) -> None:
        self._make = make
        self._steps = steps
        self._epochs = epochs
        self.model = make()
        schedule = keras.optimizers.schedules.CosineDecay(
            rate * 0.05, max(1, steps * (epochs - 2)), alpha=0.01, warmup_target=rate, warmup_steps=2 * steps
        )
        self._optimizer = keras.optimizers.AdamW(schedule, weight_decay=1e-4, clipnorm=1.0)
        self.model.compile(optimizer=self._optimizer, loss=weighted_cross_entropy, steps_per_execution=8)
        self._optimizer.build(self.model.trainable_variables)

    def run(self, batches: Batches, seed: int) -> None:
        """From weights made with `seed`; `batches(epoch)` gives the inputs and the weighted labels of one epoch."""
        keras.utils.set_random_seed(seed)
        self.model.set_weights(self._make().get_weights())
        for variable in self._optimizer.variables:
            if "learning_rate" not in variable.path:
                variable.assign(np.zeros(variable.shape, dtype=str(variable.dtype)))
        for epoch in range(self._epochs):
            x, y = batches(epoch)
            self.model.fit(x, y, batch_size=len(y) // self._steps, epochs=1, shuffle=False, verbose=0)
