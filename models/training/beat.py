"""Makes models/weights/beat.tflite and its card: python -m models.training.beat --data DIR [--fetch]

DIR holds mitdb/, nstdb/ and cinc2017/. Each of FOLDS leaves people out, in both leads, in what was mixed of them, and
in whatever rhythm was made of their beats; the figures are of the people left out, on the first channel of each
record. The net that ships is trained on everybody. A seed gives the same net again.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.beat_features import NAMES
from models.training.beat_records import DS1, Beats, read, read_cinc
from models.training.beat_rhythms import Source, made
from models.training.softmax_net import SoftmaxNet, fit

LABELS = "NSVFQ"
FOLDS = 6
SEEDS = (0, 1, 2)  # nets whose last layers are averaged into one
HIDDEN = (48, 24)
STEPS = 1400
COPIES = 2
NORMAL, FIBRILLATING = 300, 200  # recordings of CinC 2017
PER_SOURCE = 3
LEAN = {"S": 0.25, "V": 0.5, "F": 0.3}  # what a probability counts: beats are N far more often than in training
TEMPER = 0.35  # a person with n beats of a class counts n to this power
SHARES = {"N": 0.6, "S": 0.13, "V": 0.22, "F": 0.05}
MADE_SHARES = {"N": 0.55, "S": 0.27, "V": 0.16, "F": 0.02}
MADE_COUNT, CINC_COUNT = 0.7, 0.05  # beside 1 for what was recorded
PLAIN_KEPT = 0.35  # of the N beats, of which there are more than enough
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Examples:
    """`features` (n, inputs), `labels` (n,), what each counts, and the two people who are in it."""

    features: NDArray[np.float32]
    labels: NDArray[np.str_]
    counts: Floats
    person: NDArray[np.str_]
    donor: NDArray[np.str_]

    def without(self, people: set[str]) -> Examples:
        keep = ~np.isin(self.person, sorted(people)) & ~np.isin(self.donor, sorted(people))
        return Examples(self.features[keep], self.labels[keep], self.counts[keep], self.person[keep], self.donor[keep])


def folds() -> list[set[str]]:
    """People spread over the folds by a seed."""
    people = np.random.default_rng(1).permutation(np.array(sorted(DS1)))
    return [set(people[k::FOLDS].tolist()) for k in range(FOLDS)]


def recorded(beats: Beats) -> Examples:
    rng = np.random.default_rng(5)
    known = np.isin(beats.labels, list(SHARES)) & ((beats.labels != "N") | (rng.random(len(beats.labels)) < PLAIN_KEPT))
    labels, person = beats.labels[known], beats.person[known]
    counts = np.zeros(len(labels))
    for label, share in SHARES.items():
        mine = labels == label
        for name in np.unique(person[mine]):
            his = mine & (person == name)
            counts[his] = np.count_nonzero(his) ** (TEMPER - 1)
        counts[mine] *= share / counts[mine].sum()
    return Examples(beats.features[known], labels, counts, person, person)


def elsewhere(beats: Beats) -> Examples:
    """Of CinC 2017; among fibrillating recordings only beats like the usual ones."""
    like = beats.features[:, NAMES.index("like")] > 2.7
    keep = (beats.lead == "N") | like
    lead = beats.lead[keep]
    counts = np.where(lead == "N", 1 / np.count_nonzero(lead == "N"), 1 / np.count_nonzero(lead == "A")) * CINC_COUNT
    return Examples(beats.features[keep], beats.labels[keep], counts, beats.person[keep], beats.person[keep])


def rhythms(sources: dict[tuple[str, str], Source], others: list[Source]) -> Examples:
    rng = np.random.default_rng(12)
    donors = [name for name, own in sources.items() if len(own.odd) >= 10]
    parts, labels, person, donor = [], [], [], []
    for name, own in [*sources.items(), *((("cinc", str(k)), own) for k, own in enumerate(others))]:
        for _ in range(PER_SOURCE if name[0] != "cinc" else 1):
            giver = name if name in donors and rng.random() < 0.5 else donors[rng.integers(len(donors))]
            features, told = made(rng, own, sources[giver])
            parts.append(features.astype(np.float32))
            labels.append(told)
            person += [name[0]] * len(told)
            donor += [giver[0]] * len(told)
    every = np.concatenate(labels)
    counts = np.zeros(len(every))
    for label, share in MADE_SHARES.items():
        mine = every == label
        counts[mine] = MADE_COUNT * share / np.count_nonzero(mine)
    return Examples(np.concatenate(parts), every, counts, np.array(person), np.array(donor))


def together(parts: list[Examples]) -> Examples:
    return Examples(
        np.concatenate([part.features for part in parts]),
        np.concatenate([part.labels for part in parts]),
        np.concatenate([part.counts for part in parts]),
        np.concatenate([part.person for part in parts]),
        np.concatenate([part.donor for part in parts]),
    )


def train(examples: Examples) -> SoftmaxNet:
    """Nets of several seeds in one: their hidden layers side by side, their logits averaged."""
    wanted = np.array([LABELS.index(label) for label in examples.labels])
    turned = [k for k, name in enumerate(NAMES) if "polarity" in name]
    nets = [
        fit(
            examples.features,
            wanted,
            examples.counts,
            len(LABELS),
            hidden=HIDDEN,
            steps=STEPS,
            turned=turned,
            seed=seed,
        )
        for seed in SEEDS
    ]
    first = np.concatenate([net.weights[0] for net in nets], axis=1)
    second = np.zeros((len(nets) * HIDDEN[0], len(nets) * HIDDEN[1]), np.float32)
    for k, net in enumerate(nets):
        second[k * HIDDEN[0] : (k + 1) * HIDDEN[0], k * HIDDEN[1] : (k + 1) * HIDDEN[1]] = net.weights[1]
    third = np.asarray(np.concatenate([net.weights[2] for net in nets]) / len(nets), dtype=np.float32)
    biases = [np.concatenate([net.biases[k] for net in nets]) for k in (0, 1)]
    last: NDArray[np.float32] = np.mean(np.stack([net.biases[2] for net in nets]), axis=0, dtype=np.float32)
    return SoftmaxNet([first, second, third], [*biases, last])


def said(probabilities: NDArray[np.float32]) -> NDArray[np.str_]:
    lean = np.array([LEAN.get(label, 1.0) for label in LABELS])
    return np.asarray(np.array(list(LABELS))[np.argmax(probabilities * lean, axis=1)])


def counted(beats: Beats, told: NDArray[np.str_], lead: str = "0") -> dict[str, dict[str, tuple[int, int, int]]]:
    """By class and person: right, missed, wrong. As EC57 counts: F and Q called V, and Q called S, are not wrong."""
    spared = {"V": ("V", "F", "Q"), "S": ("S", "Q"), "F": ("F", "Q")}
    out: dict[str, dict[str, tuple[int, int, int]]] = {}
    for label, spare in spared.items():
        out[label] = {}
        for name in DS1:
            mine = (beats.person == name) & (beats.lead == lead)
            true, says = beats.labels[mine] == label, told[mine] == label
            wrong = np.count_nonzero(says & ~np.isin(beats.labels[mine], spare))
            missed = np.count_nonzero(true & ~says) + (beats.missed.get((name, label), 0) if lead == "0" else 0)
            out[label][name] = (int(np.count_nonzero(true & says)), int(missed), int(wrong))
    return out


def figures(counts: dict[str, tuple[int, int, int]]) -> dict[str, tuple[float, float, float]]:
    """Sensitivity, positive predictive value and F1, all people together, each with its 95 % interval over people."""
    table = np.array([counts[name] for name in DS1], dtype=np.float64)

    def of(rows: Floats) -> Floats:
        right, missed, wrong = rows.sum(axis=0)
        some = max(right, 1e-9)
        return np.array(
            [right / max(right + missed, 1e-9), right / max(right + wrong, 1e-9), some / (some + (missed + wrong) / 2)]
        )

    rng = np.random.default_rng(0)
    drawn = np.array([of(table[rng.integers(len(table), size=len(table))]) for _ in range(2000)])
    low, high = np.percentile(drawn, [2.5, 97.5], axis=0)
    names = ("sensitivity", "positive predictive value", "F1")
    return {name: (float(v), float(a), float(b)) for name, v, a, b in zip(names, of(table), low, high, strict=True)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of mitdb/, nstdb/ and cinc2017/")
    parser.add_argument("--scratch", type=Path, default=Path("beat-scratch"), help="what is kept between runs")
    parser.add_argument("--out", type=Path, help="where weights and card go; default: models/weights")
    parser.add_argument("--fetch", action="store_true", help="get the recordings from PhysioNet first")
    parser.add_argument("--only", choices=("train", "export"), help="one step; both without it")
    wanted = parser.parse_args()
    wanted.scratch.mkdir(parents=True, exist_ok=True)
    if wanted.fetch:
        fetch(wanted.data)
    if wanted.only != "export":
        learn(wanted.data, wanted.scratch)
    if wanted.only != "train":
        from models.training.beat_card import export

        export(wanted.scratch, wanted.out)


def learn(data: Path, scratch: Path) -> None:
    """Into `scratch`: beat.net.npz, the weights; beat.evaluation.json, the figures and the split."""
    beats, sources = read(data, scratch, COPIES)
    cinc, others = read_cinc(data, scratch, NORMAL, FIBRILLATING)
    examples = together([recorded(beats), elsewhere(cinc), rhythms(sources, others)])
    told = np.full(len(beats.labels), "-")
    for k, people in enumerate(folds()):
        net = train(examples.without(people))
        mine = np.isin(beats.person, sorted(people))
        told[mine] = said(net(beats.features[mine]))
        print(f"fold {k}: {' '.join(sorted(people))}", flush=True)
    evaluation: dict[str, Any] = {"folds": [sorted(people) for people in folds()], "lean": LEAN}
    for lead in ("0", "1"):
        table = counted(beats, told, lead)
        evaluation[f"channel {lead}"] = {label: figures(counts) for label, counts in table.items()}
        evaluation[f"people {lead}"] = table
        print(json.dumps(evaluation[f"channel {lead}"]), flush=True)
    (scratch / "beat.evaluation.json").write_text(json.dumps(evaluation, indent=1) + "\n", encoding="utf-8")
    net = train(examples)
    shown = np.concatenate(
        [beats.features[np.flatnonzero(beats.labels == label)[::step]] for label, step in _calibration(beats)]
    )
    plain = beats.features[np.isin(beats.lead, ["0", "1"])][::40]
    arrays = {f"w{k}": w for k, w in enumerate(net.weights)} | {f"b{k}": b for k, b in enumerate(net.biases)}
    np.savez(scratch / "beat.net.npz", allow_pickle=False, shown=shown, plain=plain, **arrays)


def _calibration(beats: Beats) -> Iterator[tuple[str, int]]:
    """Of each class some hundred beats."""
    for label in "NSVF":
        yield label, max(1, int(np.count_nonzero(beats.labels == label)) // 150)


def fetch(folder: Path) -> None:
    """From PhysioNet, where there is a network; about 200 MB."""
    import wfdb

    from models.training import cinc2017

    wfdb.dl_database("mitdb", str(folder / "mitdb"), records=list(DS1))
    wfdb.dl_database("nstdb", str(folder / "nstdb"), records=["bw", "em", "ma"])
    cinc2017.fetch(folder / "cinc2017")


if __name__ == "__main__":
    main()
