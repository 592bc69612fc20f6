"""The card of the quality net: what is known of it beforehand, and what `models.training.quality` measured."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from models.card import SCHEMA, ModelCard
from models.interpreter import load
from models.quality import CARD
from models.quality_input import FEATURES, MOST, SURE
from models.training.card_text import card_text
from models.training.reference import reference

if TYPE_CHECKING:
    from models.training.quality import Windows

VERSION = "1.0.0"
USABLE = 0.9
LICENCE = "ODC-By 1.0, as known; to be confirmed before any redistribution of recordings"
Figures = Sequence[tuple[str, float, float, float, str, str]]
GOLDEN = 16
_CALLS = 1500


def card(weights: bytes, floating: bytes, *, figures: Figures) -> dict[str, Any]:
    """All but the latency and the reference."""
    variant = {
        "weights": "quality.float32.tflite",
        "sha256": hashlib.sha256(floating).hexdigest(),
        "size_bytes": len(floating),
        "precision": "float32",
        "note": "the same net before it was quantised",
    }
    return {
        "schema": SCHEMA,
        "name": "quality",
        "version": VERSION,
        "weights": "quality.tflite",
        "sha256": hashlib.sha256(weights).hexdigest(),
        "size_bytes": len(weights),
        "precision": "int8, per channel",
        "purpose": "Whether ten seconds of one ECG lead can be read: how likely it is that every beat in them was "
        "found and nothing else, and how likely that a person would call them noise.",
        "not_for": [
            "A diagnosis, or ruling one out: a clean signal is no healthy heart, and a wild one no sick heart.",
            "Deciding which beats are trusted: the quality index of every 2 s does that, and this is told beside it.",
            "A PPG, and leads at under 80 Hz.",
        ],
        "data": [
            {
                "name": "MIT-BIH Arrhythmia Database, 26 of 48 records, both leads",
                "licence": LICENCE,
                "use": "training and testing, people left out",
            },
            {
                "name": "MIT-BIH Noise Stress Test Database",
                "licence": LICENCE,
                "use": "noise added to those, -6 to 12 dB",
            },
            {
                "name": "PhysioNet/CinC Challenge 2017, labels v3: the recordings called noisy, 700 others",
                "licence": LICENCE,
                "use": "training and testing, recordings left out; it names no persons",
            },
        ],
        "split": "Five folds of people (of CinC 2017: recordings), seed 5. Figures are of the net of the fold that "
        "left them out, in whole numbers. A window is in error where the detector missed or made up a beat by more "
        "than 150 ms; the detector that ships has seen these people, and errs more in others. The index was fitted to "
        "the same people, this net to none of those it is tested on. The net that ships was trained on all.",
        "figures": [
            {"name": name, "value": value, "low": low, "high": high, "n": n, "on": on}
            for name, value, low, high, n, on in figures
        ],
        "inputs": [
            {
                "name": "features",
                "shape": [len(FEATURES)],
                "unit": "spreads off the middle (MIDDLE and SPREAD in models/quality_input.py)",
                "meaning": "what is measured of the window, in the order of FEATURES in models/quality_input.py",
                "low": -MOST,
                "high": MOST,
            },
        ],
        "labels": ["right", "noisy"],
        "thresholds": {"usable": USABLE},
        "known_failures": [
            "It hangs on the quality index and on the beats found; where those are wrong alike, so is it.",
            "In recordings without added noise the least index of a window knows the detector's errors as well or "
            "better; what the net does better is noise, wander and muscle above all. So it is asked only where the "
            "index is not sure, and decides nothing about beats.",
            "What MIT-BIH's annotators call noisy can often be read: there it says little.",
            "Fine fibrillation and flat leads were hardly in the data.",
        ],
        "latency_us": {},
        "made_by": "python -m models.training.quality (numpy), export with Keras and TensorFlow 2.21.0",
        "variants": [variant] if floating else [],
        "reference": {},
    }


def write(
    out: Path,
    whole: bytes,
    floating: bytes,
    rows: Sequence[tuple[str, str, float, float, float, str]],
    windows: Windows,
) -> None:
    """Weights, card and golden scores into `out`."""
    figures = [
        (f"AUC, {task}; {way}", round(value, 4), round(low, 4), round(high, 4), n, "people left out")
        for task, way, value, low, high, n in rows
    ]
    raw = card(whole, floating, figures=figures)
    out.mkdir(parents=True, exist_ok=True)
    path = out / CARD.name
    (out / raw["weights"]).write_bytes(whole)
    (out / raw["variants"][0]["weights"]).write_bytes(floating)
    path.write_text(card_text(raw), encoding="utf-8")
    net = load(path)
    held = np.flatnonzero(np.char.startswith(windows.condition, "cinc") & (windows.least_index < SURE))
    x = windows.x[held].astype(np.float64)
    said = net.rows(features=x)
    begun = time.process_time()
    for row in x[:_CALLS]:
        net(features=row)
    raw["latency_us"] = {"x86_64, one thread, mean": round((time.process_time() - begun) / len(x[:_CALLS]) * 1e6, 1)}
    values = {"right": said[:, 0], "noisy": said[:, 1]} | {f"features[{k}]": x[:, k] for k in range(len(FEATURES))}
    raw["reference"] = {name: reference(column) for name, column in values.items()}
    path.write_text(card_text(raw), encoding="utf-8")
    ModelCard.read(path)
    golden(path)


def golden(path: Path = CARD) -> None:
    """Features by chance, and what the net beside the card at `path` says of them."""
    x = np.random.default_rng(11).normal(0, 1, (GOLDEN, len(FEATURES))).clip(-MOST, MOST).astype(np.float32)
    scores = load(path).rows(features=x)
    np.savez_compressed(path.with_name("quality.golden.npz"), allow_pickle=False, features=x, scores=scores)


if __name__ == "__main__":
    golden()
