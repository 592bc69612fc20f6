"""The card of the net for shapes: what is known of it beforehand, and what `models.training.morphology` measured."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.card import SCHEMA, ModelCard
from models.interpreter import load
from models.morphology import CARD, CODE
from models.morphology_input import LOOKED_AT, MOST
from models.training.card_text import card_text
from models.training.reference import reference

VERSION = "1.0.0"
LICENCE = "ODC-By 1.0, as known; to be confirmed before any redistribution of recordings"
Figures = Sequence[tuple[str, float, float, float, str, str]]
GOLDEN = 8
REFERENCES = ("wave", "c0", "c1", "c2", "c3")
_CALLS = 2000
_SHAPES = ((-0.8, 1.2), (0.05, 0.5), (-1.0, 1.0))  # of bells: place, width, height


def card(weights: bytes, floating: bytes, odd: float, *, figures: Figures, latency_us: float) -> dict[str, Any]:
    """All but the reference."""
    variants = [] if not floating else [_variant(floating)]
    return {
        "schema": SCHEMA,
        "name": "morphology",
        "version": VERSION,
        "weights": "morphology.tflite",
        "sha256": hashlib.sha256(weights).hexdigest(),
        "size_bytes": len(weights),
        "precision": "int8, per channel",
        "purpose": "How unlike the wearer's own usual beats the shape of a beat of one ECG lead is, once it has seen "
        "some hundred of them: a distance in the code of an autoencoder, in times of the usual one.",
        "not_for": [
            "A diagnosis, or ruling one out: it says that a beat looks different, not what it is nor what it means.",
            "Early beats of the usual shape (most supraventricular ones): it does not look at time.",
            "Beats of a poor signal: noise looks different too.",
            "Comparing people: a score is in times of the wearer's own usual distance.",
        ],
        "data": [
            {
                "name": "MIT-BIH Arrhythmia Database, 26 of 48 records (DS1 and paced), both leads",
                "licence": LICENCE,
                "use": "training on N beats, and testing by people left out",
            },
            {
                "name": "PhysioNet/CinC Challenge 2017, 700 of the recordings labelled normal, labels v3",
                "licence": LICENCE,
                "use": "training alone",
            },
            {
                "name": "MIT-BIH Noise Stress Test Database, record em",
                "licence": LICENCE,
                "use": "testing under noise",
            },
        ],
        "split": "Five folds of people in the order of their records, every fifth one in a fold (MIT-BIH 201's other "
        "record, 202, is in none). Each person is scored, in whole numbers, by the net of the fold that left them out, "
        "on the first lead of the record, after a calibration on their own first 400 beats as they come, unlabelled. "
        "Beats are those that vitalkeep finds; its detector was trained on these records. The threshold comes from "
        "the same people. The net that ships was trained on all.",
        "figures": [
            {"name": name, "value": value, "low": low, "high": high, "n": n, "on": on}
            for name, value, low, high, n, on in figures
        ],
        "inputs": [
            {
                "name": "wave",
                "shape": [LOOKED_AT],
                "unit": "half the wearer's usual QRS, from its lowest to its highest point",
                "meaning": "0.2 s before the R peak to 0.3 s after, mean 0, oldest first (models/morphology_input.py)",
                "low": -MOST,
                "high": MOST,
                "rate_hz": 128.0,
            }
        ],
        "labels": [*(f"c{k}" for k in range(CODE)), *(f"w{k}" for k in range(LOOKED_AT))],
        "thresholds": {"odd": odd},
        "known_failures": [
            "A wearer whose first beats are odd ones in their majority is calibrated on those.",
            "Two usual shapes (a bundle branch block that comes and goes): the rarer one is odd.",
            "Odd beats whose shape is nearly the usual one in this lead are missed.",
            "In a clean signal it serves the median person no better than the correlation with the usual beat does; "
            "where it does better is in the people whom that fails, and in noise.",
            "In minutes much faster than those it learnt from (three quarters of their usual interval) only the QRS is "
            "looked at, since the waves of the beats beside it come into view; and still more usual beats are odd.",
            "Where the electrodes are moved, everything is odd until it is calibrated anew.",
        ],
        "latency_us": {"x86_64, one thread, ai-edge-litert, one of many rows": round(latency_us, 1)},
        "made_by": "python -m models.training.morphology (numpy), export with Keras and TensorFlow 2.21.0",
        "variants": variants,
        "reference": {},
    }


def _variant(floating: bytes) -> dict[str, Any]:
    return {
        "weights": "morphology.float32.tflite",
        "sha256": hashlib.sha256(floating).hexdigest(),
        "size_bytes": len(floating),
        "precision": "float32",
        "note": "the same net before it was quantised",
    }


def figures(table: dict[str, Any], odd: float) -> Figures:
    """What stands on the card, from the table that `models.training.morphology.evaluate` made."""
    from models.training.morphology import interval

    people = list(table["people"].values())
    n = f"{len(people)} people with 5 V or F beats or more after their calibration"
    rows: list[tuple[str, float, float, float, str, str]] = []

    def add(name: str, values: list[float], on: str, of: Any = np.median, who: str = n) -> None:
        value, low, high = (round(x, 4) for x in interval(values, of))
        rows.append((name, value, low, high, who, on))

    told = {"morphology": "this model", "correlation": "instead: 1 - correlation with the usual beat"}
    told |= {"template": "instead: distance from the usual beat in robust spreads"}
    told |= {"pca": "instead: what 8 components of the wearer's own beats leave over"}
    for kind, what in (("clean", "as recorded"), ("noisy", "electrode motion at 6 dB added throughout")):
        for way, name in told.items():
            values = [row[kind][way] for row in people]
            add(f"AUC of V and F beats, {what}, median; {name}", values, "MIT-BIH, people left out")
            add(f"AUC of V and F beats, {what}, mean; {name}", values, "MIT-BIH, people left out", np.mean)
    minutes = [row["minute"] for row in people if "minute" in row]
    add(
        "AUC of minutes with a V or F beat, by their highest score, median",
        minutes,
        "MIT-BIH, people left out",
        who=f"{len(minutes)} people with both kinds of minute",
    )
    found = [float((row["found"] >= odd).mean()) for row in people]
    add("share of V and F beats called odd, median", found, "MIT-BIH, people left out")
    usual = [float((score >= odd).mean()) for score in table["usual"].values()]
    for name, of in (("median", np.median), ("mean", np.mean)):
        add(f"share of other beats called odd, {name}", usual, "MIT-BIH, people left out", of, f"{len(usual)} people")
    return rows


def write(out: Path, whole: bytes, floating: bytes, odd: float, told: Figures, usual: NDArray[np.float32]) -> None:
    """Weights, card and golden scores into `out`."""
    out.mkdir(parents=True, exist_ok=True)
    path = out / CARD.name
    raw = card(whole, floating, odd, figures=told, latency_us=0.0)
    (out / raw["weights"]).write_bytes(whole)
    (out / raw["variants"][0]["weights"]).write_bytes(floating)
    path.write_text(card_text(raw), encoding="utf-8")
    net = load(path)
    rows = usual[np.random.default_rng(4).permutation(len(usual))[:_CALLS]].astype(np.float64)
    net.rows(wave=rows)
    begun = time.process_time()
    said = net.rows(wave=rows)
    raw["latency_us"] = {name: round((time.process_time() - begun) / len(rows) * 1e6, 1) for name in raw["latency_us"]}
    values = {"wave": rows.std(axis=1)} | {f"c{k}": said[:, k] for k in range(4)}
    raw["reference"] = {name: reference(values[name]) for name in REFERENCES}
    path.write_text(card_text(raw), encoding="utf-8")
    ModelCard.read(path)
    golden(path)


def golden(path: Path = CARD) -> None:
    """Beats of many shapes by a formula, and what the net beside the card at `path` says of them."""
    rng = np.random.default_rng(11)
    t = np.linspace(-1.0, 1.5, LOOKED_AT)
    waves = np.zeros((GOLDEN, LOOKED_AT))
    for _ in range(4):
        place, width, height = (rng.uniform(low, high, (GOLDEN, 1)) for low, high in _SHAPES)
        waves += height * np.exp(-0.5 * ((t - place) / width) ** 2)
    waves = np.clip(waves - waves.mean(axis=1, keepdims=True), -MOST, MOST).astype(np.float32)
    scores = load(path).rows(wave=waves)
    np.savez_compressed(path.with_name("morphology.golden.npz"), allow_pickle=False, wave=waves, scores=scores)


if __name__ == "__main__":
    golden()
