"""Puts how what a model sees and says spreads over recordings on its card: python -m benchmarks.references

    python -m benchmarks.references beat --input 5 --input 18 RECORD...

The recordings go through `vitalkeep analyze` as a wearer's would, so it is for models that run there; give it the ones
that the model was made from. --input PLACE counts one number of its first input, --wave its spread.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from device_pipeline.config import Limits
from models.card import ModelCard
from models.observer import observing
from models.registry import row_of
from models.training.reference import put, reference, value
from vitalkeep.analysis import analyze_path


class _Held:
    """An Observer that keeps the numbers themselves."""

    def __init__(self, name: str, quantities: list[str]) -> None:
        self._name = name
        self.values: dict[str, list[float]] = {quantity: [] for quantity in quantities}

    def __call__(self, card: ModelCard, inputs: Mapping[str, NDArray[Any]], scores: NDArray[np.float64]) -> None:
        if card.name == self._name:
            for quantity, held in self.values.items():
                held.append(value(quantity, card, inputs, scores))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name")
    parser.add_argument("records", nargs="+")
    parser.add_argument("--input", action="append", default=[], metavar="PLACE", help="of the first input; again")
    parser.add_argument("--wave", action="store_true", help="the standard deviation of the first input")
    wanted = parser.parse_args()
    row = row_of(wanted.name)
    if row is None:
        parser.error(f"no model {wanted.name!r}")
    card = ModelCard.read(row.card)
    first = card.inputs[0].name
    quantities = [*card.labels, *(f"{first}[{place}]" for place in wanted.input), *([first] if wanted.wave else [])]
    held = _Held(wanted.name, quantities)
    with observing(held):
        for record in wanted.records:
            analyze_path(Path(record), limits=Limits())
            print(f"{record}: {len(held.values[quantities[0]]):,} calls so far", flush=True)
    put(row.card, {quantity: reference(np.array(found)) for quantity, found in held.values.items()})


if __name__ == "__main__":
    main()
