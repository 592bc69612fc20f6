"""CinC Challenge 2017 as arrays: one lead, 300 Hz, 9 to 61 s, labelled N, A, O or ~ (labels v3).

Beats are those that vitalkeep itself finds, since that is what a wearer's recordings come with.
"""

from __future__ import annotations

import csv
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.screen_input import LENGTH_S, MOST, features, wave

LABELS = "NAO~"
FS_HZ = 300.0
_AT_ONCE = 500  # records on one command line


@dataclass(frozen=True, slots=True)
class Looks:
    """`waves` (n, 3000) int8 in steps of MOST / 127, `features` (n, 24), `labels` and `records` (n,) as indices."""

    waves: NDArray[np.int8]
    features: NDArray[np.float32]
    labels: NDArray[np.int64]
    records: NDArray[np.int64]


def read(data: Path, scratch: Path) -> Looks:
    """From the folder that holds training2017.tar.xz (or training2017/) and REFERENCE-v3.csv; kept in `scratch`."""
    kept = scratch / "cinc2017.npz"
    if not kept.exists():
        looks = _make(data, scratch)
        np.savez_compressed(
            kept, waves=looks.waves, features=looks.features, labels=looks.labels, records=looks.records
        )
    with np.load(kept) as held:
        return Looks(held["waves"], held["features"], held["labels"], held["records"])


def fetch(folder: Path) -> None:
    """From PhysioNet, where there is a network; about 95 MB."""
    import wfdb

    wfdb.dl_database("challenge-2017/training", str(folder / "training2017"))


def _make(data: Path, scratch: Path) -> Looks:
    import wfdb
    from scipy.io import loadmat

    folder = data / "training2017"
    if not folder.exists():
        folder = scratch / "training2017"
        if not folder.exists():
            with tarfile.open(data / "training2017.tar.xz") as archive:
                archive.extractall(scratch, filter="data")
    with (data / "REFERENCE-v3.csv").open(encoding="ascii", newline="") as file:
        reference = [(row[0], row[1]) for row in csv.reader(file)]
    found = scratch / "beats"
    for start in range(0, len(reference), _AT_ONCE):
        records = [str(folder / f"{name}.hea") for name, _ in reference[start : start + _AT_ONCE]]
        command = [sys.executable, "-m", "vitalkeep", "analyze", "--json", "--annotations", str(found), *records]
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    waves, rows, labels, numbers = [], [], [], []
    for number, (name, label) in enumerate(reference):
        ecg_mv = loadmat(folder / f"{name}.mat")["val"][0].astype(np.float64) / 1000.0
        beats_s = np.array(wfdb.rdann(str(found / name), "vk").sample) / FS_HZ
        length_s = len(ecg_mv) / FS_HZ
        for start_s in [0.0] if length_s <= LENGTH_S * 1.1 else [0.0, length_s - LENGTH_S]:
            part = ecg_mv[int(start_s * FS_HZ) : int((start_s + LENGTH_S) * FS_HZ)]
            seen = wave(part, FS_HZ)
            waves.append(np.round(seen * 127 / MOST).astype(np.int8))
            rows.append(features(seen, beats_s - start_s, len(part) / FS_HZ).astype(np.float32))
            labels.append(LABELS.index(label))
            numbers.append(number)
    return Looks(np.array(waves), np.array(rows), np.array(labels, np.int64), np.array(numbers, np.int64))
