"""Puts how far one person lies from a model's reference on its card: python -m benchmarks.reference_people RECORD...

One record of each person that the model was made from, long enough: for every model that `vitalkeep analyze` calls and
whose card has a reference, the largest population stability index that any of them comes to, quantity by quantity.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from pathlib import Path

from device_pipeline.config import Limits
from models.drift import drift
from models.observer import observing
from models.registry import row_of
from models.training.reference import put
from models.watched import WatchedModels
from vitalkeep.analysis import analyze_path

LEAST_PEOPLE = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("records", nargs="+")
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for record in parser.parse_args().records:
        models = WatchedModels()
        with observing(models):
            analyze_path(Path(record), limits=Limits())
        for card, seen in models.take():
            for quantity, counts in seen.items():
                if (moved := drift(card.reference[quantity], counts).psi) is not None:
                    found[card.name][quantity].append(moved)
        print(record, flush=True)
    for name, people in found.items():
        row = row_of(name)
        if row is None or min(map(len, people.values())) < LEAST_PEOPLE:
            continue
        held = json.loads(row.card.read_text(encoding="utf-8"))["reference"]
        for quantity, psi in people.items():
            held[quantity]["person"] = round(max(psi), 3)
            print(f"{name} {quantity}: {held[quantity]['person']} of {len(psi)} people", flush=True)
        put(row.card, held)


if __name__ == "__main__":
    main()
