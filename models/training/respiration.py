"""How `weights/respiration.npz` was made.

    python -m models.training.respiration --data MAPS.npz                     trains on everybody: weights and card
    python -m models.training.respiration --data MAPS.npz --leave-out OUT.npz scores people by nets that never saw them

`python -m benchmarks.respiration_maps MAPS.npz` makes the maps. One net per source; softmax over the rates of the grid
against a bell of BELL_BINS around the truth; Adam (Kingma & Ba 2015) with a cosine schedule and decoupled decay. Seeds
are fixed: the same maps give the same weights on the same machine.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.respiration import CARD, INPUTS_N, LOWEST_BPM, OCTAVE, RATES_BPM, RATES_N, SOURCES, Layers, inputs

WEIGHTS = Path(__file__).resolve().parents[1] / "weights" / "respiration.npz"
VERSION = "1.0.0"
HIDDEN = 16
MEMBERS = 2  # nets whose logits are averaged, which is one net with the hidden units of all
STEPS = 350  # more only learns these people by heart
BATCH = 32
RATE = 4e-3
DECAY = 0.01
BELL_BINS = 1.4
SLOW_SHARE = 0.05  # of the windows with slow waves laid over
SHUFFLED_SHARE = 0.1  # of the windows with nothing of breathing in them: there every rate is as likely
MOST_APART_BPM = 2.0

Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]


class Windows:
    """The windows of one source."""

    def __init__(self, maps: Mapping[str, Any], source: str) -> None:
        def column(name: str) -> NDArray[Any]:
            return np.asarray(maps[f"{source}_{name}"])

        self.maps, self.pulse_bpm, self.change = column("maps"), column("pulse_bpm"), column("change")
        self.person, self.record, self.lead = column("person"), column("record"), column("lead")
        self.stretch, self.start_s = column("stretch"), column("start_s")
        rates = column("rates_bpm")
        apart = np.abs(rates[:, 0] - rates[:, 1])
        self.rate_bpm = rates.mean(axis=1)
        inside = (self.rate_bpm > 1.05 * RATES_BPM[0]) & (self.rate_bpm < 0.95 * RATES_BPM[-1])
        self.known = (apart <= MOST_APART_BPM) & inside

    def inputs(self, rows: NDArray[np.intp]) -> Floats32:
        maps = self.maps[rows].astype(np.float64)
        return inputs(maps[:, 0], maps[:, 1], self.pulse_bpm[rows]).astype(np.float32)


def train(windows: Windows, people: set[str], seed: int) -> Layers:
    """One net from the windows of `people`."""
    rng = np.random.default_rng(seed)
    mine = windows.known & np.isin(windows.person, sorted(people))
    kinds = [np.flatnonzero(mine & (windows.change == change)) for change in ("", "slow", "shuffled")]
    plain = kinds[0]
    shares = (1 - SLOW_SHARE - SHUFFLED_SHARE, SLOW_SHARE, SHUFFLED_SHARE)
    sample = windows.inputs(rng.choice(plain, 800))
    mean = sample.mean(axis=(0, 2))[:, None]
    spread = sample.std(axis=(0, 2))[:, None] + np.float32(0.1)
    parts = [
        (rng.standard_normal((HIDDEN, INPUTS_N)) / INPUTS_N**0.5).astype(np.float32),
        np.zeros((HIDDEN, 1), np.float32),
        (rng.standard_normal(HIDDEN) * 0.3).astype(np.float32),
    ]
    first = [np.zeros_like(part) for part in parts]
    second = [np.zeros_like(part) for part in parts]
    for step in range(1, STEPS + 1):
        kind = rng.choice(3, BATCH, p=shares)
        rows = np.stack([rng.choice(each, BATCH) for each in kinds])[kind, np.arange(BATCH)]
        wanted = np.where((kind == 2)[:, None], 1.0 / RATES_N, _bells(windows.rate_bpm[rows]))
        slopes = _slopes(parts, (windows.inputs(rows) - mean) / spread, wanted)
        rate = RATE * 0.5 * (1 + np.cos(np.pi * step / STEPS))
        for k, slope in enumerate(slopes):
            first[k] += 0.1 * (slope - first[k])
            second[k] += 0.01 * (slope * slope - second[k])
            size = np.sqrt(second[k] / (1 - 0.99**step)) + 1e-8
            parts[k] -= rate * (first[k] / (1 - 0.9**step) / size + DECAY * parts[k])
    w = parts[0].astype(np.float64) / spread.T
    return Layers(w, parts[1] - w @ mean.astype(np.float64), parts[2].astype(np.float64))


def _slopes(parts: list[Floats32], x: Floats32, wanted: Floats) -> list[Floats32]:
    """Gradients of the mean cross entropy; `x` (batch, INPUTS_N, RATES_N)."""
    w, b, v = parts
    hidden = np.maximum(w @ x + b, 0)
    logits = np.einsum("h,bhj->bj", v, hidden)
    share = np.exp(logits - logits.max(axis=1, keepdims=True))
    share /= share.sum(axis=1, keepdims=True)
    error = ((share - wanted) / len(x)).astype(np.float32)
    back = error[:, None] * v[:, None] * (hidden > 0)
    return [
        np.matmul(back, x.transpose(0, 2, 1)).sum(axis=0),
        back.sum(axis=(0, 2))[:, None],
        np.einsum("bj,bhj->h", error, hidden),
    ]


def _bells(rate_bpm: Floats) -> Floats:
    centre = OCTAVE * np.log2(rate_bpm / LOWEST_BPM)
    bells = np.exp(-0.5 * ((np.arange(RATES_N) - centre[:, None]) / BELL_BINS) ** 2)
    return np.asarray(bells / bells.sum(axis=1, keepdims=True), dtype=np.float64)


def ensemble(windows: Windows, people: set[str], seed: int) -> Layers:
    members = [train(windows, people, seed + k) for k in range(MEMBERS)]
    return Layers(
        np.concatenate([member.w for member in members]),
        np.concatenate([member.b for member in members]),
        np.concatenate([member.v for member in members]) / MEMBERS,
    )


def leave_out(maps: Mapping[str, Any], groups: int | None) -> dict[str, NDArray[Any]]:
    """For every window as it was recorded: logits of nets that never saw its person."""
    out: dict[str, NDArray[Any]] = {}
    for source in SOURCES:
        windows = Windows(maps, source)
        people = sorted(set(windows.person.tolist()))
        np.random.default_rng(1).shuffle(people)
        as_recorded = (windows.stretch == 1.0) & (windows.change == "")
        logits = np.zeros((len(as_recorded), RATES_N))
        for fold in np.array_split(np.array(people), groups or len(people)):
            net = ensemble(windows, set(people) - set(fold.tolist()), 0)
            rows = np.flatnonzero(as_recorded & np.isin(windows.person, fold))
            logits[rows] = net.logits(windows.inputs(rows).astype(np.float64))
            print(source, fold.tolist(), flush=True)
        for name in ("record", "person", "lead", "start_s"):
            out[f"{source}_{name}"] = getattr(windows, name)[as_recorded]
        out[f"{source}_logits"] = logits[as_recorded]
    return out


def write(maps: Mapping[str, Any], weights: Path) -> None:
    """Trains on everybody; writes the weights and their card."""
    arrays: dict[str, Floats32] = {}
    for source in SOURCES:
        windows = Windows(maps, source)
        net = ensemble(windows, set(windows.person.tolist()), 0)
        for part in ("w", "b", "v"):
            arrays[f"{source}_{part}"] = getattr(net, part).astype(np.float32)
    weights.parent.mkdir(exist_ok=True)
    np.savez(weights, allow_pickle=False, **arrays)
    write_card(weights)


def write_card(weights: Path) -> None:
    """The card that is there, for the weights that are there now; its figures are what `--leave-out` gave, by hand."""
    path = weights.with_suffix(".json")
    card = json.loads(CARD.read_text(encoding="utf-8"))
    data = weights.read_bytes()
    card |= {"version": VERSION, "sha256": hashlib.sha256(data).hexdigest(), "size_bytes": len(data)}
    path.write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, metavar="MAPS.npz", help="of benchmarks.respiration_maps")
    parser.add_argument("--scratch", type=Path, help="nothing is kept between runs")
    parser.add_argument("--out", type=Path, default=WEIGHTS.parent, help="folder of the weights and their card")
    parser.add_argument("--leave-out", type=Path, metavar="OUT", help="write logits of people not learnt from")
    parser.add_argument("--groups", type=int, metavar="N", help="leave out groups of people; one by one when left out")
    asked = parser.parse_args()
    with np.load(asked.data) as file:
        maps = {name: file[name] for name in file.files}
    if asked.leave_out:
        np.savez(asked.leave_out, allow_pickle=False, **leave_out(maps, asked.groups))
    else:
        write(maps, asked.out / WEIGHTS.name)


if __name__ == "__main__":
    main()
