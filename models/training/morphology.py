"""Makes models/weights/morphology.tflite and its card: python -m models.training.morphology --data DIR --scratch DIR

People are split into FOLDS; what each fold's net reaches is measured, in whole numbers as it ships, on people whom it
never saw: each is calibrated on the first CALIBRATED beats as they come, odd ones among them, and every later beat is
scored. The net that ships is trained on all. DIR holds mitdb, nstdb and cinc2017.
"""

from __future__ import annotations

import argparse
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.beat_input import RATE_HZ
from models.card import ModelCard
from models.interpreter import Net
from models.morphology import CODE, Morphology
from models.morphology_input import LOOKED_AT, MOST, looks, qrs_size
from models.training import morphology_baselines as baselines
from models.training import morphology_beats
from models.training.autoencoder import Autoencoder, fit
from models.training.floating import float32_tflite
from models.training.morphology_beats import Beats
from models.training.quantise import Example, int8_tflite

FOLDS = 5
CALIBRATED = 400  # beats of the wearer's own: five minutes or so
LEAST_ODD = 5  # V and F beats after that, for a person to have an AUC
SIZES = (LOOKED_AT, 48, 24, CODE, 24, 48, LOOKED_AT)
STEPS, BATCH = 2000, 256
PER_LEAD = 1200  # beats of one lead at most, so that nobody counts for many
CODE_SPREAD = 0.75  # of each number of the code: it shares the output's steps with the wave
CINC_RECORDS = 700
WINDOW_S = 60
Floats32 = NDArray[np.float32]
Scores = dict[str, NDArray[np.float64]]


def pool(beats: list[Beats]) -> Floats32:
    """N beats of all of them, each in sizes of its lead's own QRS: (n, LOOKED_AT)."""
    rng = np.random.default_rng(1)
    parts = []
    for one in beats:
        usual = np.flatnonzero(one.classes == 0)
        if len(usual) < 8:
            continue
        size_mv = float(np.median(qrs_size(one.waves[usual].astype(np.float64))))
        parts.append(looks(one.waves[rng.permutation(usual)[:PER_LEAD]].astype(np.float64), size_mv))
    return np.concatenate(parts).astype(np.float32)


def batches(usual: Floats32) -> Callable[[np.random.Generator], tuple[Floats32, Floats32]]:
    """Beats moved, turned over, scaled, made noisy; wanted back without the noise."""
    t_s = np.arange(LOOKED_AT) / RATE_HZ

    def draw(rng: np.random.Generator) -> tuple[Floats32, Floats32]:
        x = usual[rng.integers(0, len(usual), BATCH)].astype(np.float64)
        moved = np.arange(LOOKED_AT) + rng.integers(-2, 3, BATCH)[:, None]
        x = np.take_along_axis(x, moved.clip(0, LOOKED_AT - 1), 1)
        x *= (np.exp(rng.normal(0, 0.2, BATCH)) * rng.choice([-1, 1], BATCH, p=[0.3, 0.7]))[:, None]
        x -= x.mean(axis=1, keepdims=True)
        clean = np.clip(x, -MOST, MOST)
        hiss = (rng.random((BATCH, 1)) < 0.5) * np.abs(rng.normal(0, 0.08, (BATCH, 1)))
        x += hiss * rng.normal(0, 1, x.shape)
        wander = (rng.random((BATCH, 1)) < 0.5) * np.abs(rng.normal(0, 0.3, (BATCH, 1)))
        x += wander * np.sin(2 * np.pi * rng.uniform(0.2, 1.2, (BATCH, 1)) * t_s + rng.uniform(0, 6.3, (BATCH, 1)))
        x -= x.mean(axis=1, keepdims=True)
        return np.clip(x, -MOST, MOST).astype(np.float32), clean.astype(np.float32)

    return draw


def trained(beats: list[Beats], seed: int) -> tuple[Autoencoder, Floats32]:
    """The net, its code scaled to CODE_SPREAD, and the beats it learnt from."""
    usual = pool(beats)
    net = fit(batches(usual), SIZES, 2, np.ones(LOOKED_AT, np.float32), steps=STEPS, seed=seed)
    code, _ = net(usual)
    middle, scale = code.mean(axis=0), CODE_SPREAD / code.std(axis=0)
    net.biases[3][:] = net.biases[3] + middle @ net.weights[3]
    net.weights[3][:] = net.weights[3] / scale[:, None]
    net.biases[2][:] = (net.biases[2] - middle) * scale
    net.weights[2][:] = net.weights[2] * scale
    return net, usual


