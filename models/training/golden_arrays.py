"""Makes the golden inputs and scores of models that take features: python -m models.training.golden_arrays [NAME ...]

Inputs are noise of the size that the features have, from fixed seeds: the law asks only that the same weights say the
same of them for ever.
"""

from __future__ import annotations

import argparse

import numpy as np

from models.card import ModelCard
from models.registry import MODELS

ROWS = {"qrs": 24, "ppg_rate": 2, "respiration": 1, "beat": 16, "rhythm": 16}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", choices=[*ROWS, []], help="all without it")
    wanted = parser.parse_args().names or list(ROWS)
    for row in MODELS:
        if row.name not in wanted:
            continue
        card = ModelCard.read(row.card)
        scorer = row.scorer(row.card.with_name(card.weights).read_bytes(), card)
        rng = np.random.default_rng(11)
        # float16 keeps the file small, and is exact again in the float64 that the nets in numpy run in
        kind = np.float32 if card.weights.endswith(".tflite") else np.float16
        inputs = {
            spec.name: np.clip(rng.normal(0, 1, (ROWS[row.name], *spec.shape)), spec.low, spec.high).astype(kind)
            for spec in card.inputs
        }
        said = [
            scorer(**{name: x[k] if kind is np.float32 else x[k].astype(np.float64) for name, x in inputs.items()})
            for k in range(ROWS[row.name])
        ]
        np.savez_compressed(row.golden, allow_pickle=False, **inputs, scores=np.array(said))
        print(f"{row.golden.name}: {row.golden.stat().st_size} bytes")


if __name__ == "__main__":
    main()
