"""Makes models/weights/ppg_rate.npz: python -m models.training.ppg_rate --data WINDOWS.npz [--out FOLDER] [--jobs N]

WINDOWS.npz comes from `python -m benchmarks.ppg_records`. Each of FOLDS leaves people out, their waves and their
movements, and is judged on them through the very chain that runs; the trust is fitted on those estimates, and the net
that ships on everybody. What is printed is what the folds said. A seed gives the same net again.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from models.ppg_rate import RateNet, Trust
from models.ppg_rate_features import FEATURES, HZ, LONG, MOVE_COLUMN, RATES_BPM, WINDOW, rate_features
from models.rate_track import EVIDENCE, LAG, RIGHT_BPM, Estimate, RateTrack

Floats = NDArray[np.float64]

HIDDEN = (32, 16)
EPOCHS = 3
BATCH = 128
RATE, DECAY = 3e-3, 1e-2
SOFT_BPM = 2.0  # the width of the target
NEAR, FAR = 8, 12  # of each window, so many rates nearest to the true one are looked at, and so many of the others
SPEEDS = (0.5, 0.58, 0.66, 0.75, 0.83, 0.92, 1.08, 1.17, 1.28, 1.4, 1.55)
REST_SPEEDS = (0.55, 0.62, 0.7, 0.78, 0.87, 1.0, 1.12, 1.25, 1.4, 1.55, 1.7)
MOVE_SPEEDS = (0.7, 0.85, 1.0, 1.2, 1.4)
PER_SPEED = 60
NONE_COUNTS = 0.05  # of a window that the trust is fitted on: most sensors are worn
NO_PULSE = 0.2  # of the made windows have none: nothing is to be told of them
LEAST_BPM, MOST_BPM = 34.0, 218.0
HOP = 50
LEAST = (0.5, 0.6, 0.7, 0.8, 0.9)
SEED = 1000
FOLDS = 5

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Record:
    """One record at a speed: `waves` (channels, n) and `acc_g` (3, n) begin LONG - WINDOW points before its start.

    `truth_bpm` (windows,), NaN where unknown; `beats` (channels, windows, 4): the rate of the
    beats (NaN: none), the share that could be read, and once the last pulse has come the rate and the unrest.
    """

    name: str
    person: str
    kind: str
    waves: Floats
    acc_g: Floats | None
    truth_bpm: Floats
    beats: Floats

    def window(self, k: int) -> slice:
        return slice(HOP * k, HOP * k + LONG)


@dataclass(frozen=True, slots=True)
class Examples:
    """`x` (n, rates, FEATURES) float16; `bpm` (n,), NaN: there is no pulse; `mover`: whose movements were added."""

    x: NDArray[np.float16]
    bpm: Floats
    weight: Floats
    person: NDArray[np.str_]
    mover: NDArray[np.str_]


def read(path: Path) -> tuple[list[Record], dict[tuple[int, float], tuple[Floats, Floats | None]]]:
    """The records at their own speed, and the waves and movements of (record, speed)."""
    records, played = [], {}
    with np.load(path, allow_pickle=False) as arrays:
        for i, (name, person, kind) in enumerate(arrays["who"].tolist()):
            for speed in arrays[f"speeds_{i}"].tolist():
                waves = arrays[f"waves_{i}_{speed:g}"].astype(np.float64)
                acc = f"acc_{i}_{speed:g}"
                played[i, speed] = (waves, arrays[acc].astype(np.float64) if acc in arrays.files else None)
            waves, acc_g = played[i, 1.0]
            records.append(Record(name, person, kind, waves, acc_g, arrays[f"truth_{i}"], arrays[f"beats_{i}"]))
    return records, played


def features(record: Record, k: int, channels: list[int]) -> Floats:
    bpm, good = record.beats[channels[0], k, :2]
    acc_g = None if record.acc_g is None else record.acc_g[:, record.window(k)]
    return rate_features(record.waves[channels][:, record.window(k)], acc_g, _known(bpm), good)


def _known(bpm: float) -> float | None:
    return None if math.isnan(bpm) else float(bpm)


class Made:
    """Gathers examples."""

    def __init__(self, person: str) -> None:
        self._person = person
        self._x: list[NDArray[np.float16]] = []
        self._bpm: list[float] = []
        self._weight: list[float] = []
        self._mover: list[str] = []

    def add(self, x: Floats, bpm: float, weight: float = 1.0, mover: str = "") -> None:
        if math.isnan(bpm) or LEAST_BPM <= bpm <= MOST_BPM:
            self._x.append(x.astype(np.float16))
            self._bpm.append(bpm)
            self._weight.append(weight)
            self._mover.append(mover)

    def examples(self) -> Examples:
        x = np.array(self._x) if self._x else np.empty((0, len(RATES_BPM), FEATURES), np.float16)
        people = np.full(len(x), self._person, dtype="U32")
        return Examples(x, np.array(self._bpm), np.array(self._weight), people, np.array(self._mover, dtype="U32"))


_records: list[Record] = []
_played: dict[tuple[int, float], tuple[Floats, Floats | None]] = {}


def make(i: int) -> Examples:
    """What record `i` teaches: itself, itself at other speeds, and at rest also with the movements of others."""
    record, rng = _records[i], np.random.default_rng(SEED + i)
    made = Made(record.person)
    moves = record.acc_g is not None
    for channels in [[0, 1], [0], [1]] if len(record.waves) > 1 else [[0]]:
        for k in range(0, len(record.truth_bpm), 1 if moves else 3):
            if np.isfinite(record.truth_bpm[k]):
                made.add(features(record, k, channels), record.truth_bpm[k], 1.0 if len(channels) > 1 else 0.5)
    middle_s = 2.0 * np.arange(len(record.truth_bpm)) + 4
    for speed in SPEEDS if moves else REST_SPEEDS:
        waves, acc_g = _played[i, speed]
        windows = (waves.shape[1] - LONG) // HOP + 1
        chosen = range(windows) if moves else rng.choice(windows, min(windows, PER_SPEED), replace=False).tolist()
        for k in chosen:
            bpm = float(np.interp(2 * k + 4, middle_s / speed, record.truth_bpm)) * speed
            if math.isnan(bpm):
                continue
            part = slice(HOP * k, HOP * k + LONG)
            if acc_g is not None:
                seen = None if rng.random() < 0.05 else acc_g[:, part]
                made.add(rate_features(_some(rng, waves[:, part]), seen), bpm)
            else:
                _moved(rng, made, waves[0, part], bpm)
    return made.examples()


def _some(rng: np.random.Generator, waves: Floats) -> Floats:
    """Both channels, one of them, or a mixture of the two."""
    way = rng.random()
    if way < 0.55:
        return waves
    if way < 0.85:
        return waves[[rng.integers(2)]]
    share = rng.uniform(-0.5, 1.5)
    alike = waves / (waves.std(axis=1, keepdims=True) + 1e-9)
    return np.asarray(share * alike[:1] + (1 - share) * alike[1:])


def _moved(rng: np.random.Generator, made: Made, wave: Floats, bpm: float) -> None:
    """A wave at rest with somebody else's movement in it, and perhaps no pulse at all."""
    pulse = wave / (wave.std() + 1e-9)
    none = rng.random() < NO_PULSE
    if none:
        pulse, bpm = np.zeros(LONG), np.nan
    if none and rng.random() < 0.3:
        made.add(rate_features(*_stride(rng, rng.uniform(0.6, 3.2), LONG)), bpm)
        return
    if rng.random() < (0.3 if none else 0.12):
        acc_g = None if rng.random() < 0.5 else rng.normal(size=(3, LONG)) * 0.005
        noise = rng.choice([0.3, 1.0]) if none else rng.choice([0, 0.1, 0.4])
        still = [pulse + _coloured(rng, none) * noise for _ in range(rng.integers(1, 3))]
        made.add(rate_features(np.stack(still), acc_g), bpm)
        return
    movers = [(j, speed) for j, speed in _played if _records[j].acc_g is not None and speed in MOVE_SPEEDS]
    j, speed = movers[rng.integers(len(movers))]
    all_of_it = _played[j, speed][1]
    assert all_of_it is not None
    at = rng.integers(LONG - WINDOW, all_of_it.shape[1] - LONG - 40)
    move = all_of_it[:, at : at + LONG + 30]
    seen: Floats | None = move[:, 15 : 15 + LONG] * np.exp(rng.normal() * 0.4)
    if rng.random() < 0.3:  # it begins or ends meanwhile
        middle, way = rng.integers(50, 350), rng.choice([-1, 1])
        move = move / (1 + np.exp(-way * (np.arange(LONG + 30) - middle - 15) / 12))
        seen = move[:, 15 : 15 + LONG]
    axes, size, bent = rng.normal(size=3), np.exp(rng.uniform(np.log(0.15), np.log(3))), rng.random() < 0.5
    moved = []
    for _ in range(rng.integers(1, 3)):
        art = _artefact(rng, (axes + 0.5 * rng.normal(size=3)) @ move, bent)[15 : 15 + LONG]
        moved.append(pulse + size * art + _coloured(rng, False) * rng.choice([0.05, 0.3, 0.8]))
    if rng.random() < 0.1:
        seen = None
    made.add(rate_features(np.stack(moved), seen), bpm, 0.5, _records[j].person)


