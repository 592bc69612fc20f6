"""Makes models/weights/quality_ppg.tflite and its card: python -m models.training.quality_ppg --data WINDOWS.npz

WINDOWS.npz comes from `python -m benchmarks.quality_ppg_windows`. People are split into FOLDS; the net of each is
quantised as it ships and says what it makes of those it never saw, beside what the index says of the same windows. The
net that ships is trained on all. Trained in numpy, exported with TensorFlow.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.quality_ppg_input import EVEN, FEATURES, SURE, inputs
from models.training.dense import Net as Dense
from models.training.dense import fit
from models.training.floating import float32_tflite
from models.training.quality import auc, spread
from models.training.quantise import Example, int8_tflite

FOLDS = 6
HIDDEN = (16, 8)
EPOCHS, BATCH, RATE, DECAY = 30, 512, 3e-3, 1e-3
TIMES, BLUR = 4, 0.2  # each window is seen so often in an epoch, its features moved so many spreads
AS_RECORDED = 4.0  # times a window without made noise counts
Floats = NDArray[np.float32]
Truth = NDArray[np.int64]
Masks = NDArray[np.bool_]
WITH_MADE = ("BIDMC", "Welltory")
SETS = ("BIDMC", "IEEE", "Welltory")
KINDS = ("wander", "white", "motion", "steps", "knocks", "gain")
Row = tuple[str, str, float, float, float, str, str]
PEOPLE_OUT = "people left out"


@dataclass(frozen=True, slots=True)
class Windows:
    """`x` (n, FEATURES) as the net takes them; `readable`: the index trusts some of it; `plain`: as
    `is_plain` says; the mean of the
    stretches' indices, and the least."""

    x: Floats
    wrong: Masks
    readable: Masks
    plain: Masks
    mean_index: Floats
    least_index: Floats
    person: NDArray[np.str_]
    condition: NDArray[np.str_]

    @classmethod
    def read(cls, path: Path) -> Windows:
        with np.load(path) as held:
            even = held["features"][:, FEATURES.index("beat_longest")] < EVEN
            return cls(
                inputs(held["features"]).astype(np.float32),
                held["wrong"] == 1,
                held["features"][:, FEATURES.index("readable")] > 0,
                (held["least_index"] >= SURE) & even,
                held["mean_index"].astype(np.float32),
                held["least_index"].astype(np.float32),
                held["person"],
                held["condition"],
            )

    @property
    def made(self) -> Masks:
        return np.asarray(np.char.startswith(self.condition, "made"))

    def folds(self) -> Truth:
        """The fold of each window: all of a person in one, each data set spread over all."""
        people = np.unique(self.person)
        order = np.random.default_rng(5).permutation(len(people))
        order = order[np.argsort([people[k].split()[0] for k in order], kind="stable")]
        mine = np.zeros(len(people), np.int64)
        mine[order] = np.arange(len(people)) % FOLDS
        return np.asarray(mine[np.searchsorted(people, self.person)])


def trained(windows: Windows, mask: Masks, seed: int) -> Dense:
    rng = np.random.default_rng(seed)
    rows = np.concatenate([np.flatnonzero(mask)] * TIMES)
    x = windows.x[rows] + rng.normal(0, BLUR, (len(rows), windows.x.shape[1])).astype(np.float32)
    weight = np.where(windows.made[rows], 1.0, AS_RECORDED).astype(np.float32)
    y = (~windows.wrong[rows]).astype(np.float32)
    return fit(x, y, weight / weight.mean(), HIDDEN, epochs=EPOCHS, batch=BATCH, rate=RATE, decay=DECAY, seed=seed)


def tflite(net: Dense, windows: Windows) -> tuple[bytes, bytes]:
    """(in whole numbers, in floating point)."""
    import keras
    from keras import layers

    told = keras.Input((len(FEATURES),), name="features")
    x: Any = told
    for k, (weight, bias) in enumerate(zip(net.weights, net.biases, strict=True)):
        layer = layers.Dense(len(bias), activation="relu" if k < len(HIDDEN) else None)
        x = layer(x)
        layer.set_weights([weight, bias])
    model = keras.Model(told, layers.Activation("sigmoid", name="label")(x))

    def examples() -> Iterator[Example]:
        for k in np.random.default_rng(2).permutation(len(windows.wrong))[:500]:
            yield {"features": windows.x[k][None]}

    return int8_tflite(model, examples()), float32_tflite(model)


def said_by(weights: bytes, windows: Windows, rows: Truth) -> Floats:
    """What the net makes of `rows`: (rows,)."""
    from models.card import ModelCard
    from models.interpreter import Net
    from models.training.quality_ppg_card import card

    raw = card(weights, b"", figures=[("not measured", 0.0, 0.0, 0.0, "none", "none")])
    return Net(weights, ModelCard.of(raw, "card")).rows(features=windows.x[rows])[:, 0].astype(np.float32)


def tasks(windows: Windows) -> dict[str, Truth]:
    """Name, and the windows it is about."""
    made, condition = windows.made, windows.condition
    masks = {
        "IEEE SPC 2015, wrist in motion": np.char.startswith(condition, "ieee"),
        "BIDMC, as recorded": condition == "bidmc",
        "Welltory, as recorded": condition == "welltory",
    }
    for name in WITH_MADE:
        masks[f"{name}, noise made"] = np.char.startswith(condition, f"made {name.lower()}")
    for kind in KINDS:
        masks[f"{kind} made"] = of_kind(windows, kind)
    masks["all as recorded"] = ~made
    masks["all with noise made"] = made
    for name, mask in (("as recorded", ~made), ("noise made", made)):
        masks[f"the index is sure, {name}"] = mask & (windows.least_index >= SURE)
        masks[f"it is asked, {name}"] = mask & windows.readable & ~windows.plain
    return {name: np.flatnonzero(mask) for name, mask in masks.items()}


