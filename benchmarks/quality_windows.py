"""Writes the windows that `models.training.quality` learns from: python -m benchmarks.quality_windows OUT.npz

Ten seconds each: of both leads of MIT-BIH, as recorded (30 min) and with its noises added as WFDB's nst does (5 min
each), with whether the detector missed or made up a beat in them, and whether they are annotated as noisy; and of
CinC 2017, with the label of their recording. The detector is the one that ships, which was trained on MIT-BIH.
"""

from __future__ import annotations

import argparse
import csv
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.qrs import data
from benchmarks.qrs_examples import FS_HZ, Record, noise_gain
from benchmarks.qrs_left_out import beats_and_quality
from benchmarks.train_qrs import load
from device_pipeline.beat import Quality
from device_pipeline.evaluation.ec57 import pair_beats
from models.qrs import qrs_nets
from models.quality_input import FEATURES, LENGTH_S, features, seen

CONDITIONS = ("em 12", "em 6", "em 0", "em -6", "ma 6", "ma 0", "ma -6", "bw 0", "bw -6")
NOISY_S = 300
SKIP_S = 10  # at the start, while the levels are learnt
OF_CLASS = {"N": 350, "A": 120, "O": 230, "~": 10_000}  # recordings of CinC 2017 at most
UNKNOWN = -1
Floats = NDArray[np.float64]


