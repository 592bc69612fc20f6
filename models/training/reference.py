"""Puts how inputs and scores of a model spread where it was made on its card: python -m models.training.reference

What is counted is named as models/watched.py says. Edges are deciles, so that every bin holds a share to compare with;
a number that takes few values has fewer bins.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.card import ModelCard

BINS = 10
_DIGITS = 4


def reference(values: NDArray[np.float64], bins: int = BINS) -> dict[str, list[float]]:
    """`edges` and `shares` of `values` (n,), as they stand on a card."""
    edges = np.unique(np.round(np.quantile(values, np.arange(1, bins) / bins), _DIGITS))
    edges = edges[edges > values.min()]
    if not len(edges):  # one value more than nine times in ten: it, and what lies above
        edges = np.array([float(np.round(values.min() + 10.0**-_DIGITS, _DIGITS))])
    n = np.bincount(np.searchsorted(edges, values, side="right"), minlength=len(edges) + 1)
    shares = np.round(n / n.sum(), 5)
    shares[np.argmax(shares)] += 1.0 - shares.sum()
    return {"edges": edges.tolist(), "shares": np.round(shares, 5).tolist()}


def references(
    calls: Iterable[tuple[Mapping[str, NDArray[Any]], NDArray[np.float64]]], card: ModelCard, quantities: Iterable[str]
) -> dict[str, dict[str, list[float]]]:
    """Of the named quantities, over calls (inputs by name, scores)."""
    values: dict[str, list[float]] = {name: [] for name in quantities}
    for inputs, scores in calls:
        for name, held in values.items():
            held.append(value(name, card, inputs, scores))
    return {name: reference(np.array(held)) for name, held in values.items()}


def value(name: str, card: ModelCard, inputs: Mapping[str, NDArray[Any]], scores: NDArray[np.float64]) -> float:
    """One quantity of one call."""
    if name in card.labels:
        return float(scores[card.labels.index(name)])
    if "[" in name:
        part, place = name.removesuffix("]").split("[")
        return float(inputs[part].reshape(-1)[int(place)])
    row = inputs[name].reshape(-1)
    return float(row[0]) if row.size == 1 else float(row.std())


def put(path: Path, made: Mapping[str, Mapping[str, list[float]]]) -> None:
    """Onto the card, whose other lines stay as they are. Raises ValueError where it holds no "reference"."""
    text = path.read_text(encoding="utf-8")
    held = json.loads(text)["reference"]
    start = text.index('"reference"') + len('"reference"')
    start = text.index("{", start)
    _, length = json.JSONDecoder().raw_decode(text[start:])
    lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(dict(of))}" for name, of in made.items())
    assert isinstance(held, dict)
    path.write_text(f"{text[:start]}{{\n{lines}\n }}{text[start + length :]}", encoding="utf-8")
    ModelCard.read(path)


def main() -> None:
    """The card of `screen`: what the net that ships sees and says of the recordings it was made from."""
    from models.interpreter import load
    from models.screen import CARD
    from models.screen_input import FEATURES, MOST
    from models.training import cinc2017

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder of CinC 2017")
    parser.add_argument("--scratch", type=Path, required=True, help="where what was read from it is kept")
    wanted = parser.parse_args()
    looks = cinc2017.read(wanted.data, wanted.scratch)
    net = load(CARD)
    told = [f"features[{FEATURES.index(name)}]" for name in ("rate", "spread", "shape_mean", "p_height", "beats")]

    def calls() -> Iterable[tuple[Mapping[str, NDArray[Any]], NDArray[np.float64]]]:
        for row, features in zip(looks.waves, looks.features, strict=True):
            inputs = {"wave": row.astype(np.float64)[:, None] * (MOST / 127), "features": features}
            yield inputs, net(**inputs)

    put(CARD, references(calls(), net.card, [*net.card.labels, "wave", *told]))


if __name__ == "__main__":
    main()