def of_kind(windows: Windows, kind: str) -> Masks:
    return windows.made & np.asarray(np.char.find(windows.condition, f" {kind} ") >= 0)


def as_told(windows: Windows, said: Floats) -> Floats:
    """What is plain comes first, what the index trusts nothing of last; of these the net is not asked."""
    asked = np.where(windows.readable, said, windows.mean_index - 1)
    return np.where(windows.plain, 1 + windows.least_index, asked).astype(np.float32)


def table(windows: Windows, said: Floats) -> list[Row]:
    """(task, way, AUC, low, high, n, what was left out); where no window or each is wrong there is none."""
    ways = {
        "this model": said,
        "as told, asked only where it is not plain": as_told(windows, said),
        "the index, mean": windows.mean_index,
        "the index, least": windows.least_index,
    }
    rows = []
    for task, mine in tasks(windows).items():
        if 0 < windows.wrong[mine].sum() < len(mine):
            rows += [row(windows, task, way, score, mine, PEOPLE_OUT) for way, score in ways.items()]
    return rows


def row(windows: Windows, task: str, way: str, score: Floats, mine: Truth, on: str) -> Row:
    def measure(some: Truth) -> float:
        wrong = windows.wrong[some]
        return auc(score[some], wrong) if 0 < wrong.sum() < len(some) else float("nan")

    n = f"{len(mine):,} windows, {windows.wrong[mine].sum():,} wrong, {len(np.unique(windows.person[mine]))} people"
    return (task, way, *spread(measure, windows.person, mine), n, on)


def unseen(windows: Windows, fold: Truth) -> list[Row]:
    """What such a net, not yet quantised, makes of a kind of noise or a data set of which it saw nothing at all."""
    rows = []
    for kind in KINDS:
        mine = of_kind(windows, kind)
        said = np.zeros(len(fold), np.float32)
        for k in range(FOLDS):
            said[fold == k] = trained(windows, (fold != k) & ~mine, k)(windows.x[fold == k])[:, 0]
        on = "people and this kind of noise left out"
        rows.append(row(windows, f"{kind} made", "such a net", said, np.flatnonzero(mine), on))
    for name in SETS:
        mine = np.asarray(np.char.startswith(windows.person, name.lower()))
        said = trained(windows, ~mine, 0)(windows.x)[:, 0]
        on = "this data set left out"
        rows.append(row(windows, f"{name}, as recorded", "such a net", said, np.flatnonzero(mine & ~windows.made), on))
    return rows


def at_same_share(windows: Windows, said: Floats) -> list[str]:
    """How many windows that are called usable are wrong, as many being called usable as the index would."""
    lines = []
    told = as_told(windows, said)
    for task, mine in tasks(windows).items():
        if " made" in task and not task.startswith("all"):
            continue
        wrong = windows.wrong[mine]
        usable = windows.least_index[mine] >= 0.5
        if not usable.any():
            continue
        best = np.argsort(-told[mine], kind="stable")[: int(usable.sum())]
        plain = windows.plain[mine]
        if plain.any():
            lines.append(f"{task}: {100 * plain.mean():.1f} % plain, of these wrong {100 * wrong[plain].mean():.2f} %")
        lines.append(
            f"{task}: {100 * wrong.mean():.1f} % wrong; {100 * usable.mean():.1f} % usable; of these wrong: "
            f"index {100 * wrong[usable].mean():.2f} %, as told {100 * wrong[best].mean():.2f} %"
        )
        for least in (0.5, 0.7, 0.8, 0.9):
            chosen = told[mine] >= least
            if chosen.any():
                share = 100 * wrong[chosen].mean()
                lines.append(f"  from {least}: {100 * chosen.mean():.1f} % usable, of these wrong {share:.2f} %")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, metavar="FILE", help="of benchmarks.quality_ppg_windows")
    parser.add_argument("--scratch", type=Path, help="nothing is kept between runs")
    parser.add_argument("--out", type=Path, default=Path("models/weights"))
    wanted = parser.parse_args()
    windows = Windows.read(wanted.data)
    fold = windows.folds()
    said = np.zeros(len(fold), np.float32)
    for mine in range(FOLDS):
        away = np.flatnonzero(fold == mine)
        print(f"fold {mine}: without {', '.join(np.unique(windows.person[away]))}", flush=True)
        weights, _ = tflite(trained(windows, fold != mine, mine), windows)
        said[away] = said_by(weights, windows, away)
    rows = [*table(windows, said), *unseen(windows, fold)]
    for task, way, value, low, high, n, on in rows:
        print(f"{task:34} {way:54} AUC {value:.3f} ({low:.3f} to {high:.3f}), {n}; {on}")
    print("\n".join(at_same_share(windows, said)), flush=True)
    whole, floating = tflite(trained(windows, np.ones(len(fold), np.bool_), FOLDS), windows)
    from models.training.quality_ppg_card import write

    write(wanted.out, whole, floating, rows, windows)


if __name__ == "__main__":
    main()
