"""Fits the noise score of the ECG quality index, and says how well it knows where the detector is wrong.

    python -m benchmarks.train_qrs --folds folds.npz
    python -m benchmarks.qrs_quality --folds folds.npz

Five minutes of both leads of every record, clean and under each noise of MIT-BIH at 18 to -6 dB, are read with the nets
that never saw the person. A stretch of 2 s is wrong where a beat is missed, made up or more than 50 ms off.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from benchmarks.qrs import data
from benchmarks.qrs_examples import FS_HZ, NOISE_PART, Record, noise_gain
from benchmarks.qrs_left_out import beats_and_quality, nets_of
from benchmarks.train_qrs import load
from device_pipeline.evaluation.ec57 import pair_beats
from device_pipeline.signal.quality_ecg import FEATURES, Windows, beats_of, judge, measure
from models.qrs import QrsNets

Floats = NDArray[np.float64]

SNR_DB = (18, 12, 6, 0, -6)
LENGTH_S = 300
SKIP = 4  # stretches at the start, while the levels are learnt
RIDGE = 1e-3


def example(ecg_mv: Floats, beats: NDArray[np.int64], places: Floats, nets: QrsNets) -> tuple[Floats, Floats, Floats]:
    """Features, wrong or not, and index of every whole stretch; `places` (s): where each beat is looked for."""
    seen: list[Floats] = []

    def watch(windows: Windows) -> list[tuple[float, str | None]]:
        seen.append(measure(windows, beats_of(windows))[0])
        return judge(windows)

    with patch("device_pipeline.beats.ecg.judge", watch):
        found_s, quality = beats_and_quality(ecg_mv, float(FS_HZ), nets)
    features = np.concatenate(seen)
    n = int(len(ecg_mv) // (2 * FS_HZ))
    wrong = np.zeros(n)
    wanted, found = np.round(places * FS_HZ).astype(np.int64), np.round(found_s * FS_HZ).astype(np.int64)
    of_wanted, of_found = pair_beats(np.sort(wanted), found, 18)
    for lone in (np.delete(np.sort(wanted), of_wanted), np.delete(found, of_found)):
        at = lone // (2 * FS_HZ)
        wrong[at[at < n]] = 1.0
    return features[SKIP:n], wrong[SKIP:], np.array([stretch.index for stretch in quality])[SKIP:n]


def fit(x: Floats, wrong: Floats, weight: Floats) -> tuple[Floats, float]:
    """Weights and bias of the logit of being right: ridge logistic regression by Newton's steps."""
    mean, spread = x.mean(axis=0), x.std(axis=0) + 1e-9
    z = np.concatenate(((x - mean) / spread, np.ones((len(x), 1))), axis=1)
    w = np.zeros(z.shape[1])
    for _ in range(30):
        chance = 1 / (1 + np.exp(-z @ w))
        slope = z.T @ (weight * (1 - wrong - chance)) / len(z) - RIDGE * w
        bend = (z * (weight * chance * (1 - chance))[:, None]).T @ z / len(z) + RIDGE * np.eye(len(w))
        w += np.linalg.solve(bend, slope)
    return w[:-1] / spread, float(w[-1] - (w[:-1] * mean / spread).sum())


def auc(score: Floats, wrong: Floats) -> float:
    """The chance that a right stretch scores above a wrong one."""
    order = np.argsort(score, kind="stable")
    rank = np.empty(len(score))
    rank[order] = np.arange(1, len(score) + 1)
    right = wrong == 0
    pairs = right.sum() * (~right).sum()
    return float((rank[right].sum() - right.sum() * (right.sum() + 1) / 2) / pairs) if pairs else float("nan")


def gather(
    records: list[Record], noises: dict[str, Floats], folds: Path | None
) -> tuple[Floats, Floats, Floats, list[tuple[str, int, str]]]:
    """Every stretch: features, wrong, index, and (record, lead, condition)."""
    nets = nets_of(folds)
    rng = np.random.default_rng(3)
    parts: list[tuple[Floats, Floats, Floats]] = []
    names: list[tuple[str, int, str]] = []
    for record in records:
        for lead in (record.main, 1 - record.main):
            begin = int(rng.integers(300 * FS_HZ, record.leads.shape[1] - LENGTH_S * FS_HZ))
            ecg_mv = record.leads[lead, begin : begin + LENGTH_S * FS_HZ]
            beats = record.beats[(record.beats >= begin) & (record.beats < begin + len(ecg_mv))] - begin
            if any(a < begin + len(ecg_mv) and b > begin for a, b in record.flutter):
                continue
            found_s, _ = beats_and_quality(ecg_mv, float(FS_HZ), nets(record.name))
            places = beats / FS_HZ
            a, b = pair_beats(beats, np.round(found_s * FS_HZ).astype(np.int64), 54)
            places[a] = found_s[b]
            made = [("clean", ecg_mv)]
            for kind, noise in noises.items():
                free = int(NOISE_PART * noise.shape[1])
                part = noise[int(rng.integers(2)), free:]
                at = int(rng.integers(0, len(part) - len(ecg_mv)))
                for snr_db in SNR_DB:
                    gain = noise_gain(ecg_mv, beats, noise[0], snr_db)
                    made.append((f"{kind} {snr_db}", ecg_mv + gain * (part[at : at + len(ecg_mv)] - part[at])))
            for name, changed in made:
                one = example(changed, beats, places, nets(record.name))
                parts.append(one)
                names += [(record.name, lead, name)] * len(one[1])
    x, wrong, index = (np.concatenate([part[k] for part in parts]) for k in range(3))
    return x, wrong, index, names


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folds", type=Path)
    parser.add_argument("--keep", type=Path, help="write the stretches here")
    asked = parser.parse_args()
    folder = data()
    if folder is None:
        print("the MIT-BIH records and noises are needed (VITALKEEP_DATA)", file=sys.stderr)
        return 1
    records, noises = load(folder)
    x, wrong, index, names = gather(records, noises, asked.folds)
    if asked.keep:
        np.savez(asked.keep, x=x, wrong=wrong, index=index, names=np.array([" ".join(map(str, n)) for n in names]))
    people = np.array([name for name, _, _ in names])
    score = np.empty(len(x))
    for group in range(5):
        mine = np.array([hash_of(name) % 5 == group for name in people])
        w, bias = fit(x[~mine], wrong[~mine], np.ones(int((~mine).sum())))
        score[mine] = x[mine] @ w + bias
    w, bias = fit(x, wrong, np.ones(len(x)))
    print("NOISE_WEIGHTS =", tuple(round(float(v), 4) for v in w))
    print("NOISE_BIAS =", round(bias, 4))
    print(f"AUC, people left out: {auc(score, wrong):.4f}; of the index that ships: {auc(index, wrong):.4f}")
    kinds = np.array([kind for _, _, kind in names])
    for kind in ["clean", *(f"{k} {s}" for k in noises for s in SNR_DB)]:
        mine = kinds == kind
        good = mine & (index >= 0.5)
        wrong_good = wrong[good].mean() if good.any() else float("nan")
        print(
            f"{kind:8} wrong {100 * wrong[mine].mean():5.1f} %, AUC {auc(score[mine], wrong[mine]):.3f}, "
            f"good {100 * good.sum() / mine.sum():5.1f} %, of those wrong {100 * wrong_good:.2f} %"
        )
    print(f"{FEATURES} features, {len(x):,} stretches")
    return 0


def hash_of(name: str) -> int:
    """The same in every process."""
    return sum(ord(letter) * 31**k for k, letter in enumerate(name))


if __name__ == "__main__":
    sys.exit(main())
