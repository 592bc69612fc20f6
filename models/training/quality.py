"""Makes models/weights/quality.tflite and its card: python -m models.training.quality WINDOWS.npz [--out DIR]

WINDOWS.npz comes from `python -m benchmarks.quality_windows`. People (of CinC 2017, which names none, recordings) are
split into FOLDS; the net of each is quantised as it ships and says what it makes of those it never saw, beside what the
index says of the same windows. The net that ships is trained on all.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.quality_input import FEATURES, MOST, POINTS, SURE
from models.training.floating import float32_tflite
from models.training.quantise import Example, int8_tflite

FOLDS = 5
EPOCHS, BATCH, RATE = 12, 64, 2e-3
EASY = 0.3  # share of the clean windows without an error that are learnt from: there are many
NOISY_COUNTS = 0.5  # of the loss, beside the detector's errors
DRAWN = 400  # of the bootstrap
Floats = NDArray[np.float32]
Truth = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Windows:
    """`wrong` and `noisy` 0, 1 or -1 for not known; `index`: the mean of the stretches' indices, and the least."""

    wave: NDArray[np.int8]
    features: Floats
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
                held["wave"],
                held["features"].astype(np.float32),
                held["wrong"].astype(np.int64),
                held["noisy"].astype(np.int64),
                held["mean_index"].astype(np.float32),
                held["least_index"].astype(np.float32),
                held["person"],
                held["condition"],
            )

    def folds(self) -> NDArray[np.int64]:
        """The fold of each window: all of a person in one."""
        people = np.unique(self.person)
        mine = np.random.default_rng(5).permutation(len(people)) % FOLDS
        return np.asarray(mine[np.searchsorted(people, self.person)])


