"""The card of the quality net: what is known of it beforehand, and what `models.training.quality` measured."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from models.card import SCHEMA, ModelCard
from models.interpreter import load
from models.quality import CARD
from models.quality_input import FEATURES, LENGTH_S, MOST, POINTS, RATE_HZ, features, wave
from models.training.card_text import card_text
from models.training.reference import reference

if TYPE_CHECKING:
    from models.training.quality import Windows

VERSION = "1.0.0"
USABLE = 0.8
LICENCE = "ODC-By 1.0, as known; to be confirmed before any redistribution of recordings"
Figures = Sequence[tuple[str, float, float, float, str, str]]
GOLDEN = 8
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
                "name": "wave",
                "shape": [POINTS, 2],
                "unit": "sizes of the window's own (98th percentile of its absolute value); none",
                "meaning": "the lead less its baseline, oldest first, and 1 where a beat was found, else 0 "
                "(models/quality_input.py: wave)",
                "low": -MOST,
                "high": MOST,
                "rate_hz": RATE_HZ,
            },
            {
                "name": "features",
                "shape": [len(FEATURES)],
                "unit": "none",
                "meaning": "what is known of the window, in the order of FEATURES in models/quality_input.py",
                "low": -3.0,
                "high": 3.0,
            },
        ],
        "labels": ["right", "noisy"],
        "thresholds": {"usable": USABLE},
        "known_failures": [
            "It hangs on the quality index and on the beats found; where those are wrong alike, so is it.",
            "What MIT-BIH's annotators call noisy can often be read: there it says little.",
            "Fine fibrillation and flat leads were hardly in the data.",
        ],
        "latency_us": {},
        "made_by": "python -m models.training.quality (Keras on TensorFlow 2.21.0, one core)",
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
    from models.training.quality import as_seen

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
    clean = np.flatnonzero(np.char.startswith(windows.condition, "cinc"))
    some = np.random.default_rng(4).permutation(clean)[:_CALLS]
    seen = [as_seen(windows, int(k)) for k in some]
    said = []
    begun = time.process_time()
    for one in seen:
        said.append(net(**one))
    spent_us = (time.process_time() - begun) / len(seen) * 1e6
    raw["latency_us"] = {"x86_64, one thread, mean": round(spent_us, 1)}
    scores = np.array(said)
    values: dict[str, NDArray[np.float64]] = {"right": scores[:, 0], "noisy": scores[:, 1]}
    values["wave"] = np.array([one["wave"].std() for one in seen], np.float64)
    for k in range(len(FEATURES)):
        values[f"features[{k}]"] = np.array([one["features"][k] for one in seen], np.float64)
    raw["reference"] = {name: reference(held) for name, held in values.items()}
    path.write_text(card_text(raw), encoding="utf-8")
    ModelCard.read(path)
    golden(path)


def golden(path: Path = CARD) -> None:
    """Made leads with more and more noise, and what the net beside the card at `path` says of them."""
    rng = np.random.default_rng(11)
    t = np.arange(round(LENGTH_S * RATE_HZ)) / RATE_HZ
    waves, told = [], []
    for k in range(GOLDEN):
        beats = np.arange(0.4, LENGTH_S, 0.7 + 0.05 * k)
        ecg_mv = sum(np.exp(-0.5 * ((t - at) / 0.015) ** 2) for at in beats) + rng.normal(0, 0.02 + 0.08 * k, len(t))
        waves.append(wave(np.asarray(ecg_mv), RATE_HZ, beats).astype(np.float32))
        told.append(features(np.asarray(ecg_mv), RATE_HZ, len(beats), np.full(5, 1 - k / GOLDEN)).astype(np.float32))
    net = load(path)
    scores = [net(wave=w, features=f) for w, f in zip(waves, told, strict=True)]
    held: dict[str, Any] = {"wave": np.array(waves), "features": np.array(told), "scores": np.array(scores)}
    np.savez_compressed(path.with_name("quality.golden.npz"), allow_pickle=False, **held)


if __name__ == "__main__":
    golden()