class Gathered:
    """Row by row: `wrong` and `noisy` 0, 1 or UNKNOWN; `index`: the mean of the stretches', and the least."""

    def __init__(self) -> None:
        self.rows: list[tuple[Floats, int, int, float, float, str, str]] = []

    def add(
        self,
        ecg_mv: Floats,
        fs_hz: float,
        person: str,
        condition: str,
        wrong_s: Floats | None,
        noisy: list[tuple[float, float]] | int,
    ) -> None:
        beats_s, quality = beats_and_quality(ecg_mv, fs_hz, qrs_nets())
        n = int(LENGTH_S * fs_hz)
        first = 0 if wrong_s is None else round(SKIP_S / LENGTH_S)
        for k in range(first, len(ecg_mv) // n):
            low_s, high_s = k * LENGTH_S, (k + 1) * LENGTH_S
            part = ecg_mv[k * n : (k + 1) * n]
            indices = _indices(quality, low_s)
            trusted = [b for b in beats_s[(beats_s >= low_s) & (beats_s < high_s)] if _good(quality, b)]
            told = features(*seen(part, fs_hz), np.array(trusted) - low_s, indices)
            wrong = UNKNOWN if wrong_s is None else int(((wrong_s >= low_s) & (wrong_s < high_s)).any())
            annotated = noisy if isinstance(noisy, int) else int(any(a < high_s and b > low_s for a, b in noisy))
            self.rows.append(
                (
                    told,
                    wrong,
                    annotated,
                    float(indices.mean()),
                    float(indices.min()),
                    person,
                    condition,
                )
            )


def _indices(quality: list[Quality], low_s: float) -> Floats:
    out = np.zeros(round(LENGTH_S / 2))
    for stretch in quality:
        k = round((stretch.start_ns / 1e9 - low_s) / 2)
        if 0 <= k < len(out):
            out[k] = stretch.index
    return out


def _good(quality: list[Quality], at_s: float) -> bool:
    k = int(at_s // 2)
    return k < len(quality) and quality[k].good


def noisy_spans(path: Path, lead: int) -> list[tuple[float, float]]:
    """Where the annotators of MIT-BIH called a lead noisy: from a `~` whose subtype names it to the next."""
    import wfdb

    notes = wfdb.rdann(str(path), "atr")
    out, since = [], None
    for at, symbol, kind in zip(notes.sample, notes.symbol, notes.subtype, strict=True):
        if symbol != "~":
            continue
        bad = kind == -1 or bool(kind & (1 << lead)) or bool(kind & (1 << (lead + 4)))
        if bad and since is None:
            since = at
        elif not bad and since is not None:
            out.append((since / FS_HZ, at / FS_HZ))
            since = None
    return [*out, *([(since / FS_HZ, 1e9)] if since is not None else [])]


def errors_s(record: Record, ecg_mv: Floats, begin: int) -> Floats:
    """Moments of missed and made-up beats of `ecg_mv`, which begins at `begin` of the record."""
    found_s, _ = beats_and_quality(ecg_mv, float(FS_HZ), qrs_nets())
    wanted = np.sort(record.beats[(record.beats >= begin) & (record.beats < begin + len(ecg_mv))] - begin)
    found = np.round(found_s * FS_HZ).astype(np.int64)
    of_wanted, of_found = pair_beats(wanted, found, round(0.15 * FS_HZ))
    return np.concatenate((np.delete(wanted, of_wanted), np.delete(found, of_found))) / FS_HZ


def mitdb(gathered: Gathered, folder: Path) -> None:
    records, noises = load(folder)
    rng = np.random.default_rng(3)
    for record in records:
        for lead in (0, 1):
            whole = record.leads[lead]
            if not record.flutter:
                spans = noisy_spans(folder / "mitdb" / record.name, lead)
                gathered.add(whole, FS_HZ, record.name, f"clean {lead}", errors_s(record, whole, 0), spans)
            begin = int(rng.integers(300 * FS_HZ, len(whole) - NOISY_S * FS_HZ))
            part = whole[begin : begin + NOISY_S * FS_HZ]
            if any(a < begin + len(part) and b > begin for a, b in record.flutter):
                continue
            beats = record.beats[(record.beats >= begin) & (record.beats < begin + len(part))] - begin
            for condition in CONDITIONS:
                kind, snr_db = condition.split()
                noise = noises[kind][int(rng.integers(2))]
                at = int(rng.integers(0, len(noise) - len(part)))
                gain = noise_gain(part, beats, noises[kind][0], float(snr_db))
                made = part + gain * (noise[at : at + len(part)] - noise[at])
                gathered.add(made, FS_HZ, record.name, condition, errors_s(record, made, begin), UNKNOWN)
        print(record.name, len(gathered.rows), file=sys.stderr, flush=True)


def cinc2017(gathered: Gathered, folder: Path, unpacked: Path) -> None:
    from scipy.io import loadmat

    with (folder / "REFERENCE-v3.csv").open(encoding="ascii", newline="") as file:
        rows = [(row[0], row[1]) for row in csv.reader(file)]
    for label, most in OF_CLASS.items():
        for name in [name for name, of in rows if of == label][:most]:
            ecg_mv = loadmat(unpacked / f"{name}.mat")["val"][0].astype(np.float64) / 1000.0
            gathered.add(ecg_mv, 300.0, name, f"cinc {label}", None, int(label == "~"))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--cinc", type=Path, help="training2017, where it is unpacked already")
    asked = parser.parse_args()
    folder = data()
    if folder is None:
        print("the MIT-BIH records, its noises and CinC 2017 are needed (VITALKEEP_DATA)", file=sys.stderr)
        return 1
    gathered = Gathered()
    with tempfile.TemporaryDirectory() as scratch:
        unpacked = asked.cinc
        if unpacked is None:
            with tarfile.open(folder / "cinc2017" / "training2017.tar.xz") as archive:
                archive.extractall(scratch, filter="data")
            unpacked = Path(scratch) / "training2017"
        cinc2017(gathered, folder / "cinc2017", unpacked)
    print(len(gathered.rows), "windows of CinC 2017", file=sys.stderr, flush=True)
    mitdb(gathered, folder)
    names = ("features", "wrong", "noisy", "mean_index", "least_index", "person", "condition")
    columns: dict[str, Any] = {n: np.array(v) for n, v in zip(names, zip(*gathered.rows, strict=True), strict=True)}
    np.savez_compressed(asked.out, allow_pickle=False, **columns)
    low, middle, high = np.quantile(columns["features"], (0.1, 0.5, 0.9), axis=0)
    print("FEATURES =", FEATURES)
    print("MIDDLE =", tuple(np.round(middle, 2).tolist()))
    print("SPREAD =", tuple(np.round((high - low) / 2.56, 2).tolist()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