def net() -> Any:
    import keras
    from keras import layers

    wave = keras.Input((POINTS, 2), name="wave")
    told = keras.Input((len(FEATURES),), name="features")
    x = wave
    for width, reach, stride in ((10, 9, 4), (16, 5, 2), (24, 5, 2), (32, 3, 2)):
        x = layers.Conv1D(width, reach, strides=stride, padding="same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.Concatenate()([layers.GlobalAveragePooling1D()(x), layers.GlobalMaxPooling1D()(x)])
    x = layers.Dropout(0.2)(x)
    g = layers.Dense(16, activation="relu")(told)
    x = layers.Dense(24, activation="relu")(layers.Concatenate()([x, g, told]))
    x = layers.Concatenate()([x, told])
    return keras.Model([wave, told], layers.Dense(2, activation="sigmoid", name="label")(x))


def loss(y: Any, p: Any) -> Any:
    """`y`: (right, noisy, how much each counts)."""
    from keras import ops

    p = ops.clip(p, 1e-5, 1 - 1e-5)
    each = -(y[:, :2] * ops.log(p) + (1 - y[:, :2]) * ops.log(1 - p))
    return ops.sum(each * y[:, 2:], axis=-1)


def truth(windows: Windows) -> Floats:
    """As `loss` takes it."""
    out = np.zeros((len(windows.wrong), 4), np.float32)
    out[:, 0], out[:, 2] = windows.wrong == 0, windows.wrong >= 0
    out[:, 1], out[:, 3] = windows.noisy == 1, NOISY_COUNTS * (windows.noisy >= 0)
    clean = np.char.startswith(windows.condition, "clean")
    out[clean, 3] = 0  # what MIT-BIH's annotators call noisy is kept to test with
    return out


def worse(wave: NDArray[np.int8], told: Floats, rng: np.random.Generator) -> list[Floats]:
    """Moved round, turned over, scaled; now and then without its features."""
    x = wave.astype(np.float32) * (MOST / 127)
    x[:, :, 1] = wave[:, :, 1] > 20
    n = len(x)
    moved = (np.arange(POINTS)[None] + rng.integers(-300, 300, n)[:, None]) % POINTS
    x = np.take_along_axis(x, moved[:, :, None], 1)
    x[:, :, 0] *= (np.where(rng.random(n) < 0.3, -1, 1) * np.exp(rng.normal(0, 0.1, n)))[:, None].astype(np.float32)
    told = told + rng.normal(0, 0.05, told.shape).astype(np.float32)
    told[:, 0] += rng.normal(0, 0.3, n).astype(np.float32)
    return [np.clip(x, -MOST, MOST), told]


def trained(windows: Windows, mask: NDArray[np.bool_], seed: int) -> Any:
    import keras

    keras.utils.set_random_seed(seed)
    rng = np.random.default_rng(seed)
    wanted = truth(windows)
    easy = np.char.startswith(windows.condition, "clean") & (windows.wrong == 0)
    pick = np.flatnonzero(mask & (~easy | (rng.random(len(mask)) < EASY)))
    made = net()
    steps = len(pick) // BATCH
    schedule = keras.optimizers.schedules.CosineDecay(RATE, EPOCHS * steps, alpha=0.02)
    made.compile(optimizer=keras.optimizers.AdamW(schedule, weight_decay=1e-4, clipnorm=1.0), loss=loss)
    for _ in range(EPOCHS):
        order = rng.permutation(pick)[: steps * BATCH]
        x = worse(windows.wave[order], windows.features[order], rng)
        made.fit(x, wanted[order], batch_size=BATCH, epochs=1, shuffle=False, verbose=0)
    return made


def as_seen(windows: Windows, k: int) -> dict[str, Floats]:
    """The inputs of window `k`."""
    x = windows.wave[k].astype(np.float32) * np.float32(MOST / 127)
    x[:, 1] = windows.wave[k][:, 1] > 20
    return {"wave": x, "features": windows.features[k]}


def tflite(made: Any, windows: Windows) -> tuple[bytes, bytes]:
    """(in whole numbers, in floating point)."""

    def examples() -> Iterator[Example]:
        for k in np.random.default_rng(2).permutation(len(windows.wrong))[:300]:
            yield {name: value[None] for name, value in as_seen(windows, int(k)).items()}

    return int8_tflite(made, examples()), float32_tflite(made)


def said_by(weights: bytes, windows: Windows, rows: NDArray[np.int64]) -> Floats:
    """What the net makes of `rows`: (rows, 2)."""
    from models.card import ModelCard
    from models.interpreter import Net
    from models.training.quality_card import card

    raw = card(weights, b"", figures=[("not measured", 0.0, 0.0, 0.0, "none", "none")])
    runs = Net(weights, ModelCard.of(raw, "card"))
    return np.array([runs(**as_seen(windows, int(k))) for k in rows], np.float32)


def auc(good: Floats, bad: NDArray[np.bool_]) -> float:
    """The chance that a good window scores above a bad one; equal scores count half."""
    order = np.sort(good[bad])
    fine = good[~bad]
    below = (np.searchsorted(order, fine, "left") + np.searchsorted(order, fine, "right")) / 2
    return float(below.mean() / len(order))


def spread(
    measure: Callable[[NDArray[np.int64]], float], person: NDArray[np.str_], rows: NDArray[np.int64]
) -> tuple[float, float, float]:
    """(value, low, high): 95 % by bootstrap over people; draws in which it has no value are left out."""
    rng = np.random.default_rng(9)
    people = np.unique(person[rows])
    mine = {name: rows[person[rows] == name] for name in people}
    drawn = []
    for _ in range(DRAWN):
        some = np.concatenate([mine[name] for name in rng.choice(people, len(people))])
        value = measure(some)
        if np.isfinite(value):
            drawn.append(value)
    return measure(rows), float(np.quantile(drawn, 0.025)), float(np.quantile(drawn, 0.975))


def tasks(windows: Windows) -> dict[str, tuple[NDArray[np.int64], NDArray[np.bool_]]]:
    """Name, the windows it is about, and which of all windows are bad in its sense."""
    known = windows.wrong >= 0
    clean = np.char.startswith(windows.condition, "clean")
    cinc = np.char.startswith(windows.condition, "cinc")
    wrong, noisy = windows.wrong == 1, windows.noisy == 1
    out = {
        "detector errors, noise added": (known & ~clean, wrong),
        "detector errors, as recorded": (known & clean, wrong),
    }
    for kind in ("em", "ma", "bw"):
        out[f"detector errors, {kind}"] = (known & np.char.startswith(windows.condition, kind), wrong)
    out["CinC 2017, ~ against the others"] = (cinc, noisy)
    out["MIT-BIH's own ~"] = (clean & (windows.noisy >= 0), noisy)
    return {name: (np.flatnonzero(mask), bad) for name, (mask, bad) in out.items()}


def table(windows: Windows, said: Floats) -> list[tuple[str, str, float, float, float, str]]:
    """(task, way, AUC, low, high, n)."""
    ways = {
        "this model, right": said[:, 0],
        "this model, not noisy": 1 - said[:, 1],
        "the index, mean": windows.mean_index,
        "the index, least": windows.least_index,
        "as told: the index where sure, else this model": np.where(
            windows.least_index >= SURE, 1 + windows.least_index, said[:, 0]
        ),
    }
    rows = []
    for task, (mine, bad) in tasks(windows).items():
        people = len(np.unique(windows.person[mine]))
        for way, score in ways.items():

            def measure(some: NDArray[np.int64], score: Floats = score, bad: NDArray[np.bool_] = bad) -> float:
                return auc(score[some], bad[some]) if 0 < bad[some].sum() < len(some) else float("nan")

            value, low, high = spread(measure, windows.person, mine)
            rows.append(
                (task, way, value, low, high, f"{len(mine):,} windows, {bad[mine].sum():,} bad, {people} people")
            )
    return rows


def at_same_share(windows: Windows, said: Floats) -> list[str]:
    """How many windows that are called usable hold an error, as many being called usable as the index would."""
    lines = []
    for task in ("detector errors, noise added", "detector errors, as recorded"):
        mine, bad = tasks(windows)[task]
        usable = windows.least_index[mine] >= 0.5
        share = usable.mean()
        best = np.argsort(-said[mine, 0], kind="stable")[: int(usable.sum())]
        wrong = bad[mine]
        lines.append(
            f"{task}: {100 * share:.1f} % usable; errors among them: index {100 * wrong[usable].mean():.2f} %, "
            f"this model {100 * wrong[best].mean():.2f} % (from {said[mine[best], 0].min():.3f} on)"
        )
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("windows", type=Path)
    parser.add_argument("--out", type=Path, default=Path("models/weights"))
    wanted = parser.parse_args()
    windows = Windows.read(wanted.windows)
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
        print(f"{task:36} {way:24} AUC {value:.3f} ({low:.3f} to {high:.3f}), {n}")
    print("\n".join(at_same_share(windows, said)), flush=True)
    whole, floating = tflite(trained(windows, np.ones(len(fold), np.bool_), FOLDS), windows)
    from models.training.quality_card import write

    write(wanted.out, whole, floating, rows, windows)


if __name__ == "__main__":
    main()
