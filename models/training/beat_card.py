"""The beat net as files: whole numbers, floating point, and the card with what `models.training.beat` measured."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.beat_features import MOST, NAMES
from models.card import SCHEMA, ModelCard
from models.interpreter import load
from models.training.quantise import int8_tflite
from models.training.reference import put, references

VERSION = "1.0.0"
LICENCE = "ODC-By 1.0, as known; to be confirmed before any redistribution of recordings"
_WATCHED = ("before", "unrest", "like", "size", "p_part", "near_share", "calm")
_CHANNELS = {"0": "first channel of each record, mostly MLII", "1": "second channel, mostly V1"}


def export(scratch: Path, out: Path | None) -> None:
    """From what `models.training.beat.learn` left in `scratch`."""
    os.environ["KERAS_BACKEND"] = "tensorflow"
    from models import beat

    folder = out if out is not None else beat.CARD.parent
    folder.mkdir(parents=True, exist_ok=True)
    with np.load(scratch / "beat.net.npz") as held:
        arrays = {name: held[name].astype(np.float32) for name in held.files}
    evaluation = json.loads((scratch / "beat.evaluation.json").read_text(encoding="utf-8"))
    model = _keras(arrays)
    whole = int8_tflite(model, ({"features": row[None]} for row in arrays["shown"]))
    floating = _floating(model)
    (folder / "beat.tflite").write_bytes(whole)
    (folder / "beat.float32.tflite").write_bytes(floating)
    path = folder / "beat.json"
    path.write_text(
        json.dumps(_card(whole, floating, evaluation), indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    net, rows = load(path), arrays["plain"]
    start = time.process_time()
    scores = [net(features=row) for row in rows]
    latency_us = round((time.process_time() - start) / len(rows) * 1e6, 1)
    card = _card(whole, floating, evaluation) | {"latency_us": {"x86_64, one thread, the net alone, mean": latency_us}}
    path.write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    told = [f"features[{NAMES.index(name)}]" for name in _WATCHED]
    calls = (({"features": row}, score) for row, score in zip(rows, scores, strict=True))
    put(path, references(calls, ModelCard.read(path), ["N", "S", "V", *told]))
    print(f"{path.name}: {len(whole)} bytes in whole numbers, {len(floating)} in floating point, {latency_us} us")


def _keras(arrays: dict[str, NDArray[np.float32]]) -> Any:
    import keras

    given = keras.Input((len(NAMES),), batch_size=1, name="features")
    x: Any = given
    layers = []
    for k, kind in enumerate(("relu", "relu", "softmax")):
        layers.append(keras.layers.Dense(arrays[f"w{k}"].shape[1], activation=kind))
        x = layers[-1](x)
    model = keras.Model(given, x)
    for k, layer in enumerate(layers):
        layer.set_weights([arrays[f"w{k}"], arrays[f"b{k}"]])
    return model


def _floating(model: Any) -> bytes:
    import tensorflow as tf

    with tempfile.TemporaryDirectory() as folder:
        model.export(folder, format="tf_saved_model", verbose=False)
        made: bytes = tf.lite.TFLiteConverter.from_saved_model(folder).convert()
    return made


def _card(whole: bytes, floating: bytes, evaluation: dict[str, Any]) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "name": "beat",
        "version": VERSION,
        "weights": "beat.tflite",
        "sha256": hashlib.sha256(whole).hexdigest(),
        "size_bytes": len(whole),
        "precision": "int8, per channel",
        "purpose": "The kind of each beat of one ECG lead, in the classes of AAMI EC57: N (normal, bundle branch "
        "block, escape), S (early, from above the ventricles), V (from a ventricle), F (a fusion of both), Q (cannot "
        "be told).",
        "not_for": [
            "A diagnosis, or ruling one out: only an ECG read by a doctor can tell.",
            "Paced rhythm, which it was not taught.",
            "Ventricular flutter and fibrillation, where there are no single beats to tell.",
            "F and Q: nearly all F beats were one person's, and of Q there were none to learn from; Q is never told.",
        ],
        "data": [
            {
                "name": "MIT-BIH Arrhythmia Database, 22 records (DS1 of de Chazal 2004), both leads, mixtures",
                "licence": LICENCE,
                "use": "training, and testing on people left out; their beats also in other orders, as made rhythms",
            },
            {
                "name": "MIT-BIH Noise Stress Test Database, the first 60 % of bw, em and ma",
                "licence": LICENCE,
                "use": "noise in training",
            },
            {
                "name": "PhysioNet/CinC Challenge 2017, 500 recordings labelled normal or AF, labels v3",
                "licence": LICENCE,
                "use": "training: beats taken to be N, and usual beats in made rhythms",
            },
        ],
        "split": "Six folds of people: "
        + "; ".join(" ".join(people) for people in evaluation["folds"])
        + ". Both leads of a person, what was mixed of them and every rhythm made with a beat of theirs lie in one "
        "fold. "
        "What a probability counts (thresholds) was chosen on these same people, and so was the list of features. The "
        "detector of beats was trained on these records too. Record 201's person has another record, 202, which was in "
        "none. The net that ships was trained on all 22.",
        "figures": _figures(evaluation),
        "inputs": [
            {
                "name": "features",
                "shape": [len(NAMES)],
                "unit": "none",
                "meaning": "a beat's place in time, its shape beside the usual ones, and who is like it, in the order "
                "of NAMES in models/beat_features.py",
                "low": -MOST,
                "high": MOST,
            }
        ],
        "labels": list("NSVFQ"),
        "thresholds": {f"weight of {label}": weight for label, weight in evaluation["lean"].items()},
        "known_failures": [
            "Early beats with a wide complex, as in a bundle branch block or atrial fibrillation, are "
            "called V (records 201, 207).",
            "Beats from a ventricle whose shape is nearly the usual one in this lead are missed (record "
            "223; 208 in V1).",
            "Of beats from a ventricle in pairs and runs some are called S (record 106), and so are others "
            "where intervals vary by themselves, as in atrial fibrillation (records 201, 118, 203).",
            "Escape and early beats from the junction look like N (record 124).",
            "In V1 alone V is told much less well than in MLII.",
            "The first beats of a recording are judged by few others.",
        ],
        "latency_us": {},
        "made_by": "python -m models.training.beat (numpy), export with Keras and TensorFlow 2.21.0",
        "variants": [
            {
                "weights": "beat.float32.tflite",
                "sha256": hashlib.sha256(floating).hexdigest(),
                "size_bytes": len(floating),
                "precision": "float32",
                "note": "the same net before it was quantised",
            }
        ],
        "reference": {},
    }


def _figures(evaluation: dict[str, Any]) -> list[dict[str, Any]]:
    out = []
    for channel, words in _CHANNELS.items():
        for label, figures in evaluation[f"channel {channel}"].items():
            if label == "F" and channel == "1":
                continue
            people = evaluation[f"people {channel}"][label]
            beats = sum(right + missed for right, missed, _ in people.values())
            having = sum(right + missed > 0 for right, missed, _ in people.values())
            for name, (value, low, high) in figures.items():
                out.append(
                    {
                        "name": f"{name} of {label}" + ("" if channel == "0" else ", second channel"),
                        "value": round(value, 3),
                        "low": round(low, 3),
                        "high": round(high, 3),
                        "n": f"{beats:,} beats of {having} of 22 people",
                        "on": f"people left out, {words}; all beats from the first on, as vitalkeep finds them, "
                        "counted as EC57 counts; floating point; bootstrap over people",
                    }
                )
    return out
