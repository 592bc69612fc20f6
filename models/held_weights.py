"""Arrays of weights are given out only where the file is the one that the card beside it names."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.arrays import read_arrays
from models.card import ModelCard
from models.errors import CardMismatchError, ModelError

FLOAT_STEP = 1e-5  # how far scores of one and the same net in floating point may differ between machines


@dataclass(frozen=True, slots=True)
class HeldWeights:
    """`arrays` by name, in float64; `name` and `version` are those of the card."""

    name: str
    version: str
    arrays: dict[str, NDArray[np.float64]]


def held_weights(path: Path) -> HeldWeights:
    """The .npz at `path`, its card beside it under the same name with .json.

    Raises ModelError where one of the two cannot be read, CardMismatchError where they do not belong together.
    """
    try:
        card = ModelCard.read(path.with_suffix(".json"))
        data = path.read_bytes()
    except OSError as problem:
        raise ModelError(f"{path.name}: cannot be read with its card ({type(problem).__name__})") from problem
    except ModelError as problem:
        raise ModelError(f"{path.name}: {problem}") from problem
    return HeldWeights(card.name, card.version, arrays_of(data, card))


def arrays_of(data: bytes, card: ModelCard) -> dict[str, NDArray[np.float64]]:
    """Raises CardMismatchError where `data` is not the file of `card`, ModelError where it cannot be read."""
    found = hashlib.sha256(data).hexdigest()
    if found != card.sha256:
        raise CardMismatchError(f"{card.weights}: sha256 {found[:12]}…, expected {card.sha256[:12]}… as its card says")
    return {part: array.astype(np.float64) for part, array in read_arrays(data, card.weights).items()}