def tflite(net: Autoencoder, usual: Floats32) -> tuple[bytes, bytes]:
    """(in whole numbers, in floating point): one output, the code and then the wave as the net understood it."""
    import keras
    from keras import layers

    wave = keras.Input((LOOKED_AT,), name="wave")
    x: Any = wave
    code: Any = None
    for k, width in enumerate(SIZES[1:]):
        bent = None if k in (net.code, len(SIZES) - 2) else "relu"
        x = layers.Dense(width, activation=bent)(x)
        code = x if k == net.code else code
    model = keras.Model(wave, layers.Concatenate()([code, x]))
    model.set_weights([part for pair in zip(net.weights, net.biases, strict=True) for part in pair])

    def examples() -> Iterator[Example]:
        draw, rng = batches(usual), np.random.default_rng(5)
        for row in draw(rng)[0]:
            yield {"wave": row[None]}

    return int8_tflite(model, examples()), float32_tflite(model)


def auc(score: NDArray[np.float64], odd: NDArray[np.bool_]) -> float:
    """The chance that an odd beat scores above a usual one; equal scores count half."""
    order = np.sort(score[~odd])
    below = (np.searchsorted(order, score[odd], "left") + np.searchsorted(order, score[odd], "right")) / 2
    return float(below.mean() / len(order))


