"""Makes models/weights/quality.tflite and its card: python -m models.training.quality --data WINDOWS.npz

WINDOWS.npz comes from `python -m benchmarks.quality_windows`. People (of CinC 2017, which names none, recordings) are
split into FOLDS; the net of each is quantised as it ships and says what it makes of those it never saw, beside what the
index says of the same windows. The net that ships is trained on all. Trained in numpy, exported with TensorFlow.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.quality_input import FEATURES, SURE, inputs
from models.training.dense import Net as Dense
from models.training.dense import fit
from models.training.floating import float32_tflite
from models.training.quantise import Example, int8_tflite

FOLDS = 5
HIDDEN = (16, 8)
EPOCHS, BATCH, RATE, DECAY = 12, 512, 3e-3, 1e-3
NOISY_EPOCHS = 80  # there are few windows that anybody called noisy or not
TIMES, BLUR = 4, 0.2  # each window is seen so often in an epoch, its features moved so many spreads
DRAWN = 400  # of the bootstrap
Floats = NDArray[np.float32]
Truth = NDArray[np.int64]
Masks = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Windows:
    """`x` (n, FEATURES) as the net takes them; `wrong` and `noisy` 0, 1 or -1 for not known; the mean of the stretches'
    indices, and the least."""

    x: Floats
    wrong: Truth
    noisy: Truth
    mean_index: Floats
    least_index: Floats
    person: NDArray[np.str_]
    condition: NDArray[np.str_]

    @classmethod
    def read(cls, path: Path) -> Windows:
        with np.load(path) as held:
            return cls(
                inputs(held["features"]).astype(np.float32),
                held["wrong"].astype(np.int64),
                held["noisy"].astype(np.int64),
                held["mean_index"].astype(np.float32),
                held["least_index"].astype(np.float32),
                held["person"],
                held["condition"],
            )

    @property
    def clean(self) -> Masks:
        return np.asarray(np.char.startswith(self.condition, "clean"))

    def folds(self) -> Truth:
        """The fold of each window: all of a person in one."""
        people = np.unique(self.person)
        mine = np.random.default_rng(5).permutation(len(people)) % FOLDS
        return np.asarray(mine[np.searchsorted(people, self.person)])


def trained(windows: Windows, mask: Masks, seed: int) -> tuple[Dense, Dense]:
    """One net for whether the beats are right, one for whether it is noise; what MIT-BIH's annotators call noisy is
    kept to test with."""
    return (
        _fitted(windows, mask & (windows.wrong >= 0), windows.wrong == 0, EPOCHS, seed),
        _fitted(windows, mask & (windows.noisy >= 0) & ~windows.clean, windows.noisy == 1, NOISY_EPOCHS, seed),
    )


def _fitted(windows: Windows, mask: Masks, wanted: Masks, epochs: int, seed: int) -> Dense:
    rng = np.random.default_rng(seed)
    rows = np.concatenate([np.flatnonzero(mask)] * TIMES)
    x = windows.x[rows] + rng.normal(0, BLUR, (len(rows), windows.x.shape[1])).astype(np.float32)
    weight = np.ones(len(rows), np.float32)
    y = wanted[rows].astype(np.float32)
    return fit(x, y, weight, HIDDEN, epochs=epochs, batch=BATCH, rate=RATE, decay=DECAY, seed=seed)


def tflite(nets: tuple[Dense, Dense], windows: Windows) -> tuple[bytes, bytes]:
    """(in whole numbers, in floating point): both nets in one, on the same features."""
    import keras
    from keras import layers

    told = keras.Input((len(FEATURES),), name="features")
    ends = []
    for net in nets:
        x: Any = told
        for k, (weight, bias) in enumerate(zip(net.weights, net.biases, strict=True)):
            layer = layers.Dense(len(bias), activation="relu" if k < len(HIDDEN) else None)
            x = layer(x)
            layer.set_weights([weight, bias])
        ends.append(x)
    model = keras.Model(told, layers.Activation("sigmoid", name="label")(layers.Concatenate()(ends)))

    def examples() -> Iterator[Example]:
        for k in np.random.default_rng(2).permutation(len(windows.wrong))[:500]:
            yield {"features": windows.x[k][None]}

    return int8_tflite(model, examples()), float32_tflite(model)


def said_by(weights: bytes, windows: Windows, rows: Truth) -> Floats:
    """What the net makes of `rows`: (rows, 2)."""
    from models.card import ModelCard
    from models.interpreter import Net
    from models.training.quality_card import card

    raw = card(weights, b"", figures=[("not measured", 0.0, 0.0, 0.0, "none", "none")])
    return Net(weights, ModelCard.of(raw, "card")).rows(features=windows.x[rows]).astype(np.float32)


def auc(good: Floats, bad: Masks) -> float:
    """The chance that a good window scores above a bad one; equal scores count half."""
    order = np.sort(good[bad])
    fine = good[~bad]
    below = (np.searchsorted(order, fine, "left") + np.searchsorted(order, fine, "right")) / 2
    return float(below.mean() / len(order))


def spread(measure: Callable[[Truth], float], person: NDArray[np.str_], rows: Truth) -> tuple[float, float, float]:
    """(value, low, high): 95 % by bootstrap over people; draws in which it has no value are left out."""
    rng = np.random.default_rng(9)
    order = rows[np.argsort(person[rows], kind="stable")]
    mine = np.split(order, np.flatnonzero(person[order][1:] != person[order][:-1]) + 1)
    drawn = [measure(np.concatenate([mine[k] for k in rng.integers(0, len(mine), len(mine))])) for _ in range(DRAWN)]
    known = np.array([value for value in drawn if np.isfinite(value)])
    return measure(rows), float(np.quantile(known, 0.025)), float(np.quantile(known, 0.975))


def tasks(windows: Windows) -> dict[str, tuple[Truth, Masks]]:
    """Name, the windows it is about, and which of all windows are bad in its sense."""
    known, clean = windows.wrong >= 0, windows.clean
    cinc = np.char.startswith(windows.condition, "cinc")
    wrong, noisy = windows.wrong == 1, windows.noisy == 1
    out = {
        "detector errors, noise added": (known & ~clean, wrong),
        "detector errors, as recorded": (known & clean, wrong),
    }
    for kind, name in (("em", "electrode motion"), ("ma", "muscle"), ("bw", "wander")):
        out[f"detector errors, {name} added"] = (known & np.char.startswith(windows.condition, kind), wrong)
    out["CinC 2017, ~ against the others"] = (cinc, noisy)
    out["MIT-BIH's own ~"] = (clean & (windows.noisy >= 0), noisy)
    return {name: (np.flatnonzero(mask), bad) for name, (mask, bad) in out.items()}


def table(windows: Windows, said: Floats) -> list[tuple[str, str, float, float, float, str]]:
    """(task, way, AUC, low, high, n)."""
    ways = {
        "this model, right": said[:, 0],
        "this model, not noisy": 1 - said[:, 1],
        "as told: the index where it is sure, else this model": np.where(
            windows.least_index >= SURE, 1 + windows.least_index, said[:, 0]
        ),
        "the index, mean": windows.mean_index,
        "the index, least": windows.least_index,
    }
    rows = []
    for task, (mine, bad) in tasks(windows).items():
        n = f"{len(mine):,} windows, {bad[mine].sum():,} bad, {len(np.unique(windows.person[mine]))} people"
        for way, score in ways.items():

            def measure(some: Truth, score: Floats = score, bad: Masks = bad) -> float:
                return auc(score[some], bad[some]) if 0 < bad[some].sum() < len(some) else float("nan")

            rows.append((task, way, *spread(measure, windows.person, mine), n))
    return rows


def at_same_share(windows: Windows, said: Floats) -> list[str]:
    """How many windows that are called usable hold an error, as many being called usable as the index would."""
    lines = []
    told = np.where(windows.least_index >= SURE, 1 + windows.least_index, said[:, 0])
    for task in ("detector errors, noise added", "detector errors, as recorded"):
        mine, bad = tasks(windows)[task]
        usable = windows.least_index[mine] >= 0.5
        best = np.argsort(-told[mine], kind="stable")[: int(usable.sum())]
        wrong = bad[mine]
        lines.append(
            f"{task}: {100 * usable.mean():.1f} % usable; with an error: index {100 * wrong[usable].mean():.2f} %, "
            f"as told {100 * wrong[best].mean():.2f} % (from {told[mine[best]].min():.3f} on)"
        )
        for least in (0.7, 0.8, 0.9):
            chosen = told[mine] >= least
            lines.append(
                f"  from {least}: {100 * chosen.mean():.1f} % usable, with an error {100 * wrong[chosen].mean():.2f} %"
            )
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, metavar="WINDOWS.npz", help="of benchmarks.quality_windows")
    parser.add_argument("--scratch", type=Path, help="nothing is kept between runs")
    parser.add_argument("--out", type=Path, default=Path("models/weights"))
    wanted = parser.parse_args()
    windows = Windows.read(wanted.data)
    fold = windows.folds()
    said = np.zeros((len(fold), 2), np.float32)
    for mine in range(FOLDS):
        away = np.flatnonzero(fold == mine)
        people = np.unique(windows.person[away])
        named = " ".join(name for name in people if name.isdigit())
        print(f"fold {mine}: without {named} and {sum(not name.isdigit() for name in people)} of CinC 2017", flush=True)
        weights, _ = tflite(trained(windows, fold != mine, mine), windows)
        said[away] = said_by(weights, windows, away)
    rows = table(windows, said)
    for task, way, value, low, high, n in rows:
        print(f"{task:40} {way:54} AUC {value:.3f} ({low:.3f} to {high:.3f}), {n}")
    print("\n".join(at_same_share(windows, said)), flush=True)
    whole, floating = tflite(trained(windows, np.ones(len(fold), np.bool_), FOLDS), windows)
    from models.training.quality_card import write

    write(wanted.out, whole, floating, rows, windows)


if __name__ == "__main__":
    main()
