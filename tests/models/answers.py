"""What every net of TFLite says of many inputs: python -m tests.models.answers FILE.npz, in any environment.

The runtime is the one that VITALKEEP_TFLITE names. The inputs are the golden ones and seeded random ones over the
ranges on the card: noise that no wearer has ever had, but that reaches every corner of the arithmetic.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.card import ModelCard
from models.interpreter import Net
from models.registry import MODELS, ModelRow
from models.runtime import runtime

RANDOM_N = 60
SUFFIX = ".tflite"


def nets() -> Iterator[tuple[str, ModelRow, ModelCard, Net]]:
    """(name of the file, row, card, net) of every .tflite that stands on a card of the registry."""
    for row in MODELS:
        card = ModelCard.read(row.card)
        for weights in (card.weights, *(variant.weights for variant in card.variants)):
            if weights.endswith(SUFFIX):
                yield weights, row, card, Net(row.card.with_name(weights).read_bytes(), card)


def inputs(row: ModelRow, card: ModelCard) -> Iterator[dict[str, NDArray[np.float32]]]:
    """The golden inputs, then random ones: a third over the whole range, the others within a tenth and a third."""
    with np.load(row.golden) as golden:
        for k in range(len(golden["scores"])):
            yield {spec.name: golden[spec.name][k].astype(np.float32) for spec in card.inputs}
    rng = np.random.default_rng(20)
    for k in range(RANDOM_N):
        share = (0.1, 1 / 3, 1.0)[k % 3]
        yield {
            spec.name: np.clip(
                rng.uniform(share * spec.low, share * spec.high, spec.shape) + rng.normal(0, 0.02, spec.shape),
                spec.low,
                spec.high,
            ).astype(np.float32)
            for spec in card.inputs
        }


def main(path: Path) -> None:
    print(runtime()[0], np.__version__)
    said = {}
    for name, row, card, net in nets():
        said[name] = np.array([net(**given) for given in inputs(row, card)])
        said[f"{name} step"] = np.array(net.step)
    np.savez(path, **said)  # type: ignore[arg-type]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