def pace_s(one: Beats) -> NDArray[np.float64]:
    """The median interval of the minute of each beat."""
    intervals_s = np.diff(one.t_s, prepend=np.nan)
    minute = (one.t_s // WINDOW_S).astype(int)
    paces = {k: float(np.nanmedian(intervals_s[minute == k])) for k in np.unique(minute)}
    return np.array([paces[k] for k in minute])


def judged(model: Morphology, one: Beats, waves: Floats32) -> Scores:
    """Every way's score of the beats after the calibration."""
    own, later = waves[:CALIBRATED].astype(np.float64), waves[CALIBRATED:].astype(np.float64)
    paces_s = pace_s(one)
    calibration = model.calibrate(own, paces_s[:CALIBRATED])
    said = {"morphology": model.score(later, paces_s[CALIBRATED:], calibration)}
    for name, way in baselines.WAYS.items():
        said[name] = way(own, later)
    return said


def minutes(one: Beats, score: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """(the highest score, whether a V or F beat lies in it) of each minute after the calibration."""
    counted = one.counted[CALIBRATED:]
    minute = (one.t_s[CALIBRATED:][counted] // WINDOW_S).astype(int)
    highest, odd = np.zeros(minute.max() + 1), np.zeros(minute.max() + 1, np.bool_)
    np.maximum.at(highest, minute, score[counted])
    np.logical_or.at(odd, minute, one.odd[CALIBRATED:][counted])
    there = np.unique(minute)
    return highest[there], odd[there]


def interval(values: list[float], of: Callable[..., Any] = np.median) -> tuple[float, float, float]:
    """(value, low, high): 95 % by bootstrap over people."""
    rng = np.random.default_rng(9)
    held = np.array(values)
    drawn = of(held[rng.integers(0, len(held), (2000, len(held)))], axis=1)
    return float(of(held)), float(np.quantile(drawn, 0.025)), float(np.quantile(drawn, 0.975))


def evaluate(beats: list[Beats], nets: dict[str, Morphology]) -> dict[str, Any]:
    """Of the first lead of everybody, by the net that did not see them."""
    table: dict[str, Any] = {"people": {}, "usual": {}}
    for one in beats:
        if one.lead or len(one.waves) <= CALIBRATED:
            continue
        counted, odd = one.counted[CALIBRATED:], one.odd[CALIBRATED:]
        rows: dict[str, Any] = {"odd": int((odd & counted).sum()), "calibrated on odd": int(one.odd[:CALIBRATED].sum())}
        for kind, waves in (("clean", one.waves), ("noisy", one.noisy)):
            said = judged(nets[one.person], one, waves)
            if rows["odd"] >= LEAST_ODD:
                rows[kind] = {name: auc(score[counted], odd[counted]) for name, score in said.items()}
            if kind == "clean":
                table["usual"][one.person] = said["morphology"][counted & ~odd]
                highest, hit = minutes(one, said["morphology"])
                if hit.any() and not hit.all():
                    rows["minute"] = auc(highest, hit)
                rows["found"] = said["morphology"][counted & odd]
        if rows["odd"] >= LEAST_ODD:
            table["people"][one.person] = rows
    return table


def threshold(usual: dict[str, NDArray[np.float64]]) -> float:
    """So that of a hundred usual beats of the median person one is called odd."""
    return round(float(np.median([np.quantile(score, 0.99) for score in usual.values()])), 1)


def printed(table: dict[str, Any], odd: float) -> None:
    ways = ["morphology", *baselines.WAYS]
    print("AUC of V and F against the other beats, people left out, calibrated on their own first", CALIBRATED, "beats")
    for kind in ("clean", "noisy"):
        print(f"{kind:8} {'odd':>5} {'of calib.':>9} " + " ".join(f"{way:>12}" for way in ways))
        for person, rows in table["people"].items():
            values = " ".join(f"{rows[kind][way]:12.4f}" for way in ways)
            print(f"{person:8} {rows['odd']:5} {rows['calibrated on odd']:9} {values}")
        for name, of in (("median", np.median), ("mean", np.mean), ("lowest", np.min)):
            row = [interval([rows[kind][way] for rows in table["people"].values()], of) for way in ways]
            print(f"{name:8} " + " " * 15 + " ".join(f"{value:12.4f}" for value, _, _ in row))
            print(f"{'':8} " + " " * 15 + " ".join(f"{low:.3f}-{high:.3f}".rjust(12) for _, low, high in row))
    people = table["people"].values()
    rows = {
        "AUC of minutes, by their highest score": [row["minute"] for row in people if "minute" in row],
        f"share of V and F above {odd}": [float((row["found"] >= odd).mean()) for row in people],
        f"share of other beats above {odd}": [float((score >= odd).mean()) for score in table["usual"].values()],
    }
    for name, values in rows.items():
        for what, of in (("median", np.median), ("mean", np.mean)):
            value, low, high = interval(values, of)
            print(f"{name}, {what}: {value:.4f} ({low:.4f} to {high:.4f})")


def model_of(weights: bytes, odd: float) -> Morphology:
    """Under a card that holds for these weights alone."""
    from models.training.morphology_card import card

    raw = card(weights, b"", odd, figures=[("not measured", 0.0, 0.0, 0.0, "none", "none")], latency_us=0.0)
    return Morphology(Net(weights, ModelCard.of(raw, "card")))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder of mitdb, nstdb, cinc2017")
    parser.add_argument("--scratch", type=Path, required=True, help="where what is made on the way is kept")
    parser.add_argument("--out", type=Path, default=Path("models/weights"))
    wanted = parser.parse_args()
    wanted.scratch.mkdir(parents=True, exist_ok=True)
    cinc = wanted.scratch / "training2017"
    if not cinc.exists():
        with tarfile.open(wanted.data / "cinc2017" / "training2017.tar.xz") as archive:
            archive.extractall(wanted.scratch, filter="data")
    beats = morphology_beats.mitdb(wanted.data / "mitdb", wanted.data / "nstdb" / "em", wanted.scratch)
    others = morphology_beats.cinc2017(
        cinc, wanted.data / "cinc2017" / "REFERENCE-v3.csv", wanted.scratch, CINC_RECORDS
    )
    people = sorted({one.person for one in beats})
    nets: dict[str, Morphology] = {}
    for fold in range(FOLDS):
        left_out = people[fold::FOLDS]
        net, usual = trained([one for one in beats if one.person not in left_out] + others, fold)
        print(f"fold {fold}: without {' '.join(left_out)}; {len(usual):,} beats", flush=True)
        nets |= dict.fromkeys(left_out, model_of(tflite(net, usual)[0], 3.0))
    table = evaluate(beats, nets)
    odd = threshold(table["usual"])
    printed(table, odd)
    net, usual = trained(beats + others, FOLDS)
    whole, floating = tflite(net, usual)
    from models.training.morphology_card import figures, write

    write(wanted.out, whole, floating, odd, figures(table, odd), usual)


if __name__ == "__main__":
    main()
