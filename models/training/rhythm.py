"""Makes models/weights/rhythm.tflite and its card's figures: python -m models.training.rhythm --data DIR [--out DIR]

Records are split into five folds, each person in one (folds.csv says which). What a net reaches is measured on the fold
that it did not see; the slope and the offset that turn its logit into a probability are fitted on those answers; the
net that ships is trained on all. benchmarks/rhythm.py measures what the device makes of the nets left out.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.rhythm_input import CUT, FEATURES, standardise
from models.training import rhythm_records
from models.training.dense import Net, fit
from models.training.reference import reference
from models.training.rhythm_records import PUT_IN, SETS, Heard, Windows

Floats = NDArray[np.float32]

FOLDS = 5
HIDDEN = (16, 8)
EXAMPLES, EPOCHS, RATE, DECAY = 120_000, 6, 2e-3, 1e-3
NOISE = 0.3  # in spreads of a feature: few people are at hand, and each has his own way
# How much each kind of record counts; within one, people count alike but for the root of how much there is of them.
SHARE = {
    "afdb": 6.0,
    "nsrdb": 1.0,
    "mitdb": 4.0,
    "apnea_ecg": 0.5,
    "hugcdn2014": 0.5,
    "put in": 0.3,
    "cinc2017 N": 0.5,
    "cinc2017 O": 1.0,
    "cinc2017 A": 1.0,
}
_LENGTH_POWER = 0.7
_PURE = 0.05  # windows in which both rhythms are longer than this share are not learned from
START, END = 0.86, 0.27  # probabilities at which an episode begins and ends; chosen on the answers of nets left out


def folds(heard: list[Heard]) -> NDArray[np.int64]:
    """The fold of each record: people spread over the folds, set by set and kind by kind."""
    rng = np.random.default_rng(1)
    kinds = np.array([f"{record.set} {record.kind}" for record in heard])
    people = np.array([record.person for record in heard])
    fold = np.zeros(len(heard), np.int64)
    for kind in np.unique(kinds):
        mine = np.flatnonzero(kinds == kind)
        names = np.unique(people[mine])
        of_name = dict(zip(names.tolist(), (rng.permutation(len(names)) % FOLDS).tolist(), strict=True))
        fold[mine] = [of_name[name] for name in people[mine].tolist()]
    return fold


def weights(held: Windows, heard: list[Heard], mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """How much each window counts, 0 outside `mask`."""
    kind = np.array([f"{record.set} {record.kind}".strip() for record in heard])[held.person]
    kind[held.set == PUT_IN] = "put in"
    group = (held.person * 2 + (held.af > 0.5)) * len(SETS) + held.set
    _, place, count = np.unique(group[mask], return_inverse=True, return_counts=True)
    weight = np.zeros(len(mask))
    weight[mask] = count[place] ** -_LENGTH_POWER
    for name in np.unique(kind[mask]):
        mine = mask & (kind == name)
        weight[mine] *= SHARE[str(name)] / weight[mine].sum()
    return np.asarray(weight / weight.sum())


def train(x: Floats, held: Windows, heard: list[Heard], mask: NDArray[np.bool_], seed: int) -> Net:
    """On windows drawn by weight, with noise on what they tell."""
    rng = np.random.default_rng(seed)
    pick = rng.choice(len(mask), EXAMPLES, p=weights(held, heard, mask))
    noisy = (x[pick] + rng.normal(0, NOISE, (EXAMPLES, x.shape[1]))).astype(np.float32)
    wanted = (held.af[pick] > 0.5).astype(np.float32)
    ones = np.ones(EXAMPLES, np.float32)
    return fit(noisy, wanted, ones, HIDDEN, epochs=EPOCHS, batch=512, rate=RATE, decay=DECAY, seed=seed)


def calibration(logit: Floats, is_af: NDArray[np.bool_], weight: NDArray[np.float64]) -> tuple[float, float]:
    """(slope, offset) of the logit that make it the log odds that it is right: logistic, by Newton's method."""
    x = np.stack([logit.astype(np.float64), np.ones(len(logit))], axis=1)
    theta = np.zeros(2)
    for _ in range(30):
        p = 1 / (1 + np.exp(-np.clip(x @ theta, -30, 30)))
        bend = (x * (weight * p * (1 - p))[:, None]).T @ x
        theta += np.linalg.solve(bend, x.T @ (weight * (is_af - p)))
    return float(theta[0]), float(theta[1])


def calibrated(net: Net, slope: float, offset: float) -> Net:
    return Net(
        [*net.weights[:-1], (net.weights[-1] * slope).astype(np.float32)],
        [*net.biases[:-1], (net.biases[-1] * slope + offset).astype(np.float32)],
    )


def centre(held: Windows) -> None:
    """Prints centre and spread of each feature over the recorded windows, for models/rhythm_input.py."""
    x = held.x[(held.set != PUT_IN) & (held.af >= 0)].astype(np.float64)
    for name, row in (("_CENTRE", x.mean(axis=0)), ("_SPREAD", x.std(axis=0))):
        print(f"{name} = np.array(({', '.join(f'{value:.3f}' for value in row)}))")


