"""Makes models/weights/screen.tflite and its card: python -m models.training.screen --data DIR [--out DIR] [--only ...]

Recordings are split into five folds, each person (this set names none, so each recording) in one. Large nets teach:
one for each pair of folds, which it never saw; so every recording has labels by nets that did not see it, and those
that train a fold's small net were made without that fold too. What the small net reaches is measured on the fold that
neither it nor its teachers saw; the net that ships is trained on all.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.screen_input import MOST, POINTS
from models.training import cinc2017
from models.training.cinc2017 import LABELS, Looks
from models.training.quantise import Example, int8_tflite
from models.training.screen_nets import student, teacher
from models.training.trainer import Batches, Trainer

FOLDS = 5
WEIGHT = np.array([1.0, 1.5, 1.1, 1.6], np.float32)  # of a class in the loss: the score is the mean over classes
TAUGHT = 0.6  # share of the teachers' word in a label
TEACH = {"steps": 50, "epochs": 32, "rate": 1.5e-3}
LEARN = {"steps": 60, "epochs": 50, "rate": 3e-3}
BATCH = 96
Floats = NDArray[np.float32]


def folds(looks: Looks) -> NDArray[np.int64]:
    """The fold of each look: recordings spread over the folds, class by class."""
    rng = np.random.default_rng(3)
    of_record = np.zeros(looks.records.max() + 1, np.int64)
    label = np.zeros_like(of_record)
    label[looks.records] = looks.labels
    for kind in range(len(LABELS)):
        mine = rng.permutation(np.flatnonzero(label == kind))
        of_record[mine] = np.arange(len(mine)) % FOLDS
    return np.asarray(of_record[looks.records])


def batches(looks: Looks, mask: NDArray[np.bool_], taught: Floats | None, steps: int, strength: float) -> Batches:
    """Each look moved, turned over, scaled, made noisy; never the same twice."""
    index = np.flatnonzero(mask)

    def epoch(number: int) -> tuple[list[Floats], Floats]:
        rng = np.random.default_rng(77 + number)
        n = steps * BATCH
        pick = np.concatenate([rng.permutation(index) for _ in range(n // len(index) + 1)])[:n]
        x = looks.waves[pick].astype(np.float32) * (MOST / 127)
        moved = (np.arange(POINTS)[None, :] + rng.integers(-300, 300, n)[:, None]) % POINTS
        x = np.take_along_axis(x, moved, 1)
        x *= (np.where(rng.random(n) < 0.3, -1, 1) * np.exp(rng.normal(0, 0.15, n)))[:, None].astype(np.float32)
        k = rng.random(n) < strength
        hiss = rng.normal(0, 1, (int(k.sum()), POINTS)).astype(np.float32)
        x[k] += hiss * np.abs(rng.normal(0, 0.08, int(k.sum())))[:, None].astype(np.float32)
        k = rng.random(n) < 0.3 * strength
        if k.any():
            many = int(k.sum())
            size, hz = np.abs(rng.normal(0, 0.25, many)), rng.uniform(0.1, 0.6, many)
            turn = 2 * np.pi * hz[:, None] * np.arange(POINTS) / 100 + rng.uniform(0, 6, many)[:, None]
            x[k] += (size[:, None] * np.sin(turn)).astype(np.float32)
        for row in np.flatnonzero(rng.random(n) < 0.3 * strength):
            start = rng.integers(0, POINTS - 300)
            x[row, start : start + rng.integers(50, 300)] = 0
        told = looks.features[pick] + rng.normal(0, 0.05, (n, looks.features.shape[1])).astype(np.float32)
        told[rng.random(n) < 0.05] = 0
        y = np.eye(len(LABELS), dtype=np.float32)[looks.labels[pick]] * 0.95 + 0.0125
        if taught is not None:
            y = (1 - TAUGHT) * y + TAUGHT * taught[pick]
        weight = WEIGHT[looks.labels[pick]][:, None]
        return [np.clip(x, -MOST, MOST)[:, :, None], told], (y * weight).astype(np.float32)

    return epoch


def teach(looks: Looks, fold: NDArray[np.int64], scratch: Path) -> dict[tuple[int, int], Floats]:
    """What the net that saw neither of two folds says of both, for every pair; kept in `scratch`."""
    kept = scratch / "teachers.npz"
    said: dict[tuple[int, int], Floats] = {}
    if kept.exists():
        with np.load(kept) as held:
            said = {(int(name[1]), int(name[2])): held[name].astype(np.float32) for name in held.files}
    trainer: Trainer | None = None
    for pair in combinations(range(FOLDS), 2):
        if pair in said:
            continue
        trainer = trainer or Trainer(teacher, **TEACH)  # type: ignore[arg-type]
        away = np.isin(fold, pair)
        trainer.run(batches(looks, ~away, None, int(TEACH["steps"]), 1.0), seed=pair[0] * FOLDS + pair[1])
        said[pair] = np.zeros((len(fold), len(LABELS)), np.float32)
        said[pair][away] = _predict(trainer, looks, away)
        np.savez_compressed(kept, **{f"p{i}{j}": p.astype(np.float16) for (i, j), p in said.items()})  # type: ignore[arg-type]
    return said


def taught_without(
    out: int | None, said: dict[tuple[int, int], Floats], looks: Looks, fold: NDArray[np.int64]
) -> Floats:
    """The teachers' word on every look, by teachers that saw neither it nor the fold `out`; else its label."""
    word = np.zeros((len(fold), len(LABELS)), np.float32)
    for mine in range(FOLDS):
        fits = [p for pair, p in said.items() if mine in pair and (out is None or out in pair)]
        if mine != out and fits:
            word[fold == mine] = np.mean([p[fold == mine] for p in fits], axis=0)
    unsaid = word.sum(axis=1) < 0.5
    word[unsaid] = np.eye(len(LABELS))[looks.labels[unsaid]]
    return word


