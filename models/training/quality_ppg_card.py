"""The card of the PPG quality net: what is known of it beforehand, and what `models.training.quality_ppg` measured."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from models.card import SCHEMA, ModelCard
from models.interpreter import load
from models.quality_ppg import CARD
from models.quality_ppg_input import FEATURES, MOST
from models.training.card_text import card_text
from models.training.reference import reference

if TYPE_CHECKING:
    from models.training.quality_ppg import Row, Windows

VERSION = "1.0.0"
USABLE = 0.9
Figures = Sequence[tuple[str, float, float, float, str, str]]
GOLDEN = 16
_CALLS = 1500


def card(weights: bytes, floating: bytes, *, figures: Figures) -> dict[str, Any]:
    """All but the latency and the reference."""
    variant = {
        "weights": "quality_ppg.float32.tflite",
        "sha256": hashlib.sha256(floating).hexdigest(),
        "size_bytes": len(floating),
        "precision": "float32",
        "note": "the same net before it was quantised",
    }
    return {
        "schema": SCHEMA,
        "name": "quality_ppg",
        "version": VERSION,
        "weights": "quality_ppg.tflite",
        "sha256": hashlib.sha256(weights).hexdigest(),
        "size_bytes": len(weights),
        "precision": "int8, per channel",
        "purpose": "Whether ten seconds of one pulse wave can be read: how likely it is that every beat of the heart "
        "in them was found as a pulse, and nothing else.",
        "not_for": [
            "A diagnosis, or ruling one out: a clean wave is no healthy heart, and a wild one no sick heart.",
            "Deciding which beats are trusted: the quality index of every 2 s does that, and this is told beside it.",
            "An ECG, and waves at under 20 Hz.",
        ],
        "data": [
            {
                "name": "BIDMC PPG and Respiration Dataset, 26 of 53 records",
                "licence": "ODC-By 1.0, as known; to be confirmed before any redistribution of recordings",
                "use": "training and testing as recorded and with noise made on it, people left out",
            },
            {
                "name": "IEEE Signal Processing Cup 2015, 12 training recordings, both PPG, with acceleration",
                "licence": "research, unstated",
                "use": "training and testing, people left out",
            },
            {
                "name": "Welltory PPG, 11 of 21 people, phone cameras beside a strap",
                "licence": "CC0",
                "use": "training and testing as recorded and with noise made on it, people left out",
            },
        ],
        "split": "Six folds of people, seed 5; records of one person in one fold. Figures are of the net of the fold "
        "that left them out, in whole numbers. A window is wrong unless, at the delay that suits it best, each beat of "
        "the ECG (of Welltory: of the strap) has one pulse of the detector within 100 ms and no pulse is left over, "
        "whether or not the index trusts them; windows without a sure reference are left out. Made noise: wander, "
        "white noise, motion with and without a rhythm, knocks, a pulse that fades; half of it comes and goes. The "
        "index was fitted to the same people, this net to none of those it is tested on. How long it learns and which "
        "windows are plain (they come first, and it is not asked) were chosen on these figures. 'Such a net' is one "
        "that saw nothing of that data set or kind of noise. The net that ships was trained on all.",
        "figures": [
            {"name": name, "value": value, "low": low, "high": high, "n": n, "on": on}
            for name, value, low, high, n, on in figures
        ],
        "inputs": [
            {
                "name": "features",
                "shape": [len(FEATURES)],
                "unit": "spreads off the middle (MIDDLE and SPREAD in models/quality_ppg_input.py)",
                "meaning": "what is measured of the window, in the order of FEATURES in models/quality_ppg_input.py",
                "low": -MOST,
                "high": MOST,
            },
        ],
        "labels": ["right"],
        "thresholds": {"usable": USABLE},
        "known_failures": [
            "Few uneven rhythms were in the data; one may look to it like errors of the detector.",
            "On the wrist in motion hardly a window is right, and there it knows little more than the index.",
            "Where the index trusts no part of a window it is not asked, since no beat is told there; some of those "
            "windows are right. Nor is it where the index is sure and the beats are even.",
            "Motion with a rhythm like that of a heart can pass for a pulse: a net that had not learnt from made "
            "steps knew it no better than the index.",
            "A sensor unlike those it learnt from costs it much: with a whole data set left out it knew less, of the "
            "wrist in motion less than the index. The noise made on recordings is not all that a sensor meets; few "
            "people were recorded, all at rest or on a treadmill.",
        ],
        "latency_us": {},
        "made_by": "python -m models.training.quality_ppg (numpy), export with Keras and TensorFlow 2.21.0",
        "variants": [variant] if floating else [],
        "reference": {},
    }


def write(
    out: Path,
    whole: bytes,
    floating: bytes,
    rows: Sequence[Row],
    windows: Windows,
) -> None:
    """Weights, card and golden scores into `out`."""
    figures = [
        (f"AUC, {task}; {way}", round(value, 4), round(low, 4), round(high, 4), n, on)
        for task, way, value, low, high, n, on in rows
    ]
    raw = card(whole, floating, figures=figures)
    out.mkdir(parents=True, exist_ok=True)
    path = out / CARD.name
    (out / raw["weights"]).write_bytes(whole)
    (out / raw["variants"][0]["weights"]).write_bytes(floating)
    path.write_text(card_text(raw), encoding="utf-8")
    net = load(path)
    x = windows.x[~windows.made & windows.readable & ~windows.plain].astype(np.float64)  # what it is asked about
    said = net.rows(features=x)
    begun = time.process_time()
    for row in x[:_CALLS]:
        net(features=row)
    raw["latency_us"] = {"x86_64, one thread, mean": round((time.process_time() - begun) / len(x[:_CALLS]) * 1e6, 1)}
    values = {"right": said[:, 0]} | {f"features[{k}]": x[:, k] for k in range(len(FEATURES))}
    raw["reference"] = {name: reference(column) for name, column in values.items()}
    path.write_text(card_text(raw), encoding="utf-8")
    ModelCard.read(path)
    golden(path)


def golden(path: Path = CARD) -> None:
    """Features by chance, and what the net beside the card at `path` says of them."""
    x = np.random.default_rng(11).normal(0, 1, (GOLDEN, len(FEATURES))).clip(-MOST, MOST).astype(np.float32)
    scores = load(path).rows(features=x)
    np.savez_compressed(path.with_name("quality_ppg.golden.npz"), allow_pickle=False, features=x, scores=scores)


if __name__ == "__main__":
    golden()
