"""Makes models/weights/qrs.npz: the two nets of models/qrs.py, from the MIT-BIH records and noises.

    python -m benchmarks.train_qrs [--jobs 16] [--rounds 1] [--out qrs.npz] [--folds folds.npz]

People are left out in five folds; the second net learns on what the first says of people it has not seen. --folds keeps
the nets of each fold, which `benchmarks.qrs --left-out` measures: every record by the nets that never saw it.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.qrs_examples import Excerpt, Record, artificial, excerpt
from device_pipeline.signal.qrs_context import QrsContext
from models.qrs import PLACES_S
from models.training.dense import Net, fit

Floats = NDArray[np.float32]

FOLDS = 5
FIRST_HIDDEN = (40, 20)
SECOND_HIDDEN = (24, 12)
PLACE_SPREAD_S = 0.008
MODEL_EXCERPTS = 20
BEATS = frozenset("NLRBAaJSVrFejnE/fQ?")


def load(folder: Path) -> tuple[list[Record], dict[str, NDArray[np.float64]]]:
    """The records of `folder`/mitdb and the noises of `folder`/nstdb."""
    import wfdb

    from device_pipeline.evaluation.ec57 import flutter_segments

    records = []
    for path in sorted((folder / "mitdb").glob("*.atr")):
        signal = wfdb.rdrecord(str(path.with_suffix("")))
        told = wfdb.rdann(str(path.with_suffix("")), "atr")
        beats = told.sample[[symbol in BEATS for symbol in told.symbol]].astype(np.int64)
        main = signal.sig_name.index("MLII") if "MLII" in signal.sig_name else 0
        flutter = flutter_segments(told.sample, told.symbol, told.aux_note, signal.sig_len)
        records.append(Record(path.stem, np.nan_to_num(signal.p_signal.T), main, beats, flutter))
    noises = {kind: wfdb.rdrecord(str(folder / "nstdb" / kind)).p_signal.T for kind in ("bw", "em", "ma")}
    return records, noises


def excerpts_of(record: Record | int, rounds: int, noises: dict[str, NDArray[np.float64]]) -> list[Excerpt]:
    """All excerpts of one record; of a number, those of the artificial hearts of that seed."""
    if isinstance(record, int):
        rng = np.random.default_rng([1, record])
        return [artificial(rng) for _ in range(MODEL_EXCERPTS)]
    rng = np.random.default_rng([0, int(record.name)])
    out = [excerpt(record, lead, "clean", 3600, noises, rng) for lead in (0, 1)]
    for turn in range(rounds):
        out += [excerpt(record, 2, "mix", 1200, noises, rng) for _ in range(2)]
        leads = (record.main, 2, 1 - record.main, 2)
        out += [excerpt(record, leads[k % 4], "noise", 420, noises, rng) for k in range(turn, turn + 8)]
        out += [excerpt(record, (record.main, 2)[k % 2], "odd", 420, noises, rng) for k in range(turn, turn + 5)]
    return out


def context(one: Excerpt, score: NDArray[np.float64]) -> Floats:
    """What the second net sees of every candidate of an excerpt."""
    at = one.candidates.at
    _, features = QrsContext(one.thin_hz).push(one.candidates, score, int(at[-1] + 10 * one.thin_hz))
    return features.astype(np.float32)


def _fit(job: tuple[Floats, Floats, Floats, Floats | None, tuple[int, ...], int]) -> Net:
    x, wanted, weight, places, hidden, seed = job
    return fit(x, wanted, weight, hidden, places=places, seed=seed)


def place_shares(place_s: NDArray[np.float64]) -> Floats:
    """How much each of PLACES_S is the place, (n, places); zeros where there is none."""
    near = np.exp(-0.5 * ((place_s[:, None] - PLACES_S) / PLACE_SPREAD_S) ** 2)
    near = np.nan_to_num(near)
    return np.asarray(near / np.maximum(near.sum(axis=1, keepdims=True), 1e-6), dtype=np.float32)


def train(
    excerpts: Sequence[Excerpt], jobs: int
) -> tuple[list[tuple[Net, Net]], dict[str, int], list[NDArray[np.float64]]]:
    """Pairs of nets, one a fold and the last of all people; which fold each group is; the scores of left-out people."""
    groups = sorted({one.group for one in excerpts})
    order = np.random.default_rng(2).permutation(len(groups))
    fold_of = {groups[k]: int(place) % FOLDS for place, k in enumerate(order)}
    fold = np.concatenate([np.full(len(one.t_s), fold_of[one.group]) for one in excerpts])
    wanted = np.concatenate([one.beat for one in excerpts]).astype(np.float32)
    weight = np.concatenate([one.weight for one in excerpts]).astype(np.float32)
    places = np.concatenate([place_shares(one.place_s) for one in excerpts])
    ends = np.cumsum([len(one.t_s) for one in excerpts])[:-1]

    def fold_nets(x: Floats, places: Floats | None, hidden: tuple[int, ...]) -> tuple[list[Net], Floats]:
        sets = [fold != k for k in range(FOLDS)] + [fold >= 0]
        work = (
            (x[mine], wanted[mine], weight[mine], None if places is None else places[mine], hidden, seed)
            for seed, mine in enumerate(sets)
        )
        with ProcessPoolExecutor(min(jobs, FOLDS + 1)) as pool:
            nets = list(pool.map(_fit, work))
        score = np.empty(len(x), dtype=np.float32)
        for k in range(FOLDS):
            score[fold == k] = nets[k](x[fold == k])[:, 0]
        return nets, score

    x = np.concatenate([np.concatenate((one.candidates.shape, one.candidates.scalars), axis=1) for one in excerpts])
    first, score = fold_nets(x.astype(np.float32), places, FIRST_HIDDEN)
    del x
    scores = np.split(score.astype(np.float64), ends)
    seen = np.concatenate([context(one, mine) for one, mine in zip(excerpts, scores, strict=True)])
    second, score = fold_nets(seen, None, SECOND_HIDDEN)
    return list(zip(first, second, strict=True)), fold_of, np.split(score.astype(np.float64), ends)


def arrays(first: Net, second: Net, prefix: str = "") -> dict[str, Floats]:
    """As models/qrs.py reads them."""
    out: dict[str, Floats] = {}
    for name, net in (("first", first), ("second", second)):
        for k, (w, b) in enumerate(zip(net.weights, net.biases, strict=True)):
            out |= {f"{prefix}{name}_w{k}": w, f"{prefix}{name}_b{k}": b}
    return out


def run(
    records: list[Record], noises: dict[str, NDArray[np.float64]], rounds: int, jobs: int, out: Path, folds: Path | None
) -> None:
    with ProcessPoolExecutor(jobs) as pool:
        sources: list[Record | int] = [*records, *range(8 * rounds)]
        made = pool.map(partial(excerpts_of, rounds=rounds, noises=noises), sources)
        excerpts = [one for several in made for one in several]
    print(f"{len(excerpts)} excerpts, {sum(len(one.t_s) for one in excerpts):,} candidates", flush=True)
    pairs, fold_of, scores = train(excerpts, jobs)
    np.savez(out, **arrays(*pairs[-1]))  # type: ignore[arg-type]
    if folds is not None:
        kept: dict[str, NDArray[np.generic]] = {f"fold_{name}": np.array(k) for name, k in fold_of.items()}
        for k, pair in enumerate(pairs[:-1]):
            kept |= arrays(*pair, prefix=f"{k}_")
        np.savez(folds, **kept)  # type: ignore[arg-type]
    for kind in ("clean", "mix", "noise", "odd", "model"):
        mine = [(one, score) for one, score in zip(excerpts, scores, strict=True) if one.kind == kind]
        wrong = np.array(
            [
                [
                    np.count_nonzero((s <= 0) & (one.beat > 0) & (one.weight > 0)),
                    np.count_nonzero((s > 0) & (one.beat == 0) & (one.weight > 0)),
                    len(one.beats_s),
                ]
                for one, s in mine
            ]
        ).sum(axis=0)
        print(f"{kind}, people left out: {wrong[0]} missed, {wrong[1]} false of {wrong[2]} beats", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--data", type=Path, help="folder of mitdb and nstdb; VITALKEEP_DATA without it")
    parser.add_argument("--scratch", type=Path, help="nothing is kept between runs")
    parser.add_argument("--out", type=Path, default=Path("qrs.npz"), help="the weights, or the folder of them")
    parser.add_argument("--folds", type=Path)
    asked = parser.parse_args()
    data = asked.data or Path(os.environ.get("VITALKEEP_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
    records, noises = load(data)
    out = asked.out / "qrs.npz" if asked.out.is_dir() else asked.out
    run(records, noises, asked.rounds, asked.jobs, out, asked.folds)


if __name__ == "__main__":
    main()