def f1(label: NDArray[np.int64], said: NDArray[np.int64]) -> Floats:
    """F1 of each class, as the challenge scores it."""
    kinds = range(len(LABELS))
    both = [2 * np.sum((label == k) & (said == k)) / max(1, np.sum(label == k) + np.sum(said == k)) for k in kinds]
    return np.array(both, np.float32)


def by_record(looks: Looks, p: Floats, mask: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(label, likeliest class) of each recording in `mask`, its looks averaged."""
    total = np.zeros((looks.records.max() + 1, len(LABELS)))
    label = np.zeros(len(total), np.int64)
    np.add.at(total, looks.records[mask], p[mask])
    label[looks.records] = looks.labels
    mine = np.unique(looks.records[mask])
    return label[mine], np.argmax(total[mine], axis=1).astype(np.int64)


def _predict(trainer: Trainer, looks: Looks, mask: NDArray[np.bool_]) -> Floats:
    x = looks.waves[mask].astype(np.float32)[:, :, None] * (MOST / 127)
    return np.asarray(trainer.model.predict([x, looks.features[mask]], batch_size=512, verbose=0))


def examples(looks: Looks) -> Iterator[Example]:
    for row in np.random.default_rng(0).permutation(len(looks.labels))[:400]:
        wave = looks.waves[row].astype(np.float32) * (MOST / 127)
        yield {"wave": wave[None, :, None], "features": looks.features[row][None]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of training2017.tar.xz and REFERENCE-v3.csv")
    parser.add_argument("--scratch", type=Path, default=Path("screen-scratch"), help="what is kept between runs")
    parser.add_argument("--out", type=Path, help="folder of the weights; the scratch folder without it")
    parser.add_argument("--fetch", action="store_true", help="get the recordings from PhysioNet first")
    parser.add_argument("--only", choices=("teach", "folds", "final", "export"), help="one step; all without it")
    wanted = parser.parse_args()
    wanted.scratch.mkdir(parents=True, exist_ok=True)
    if wanted.fetch:
        cinc2017.fetch(wanted.data)
    looks = cinc2017.read(wanted.data, wanted.scratch)
    fold = folds(looks)
    said = teach(looks, fold, wanted.scratch) if wanted.only != "export" else {}
    weights = wanted.scratch / "screen.weights.h5"
    trainer = Trainer(student, **LEARN) if wanted.only in (None, "folds", "final") else None  # type: ignore[arg-type]
    steps = int(LEARN["steps"])
    if trainer is not None and wanted.only != "folds":
        everything = np.ones(len(fold), np.bool_)
        trainer.run(batches(looks, everything, taught_without(None, said, looks, fold), steps, 0.7), seed=500)
        trainer.model.save_weights(weights)
    if trainer is not None and wanted.only != "final":
        scores = []
        for out in range(FOLDS):
            trainer.run(batches(looks, fold != out, taught_without(out, said, looks, fold), steps, 0.7), seed=600 + out)
            p = np.zeros((len(fold), len(LABELS)), np.float32)
            p[fold == out] = _predict(trainer, looks, fold == out)
            scores.append(f1(*by_record(looks, p, fold == out)).tolist())
            print(json.dumps({"fold": out, "f1": dict(zip(LABELS, scores[-1], strict=True))}), flush=True)
    if wanted.only in (None, "export"):
        net = student()
        net.load_weights(weights)
        made = int8_tflite(net, examples(looks))
        out = wanted.out or wanted.scratch
        (out / "screen.tflite").write_bytes(made)
        print(f"{out / 'screen.tflite'}: {len(made)} bytes")


if __name__ == "__main__":
    main()