def _coloured(rng: np.random.Generator, perhaps: bool) -> Floats:
    noise = rng.normal(size=(1, LONG))
    if not perhaps or rng.random() < 0.3:
        return np.asarray(noise[0])
    noise = np.cumsum(noise, axis=1) if rng.random() < 0.4 else _smooth(rng, noise)
    noise = noise - _smooth(rng, noise, 60)
    return np.asarray(noise[0] / noise.std())


def _artefact(rng: np.random.Generator, along: Floats, bent: bool) -> Floats:
    """What a movement may do to a wave: delayed and smeared at random, and perhaps not in proportion."""
    out = np.convolve(along, rng.normal(size=8) * np.exp(-np.arange(8) / 3), "same")
    out = out / (out.std() + 1e-9)
    if bent:
        out = np.tanh(out * rng.uniform(0.5, 2)) + 0.3 * out * out
    out = out - out.mean()
    return np.asarray(out / (out.std() + 1e-9))


def fit(examples: Examples, chosen: NDArray[np.intp], seed: int) -> RateNet:
    """Adam on the cross-entropy over rates, of which each step looks at the nearest and some of the others."""
    rng = np.random.default_rng(seed)
    some = examples.x[chosen[::17]].reshape(-1, FEATURES).astype(np.float32)
    mean, spread = some.mean(axis=0), some.std(axis=0) + 1e-3
    sizes = (FEATURES, *HIDDEN, 1)
    net = []
    for a, b in pairwise(sizes):
        net += [(rng.normal(size=(a, b)) * np.sqrt(2 / a)).astype(np.float32), np.zeros(b, np.float32)]
    first, second = [np.zeros_like(p) for p in net], [np.zeros_like(p) for p in net]
    layers, rates = len(sizes) - 1, len(RATES_BPM)
    steps, t = EPOCHS * (len(chosen) // BATCH), 0
    for _ in range(EPOCHS):
        order = rng.permutation(chosen)
        for at in range(0, len(order) - BATCH + 1, BATCH):
            batch = order[at : at + BATCH]
            bpm = examples.bpm[batch]
            centre = np.where(np.isfinite(bpm), bpm, rng.uniform(40, 210, BATCH))
            low = np.clip(np.round((centre - RATES_BPM[0]) / 2).astype(int) - NEAR // 2, 0, rates - NEAR)
            near = low[:, None] + np.arange(NEAR)
            far = (low[:, None] + NEAR + rng.integers(0, rates - NEAR, (BATCH, FAR))) % rates
            look = np.concatenate((near, far), axis=1)
            x = (examples.x[batch[:, None], look].reshape(-1, FEATURES).astype(np.float32) - mean) / spread
            kept = [x]
            for k in range(layers):
                x = x @ net[2 * k] + net[2 * k + 1]
                if k < layers - 1:
                    x = np.maximum(x, 0)
                    kept.append(x)
            z = x.reshape(BATCH, NEAR + FAR).astype(np.float64)
            z[:, NEAR:] += np.log((rates - NEAR) / FAR)  # each of the others stands for several
            p = np.exp(z - z.max(axis=1, keepdims=True))
            p /= p.sum(axis=1, keepdims=True)
            wanted = np.exp(-0.5 * ((RATES_BPM[look] - centre[:, None]) / SOFT_BPM) ** 2)
            wanted[:, NEAR:] = 0
            none = ~np.isfinite(bpm)
            wanted[none, :NEAR], wanted[none, NEAR:] = 1.0, (rates - NEAR) / FAR
            wanted /= wanted.sum(axis=1, keepdims=True)
            g = ((p - wanted) * (examples.weight[batch] / BATCH)[:, None]).reshape(-1, 1).astype(np.float32)
            t += 1
            rate = RATE * min(1.0, 10 * t / steps) * 0.5 * (1 + np.cos(np.pi * t / steps)) + 1e-6
            for k in range(layers - 1, -1, -1):
                slopes = (kept[k].T @ g, g.sum(axis=0))
                if k:
                    g = (g @ net[2 * k].T) * (kept[k] > 0)
                for j, slope in ((2 * k, slopes[0]), (2 * k + 1, slopes[1])):
                    first[j] = 0.9 * first[j] + 0.1 * slope
                    second[j] = 0.999 * second[j] + 0.001 * slope * slope
                    step = first[j] / (1 - 0.9**t) / (np.sqrt(second[j] / (1 - 0.999**t)) + 1e-8)
                    net[j] -= (rate * (step + DECAY * net[j])).astype(np.float32)
    weights, biases = [w.astype(np.float64) for w in net[::2]], [b.astype(np.float64) for b in net[1::2]]
    biases[0] = biases[0] - (mean / spread) @ weights[0]
    weights[0] = weights[0] / spread[:, None]
    return RateNet(tuple(w.astype(np.float32).astype(np.float64) for w in weights), tuple(biases))


_examples: Examples | None = None
_fold_of: dict[str, int] = {}


def pulseless(n: int) -> list[Record]:
    """Waves with no heart in them, which nothing may be told of: the movements of fold `n`, strides, noise."""
    rng = np.random.default_rng(SEED + 500 + n)
    points, out = 90 * HOP + LONG, []

    def record(name: str, waves: Floats, acc_g: Floats | None) -> None:
        windows = (waves.shape[1] - LONG) // HOP + 1
        beats = np.tile([np.nan, 0.0, np.nan, 0.0], (len(waves), windows, 1))
        out.append(Record(f"none_{name}_{n}", "", "none", waves, acc_g, np.full(windows, np.nan), beats))

    for one in _records:
        if one.acc_g is not None and _fold_of[one.person] == n:
            art = [_artefact(rng, rng.normal(size=3) @ one.acc_g, rng.random() < 0.5) for _ in range(2)]
            record(one.name, np.stack(art) + 0.2 * rng.normal(size=(2, len(art[0]))), one.acc_g)
    for hz in rng.uniform(0.8, 2.9, 3):
        record(f"stride {hz:.1f}", *_stride(rng, hz, points))
    for colour in range(3):
        noise = rng.normal(size=(1, points))
        if colour:
            noise = np.cumsum(noise, axis=1) if colour == 1 else _smooth(rng, noise)
            noise = noise - _smooth(rng, noise, 60)
        record(f"noise {colour}", noise / noise.std(), None)
    return out


def _stride(rng: np.random.Generator, hz: float, points: int) -> tuple[Floats, Floats]:
    """A wave (1, n) and an acceleration (3, n) that hold nothing but steps."""
    phase = 2 * np.pi * np.cumsum(hz * (1 + 0.02 * np.sin(np.arange(points) / 150)) / HZ)
    sizes = np.exp(rng.normal(size=(4, 3)) * 0.7) * (0.4, 0.25, 0.1)
    turns = rng.uniform(0, 2 * np.pi, (4, 3))
    all_of_it = sum(sizes[:, k, None] * np.sin((k + 1) * phase + turns[:, k, None]) for k in range(3))
    assert not isinstance(all_of_it, int)
    all_of_it = all_of_it + rng.normal(size=(4, points)) * np.array([[0.1], [0.02], [0.02], [0.02]])
    return all_of_it[:1], all_of_it[1:]


def _smooth(rng: np.random.Generator, noise: Floats, n: int = 0) -> Floats:
    taper = np.hanning((n or int(rng.integers(5, 25))) + 2)
    return np.stack([np.convolve(row, taper / taper.sum(), "same") for row in noise])


# A record, the channels used, and of its windows the logits and the moves.
Told = tuple[Record, list[int], Floats, Floats]


def fold(n: int) -> tuple[RateNet, list[Told]]:
    """The net that never saw the people of fold `n`, and what it says of their records, per choice of channels."""
    assert _examples is not None
    mine = [_fold_of[p] == n for p in _examples.person.tolist()]
    moved = [_fold_of.get(p, -1) == n for p in _examples.mover.tolist()]
    net = fit(_examples, np.flatnonzero(~(np.array(mine) | np.array(moved))), n)
    out = []
    for record in [*(r for r in _records if _fold_of[r.person] == n), *(pulseless(n) if n < FOLDS else [])]:
        for channels in [[0, 1], [0], [1]] if len(record.waves) > 1 else [[0]]:
            seen = [features(record, k, channels) for k in range(len(record.truth_bpm))]
            out.append(
                (record, channels, np.array([net(x) for x in seen]), np.array([x[:, MOVE_COLUMN] for x in seen]))
            )
    print(f"fold {n}", flush=True)
    return net, out


def track(told: Told, trust: Trust) -> list[Estimate]:
    record, channels, logits, moves = told
    chain = RateTrack(trust)
    out: list[Estimate] = []
    for k in range(len(logits) + LAG):
        if k < len(logits):
            chain.push(logits[k], moves[k])
        if k >= LAG:
            _, good, late_bpm, unrest = record.beats[channels[0], len(out)]
            out.append(chain.tell(_known(late_bpm), good, unrest))
    return out


def fit_trust(evidence: Floats, right: Floats, weight: Floats) -> Trust:
    """Logistic regression by Newton's steps."""
    mean, spread = evidence.mean(axis=0), evidence.std(axis=0) + 1e-6
    a = np.concatenate(((evidence - mean) / spread, np.ones((len(evidence), 1))), axis=1)
    b = np.zeros(EVIDENCE + 1)
    hold = np.append(np.full(EVIDENCE, 1e-3), 0.0)
    for _ in range(30):
        p = 1 / (1 + np.exp(-a @ b))
        slope = a.T @ (weight * (p - right)) / weight.sum() + hold * b
        bend = (a * (weight * p * (1 - p))[:, None]).T @ a / weight.sum() + np.diag(hold + 1e-9)
        b = b - np.linalg.solve(bend, slope)
    slopes = b[:-1] / spread
    return Trust(slopes, float(b[-1] - slopes @ mean))


def main() -> None:
    global _examples, _fold_of  # noqa: PLW0603 - forked workers see what is here
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, metavar="WINDOWS.npz", help="of benchmarks.ppg_records")
    parser.add_argument("--scratch", type=Path, help="nothing is kept between runs")
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "weights")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    records, played = read(asked.data)
    _records.extend(records)
    _played.update(played)
    parts = _each(make, len(records), asked.jobs)
    joined = (np.concatenate([getattr(part, name) for part in parts]) for name in Examples.__slots__)
    _examples = Examples(*joined)
    print(f"{len(_examples.x)} windows of {len(set(_examples.person.tolist()))} people", flush=True)
    movers = sorted({r.person for r in records if r.acc_g is not None})
    still = sorted({r.person for r in records} - set(movers))
    _fold_of = {p: i % FOLDS for people in (movers, still) for i, p in enumerate(people)}
    done = _each(fold, FOLDS + 1, asked.jobs)  # the last one leaves nobody out
    told = [(n, one) for n, (_, out) in enumerate(done) for one in out]
    trust, figures = judge(told)
    net = done[-1][0]
    arrays: dict[str, Any] = {f"w{k}": w.astype(np.float32) for k, w in enumerate(net.weights)}
    arrays |= {f"b{k}": b.astype(np.float32) for k, b in enumerate(net.biases)}
    arrays |= {"trust_slopes": trust.slopes, "trust_bias": np.array(trust.bias)}
    asked.out.mkdir(parents=True, exist_ok=True)
    path = asked.out / "ppg_rate.npz"
    np.savez(path, **arrays)
    print(json.dumps({"sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "folds": figures}))


def _each(work: Callable[[int], T], n: int, jobs: int) -> list[T]:
    if jobs == 1:
        return [work(i) for i in range(n)]
    with ProcessPoolExecutor(jobs) as pool:
        return list(pool.map(work, range(n)))


def judge(
    told: list[tuple[int, Told]],
) -> tuple[Trust, dict[str, list[float]]]:
    """The trust, fitted on what was told of people left out; what is printed has them left out of the trust too."""
    none = Trust(np.zeros(EVIDENCE), 0.0)
    rows: list[tuple[str, int, str, Floats, Floats, float]] = []
    for n, one in told:
        record, channels = one[:2]
        found = track(one, none)
        known = np.isfinite(record.truth_bpm) | (record.kind == "none")
        error = np.abs(np.array([e.bpm for e in found]) - record.truth_bpm)[known]
        error[np.isnan(error)] = 99.0
        evidence = np.array([e.evidence for e in found])[known]
        weight = (1.0 if len(channels) > 1 else 0.5) if record.kind == "motion" else 0.3
        weight = NONE_COUNTS if record.kind == "none" else weight
        kind = f"{record.kind}/{len(channels)}"
        rows.append((kind, n, record.name, error, evidence, weight))

    def trusted(but: int | None) -> Trust:
        use = [row for row in rows if row[1] != but]
        weight = np.concatenate([np.full(len(row[3]), row[5]) for row in use])
        right = np.concatenate([row[3] for row in use]) <= RIGHT_BPM
        return fit_trust(np.concatenate([row[4] for row in use]), right.astype(np.float64), weight)

    each = {n: trusted(n) for n in range(FOLDS)}
    figures = {}
    for kind in sorted({row[0] for row in rows}):
        mine = [row for row in rows if row[0] == kind]
        error = np.concatenate([row[3] for row in mine])
        odds = np.concatenate([row[4] @ each[row[1]].slopes + each[row[1]].bias for row in mine])
        index = 1 / (1 + np.exp(-odds))
        best = error[np.argsort(-index, kind="stable")]
        line = [float(best[: round(part * len(best))].mean()) for part in (1.0, 0.95, 0.9, 0.85)]
        print(kind, len(error), "all, 95, 90, 85 %:", *(f"{v:.2f}" for v in line))
        for least in LEAST:
            kept = index >= least
            if not kept.any():
                continue
            far = (error[kept] > 5).mean()
            print(f"  index >= {least}: {kept.mean():.3f} told, {error[kept].mean():.2f} off, {far:.4f} by more than 5")
        for row in mine:
            kept = 1 / (1 + np.exp(-(row[4] @ each[row[1]].slopes + each[row[1]].bias))) >= LEAST[0]
            part = row[3][kept].mean() if kept.any() else np.nan
            print(f"    {row[2]}: {row[3].mean():.2f}; {kept.mean():.2f} told, {part:.2f}")
        figures[kind] = line
    return trusted(None), figures


if __name__ == "__main__":
    main()
