"""Arrays of weights are given out only where the file is the one that the card beside it names."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.errors import CardMismatchError, ModelError


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
        card = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        name, version, expected = str(card["name"]), str(card["version"]), str(card["sha256"])
        data = path.read_bytes()
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise ModelError(f"{path.name}: cannot be read with its card ({type(problem).__name__})") from problem
    found = hashlib.sha256(data).hexdigest()
    if found != expected:
        raise CardMismatchError(f"{path.name}: sha256 {found[:12]}…, expected {expected[:12]}… as its card says")
    with np.load(BytesIO(data), allow_pickle=False) as arrays:
        return HeldWeights(name, version, {part: arrays[part].astype(np.float64) for part in arrays.files})