def keras_net(net: Net) -> object:
    import keras

    told = keras.Input((len(FEATURES),), name="features")
    y = told
    for size in HIDDEN:
        y = keras.layers.Dense(size, activation="relu")(y)
    model = keras.Model(told, keras.layers.Dense(1, activation="sigmoid")(y))
    model.set_weights([part for pair in zip(net.weights, net.biases, strict=True) for part in pair])
    return model


def examples(x: Floats, weight: NDArray[np.float64]) -> Iterator[dict[str, Floats]]:
    for row in np.random.default_rng(0).choice(len(x), 2000, p=weight):
        yield {"features": x[row][None]}
    for edge in (-CUT, CUT):  # so that the whole range of an input can be told
        yield {"features": np.full((1, x.shape[1]), edge, np.float32)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help=f"folder of the folders {', '.join(SETS[:-1])}")
    parser.add_argument("--scratch", type=Path, default=Path("rhythm-scratch"), help="what is kept between runs")
    parser.add_argument("--fetch", action="store_true", help="get what PhysioNet has of them first")
    parser.add_argument("--out", type=Path, help="where the weights go; the scratch folder without it")
    wanted = parser.parse_args()
    wanted.scratch.mkdir(parents=True, exist_ok=True)
    if wanted.fetch:
        rhythm_records.fetch(wanted.data)
    heard = rhythm_records.read(wanted.data, wanted.scratch)
    held = rhythm_records.windows(heard)
    centre(held)
    x = np.asarray(standardise(held.x.astype(np.float64)), np.float32)
    fold = folds(heard)
    with (wanted.scratch / "folds.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows((r.set, r.person, int(f)) for r, f in zip(heard, fold, strict=True))
    pure = (held.af >= 0) & ((held.af < _PURE) | (held.af > 1 - _PURE))
    nets = [train(x, held, heard, pure & (fold[held.person] != out), seed=out) for out in range(FOLDS)]
    logit = np.zeros(len(x), np.float32)
    for out, net in enumerate(nets):
        mine = fold[held.person] == out
        logit[mine] = net(x[mine])[:, 0]
    weight = weights(held, heard, pure)
    slope, offset = calibration(logit[pure], held.af[pure] > 0.5, weight[pure])
    print(f"calibration: slope {slope:.3f}, offset {offset:.3f}")
    _left_out(held, heard, pure, slope * logit + offset, weight)
    _keep(wanted.scratch / "left_out.npz", [calibrated(net, slope, offset) for net in nets])
    final = calibrated(train(x, held, heard, pure, seed=100), slope, offset)
    from models.training.quantise import int8_tflite

    made = int8_tflite(keras_net(final), examples(x, weight))
    folder = wanted.out or wanted.scratch
    (folder / "rhythm.tflite").write_bytes(made)
    told = {"sha256": hashlib.sha256(made).hexdigest(), "size_bytes": len(made)}
    said = 1 / (1 + np.exp(-final(x)[:, 0]))
    drawn = np.random.default_rng(2).choice(len(x), 20_000, p=weights(held, heard, pure & (held.set != PUT_IN)))
    spread = {"AFIB": reference(said[drawn].astype(np.float64))}
    for k in (1, 3, 6):
        spread[f"features[{k}]"] = reference(x[drawn, k].astype(np.float64))
    (wanted.scratch / "card.json").write_text(json.dumps(told | {"reference": spread}, indent=1), encoding="utf-8")
    print(f"{folder / 'rhythm.tflite'}: {len(made)} bytes")


def _keep(path: Path, nets: list[Net]) -> None:
    """Layer k of fold n as wk_n and bk_n."""
    arrays: dict[str, Any] = {}
    for n, net in enumerate(nets):
        for k, (weight, bias) in enumerate(zip(net.weights, net.biases, strict=True)):
            arrays[f"w{k}_{n}"], arrays[f"b{k}_{n}"] = weight, bias
    np.savez(path, allow_pickle=False, **arrays)


def _left_out(
    held: Windows, heard: list[Heard], pure: NDArray[np.bool_], logit: Floats, weight: NDArray[np.float64]
) -> None:
    """Prints, window by window, what nets said of people they had not seen, and how far their probability is true."""
    p = 1 / (1 + np.exp(-logit))
    kind = np.array([f"{record.set} {record.kind}".strip() for record in heard])[held.person]
    kind[held.set == PUT_IN] = "put in"
    for name in np.unique(kind):
        of_set = pure & (kind == name)
        af, other = of_set & (held.af > 0.5), of_set & (held.af < 0.5)
        row = {
            "set": str(name),
            "sensitivity": float(np.mean(p[af] > 0.5)) if af.any() else None,
            "specificity": float(np.mean(p[other] <= 0.5)) if other.any() else None,
            "at start": [float(np.mean(p[part] > START)) if part.any() else None for part in (af, other)],
        }
        print(json.dumps(row), flush=True)
    bins = np.minimum((p * 10).astype(np.int64), 9)
    for k in range(10):
        mine = pure & (bins == k)
        true = np.average(held.af[mine] > 0.5, weights=weight[mine])
        print(f"said {np.average(p[mine], weights=weight[mine]):.3f}, true {true:.3f}", flush=True)


if __name__ == "__main__":
    main()
