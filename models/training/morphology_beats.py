"""Beats of MIT-BIH and CinC 2017 as waves, with whose they are and of which class; made worse as wearables make them.

Beats are those that vitalkeep itself finds, since that is where it cuts at run time; a class is that of the reference
beat within 150 ms.
"""

from __future__ import annotations

import csv
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.beat_input import beat_waves
from models.waveform import Floats

CLASSES = "NSVFQ"
AAMI = {
    **dict.fromkeys("NLRej", "N"),
    **dict.fromkeys("AaJS", "S"),
    **dict.fromkeys("VE", "V"),
    "F": "F",
    **dict.fromkeys("/fQ", "Q"),
}
PACED = ("102", "104", "107", "217")
NEAR_S = 0.15
NOISE_DB = 6.0
_AT_ONCE = 300  # records on one command line


@dataclass(frozen=True, slots=True)
class Beats:
    """`waves` (n, POINTS) in mV, `noisy` the same beats under electrode motion at NOISE_DB, `classes` index of CLASSES,
    `t_s`; of one lead of one person."""

    person: str
    lead: int
    waves: NDArray[np.float32]
    noisy: NDArray[np.float32]
    classes: NDArray[np.int8]
    t_s: Floats

    @property
    def counted(self) -> NDArray[np.bool_]:
        """Beats that are either usual or not: unknown ones are neither, and a paced heart's usual beats are paced."""
        return np.asarray((self.classes != CLASSES.index("Q")) | (self.person in PACED))

    @property
    def odd(self) -> NDArray[np.bool_]:
        return np.isin(self.classes, (CLASSES.index("V"), CLASSES.index("F")))


def mitdb(folder: Path, noise: Path, scratch: Path) -> list[Beats]:
    """Both leads of every record in `folder`, `noise` being the record `em`; beats found are kept in `scratch`."""
    import wfdb

    motion = wfdb.rdrecord(str(noise)).p_signal[:, 0]

    out = []
    for path in sorted(folder.glob("*.hea")):
        record = wfdb.rdrecord(str(path.with_suffix("")))
        reference = wfdb.rdann(str(path.with_suffix("")), "atr")
        at = np.array([s for s, c in zip(reference.sample, reference.symbol, strict=True) if c in AAMI])
        label = np.array([CLASSES.index(AAMI[c]) for c in reference.symbol if c in AAMI])
        for lead, channel in enumerate(record.sig_name):
            found = scratch / f"beats{lead}"
            if not (found / f"{path.stem}.vk").exists():
                _find([path], found, channel)
            mine = np.array(wfdb.rdann(str(found / path.stem), "vk").sample)
            near = np.clip(np.searchsorted(at, mine), 1, len(at) - 1)
            near -= mine - at[near - 1] < at[near] - mine
            matched = np.abs(at[near] - mine) <= NEAR_S * record.fs
            mine, near = mine[matched], near[matched]
            ecg_mv = record.p_signal[:, lead].astype(np.float64)
            noisy = ecg_mv + noise_gain(ecg_mv, mine, motion, int(record.fs)) * np.resize(motion, len(ecg_mv))
            clean, moved = (
                beat_waves(x, float(record.fs), mine.astype(np.float64)).astype(np.float32) for x in (ecg_mv, noisy)
            )
            out.append(Beats(path.stem, lead, clean, moved, label[near].astype(np.int8), mine / record.fs))
    return out


def cinc2017(folder: Path, reference: Path, scratch: Path, most: int) -> list[Beats]:
    """Those recordings of CinC 2017 that are labelled N, `most` of them; every beat counts as N."""
    import wfdb
    from scipy.io import loadmat

    with reference.open(encoding="ascii", newline="") as file:
        names = [row[0] for row in csv.reader(file) if row[1] == "N"][:most]
    found = scratch / "beats_cinc"
    missing = [folder / f"{name}.hea" for name in names if not (found / f"{name}.vk").exists()]
    for start in range(0, len(missing), _AT_ONCE):
        _find(missing[start : start + _AT_ONCE], found, None)
    out = []
    for name in names:
        ecg_mv = loadmat(folder / f"{name}.mat")["val"][0].astype(np.float64) / 1000.0
        at = np.array(wfdb.rdann(str(found / name), "vk").sample, dtype=np.float64)
        inside = (at > 150) & (at < len(ecg_mv) - 200)
        waves = beat_waves(ecg_mv, 300.0, at[inside]).astype(np.float32)
        out.append(Beats(name, 0, waves, waves, np.zeros(len(waves), np.int8), np.asarray(at[inside] / 300.0)))
    return out


def noise_gain(ecg_mv: Floats, at: NDArray[np.int64], noise: Floats, fs_hz: int) -> float:
    """What `noise` is multiplied with for NOISE_DB, as WFDB's nst counts: (height of the QRS)² / 8 over its power."""
    reach = round(0.05 * fs_hz)
    heights = np.sort([np.ptp(ecg_mv[max(0, k - reach) : k + reach + 1]) for k in at.tolist()])
    cut = len(heights) // 20
    height = float(heights[cut : len(heights) - cut].mean())
    seconds = len(noise) // fs_hz
    power = float(np.mean(np.var(noise[: seconds * fs_hz].reshape(seconds, fs_hz), axis=1)))
    return float(np.sqrt(height**2 / 8 * 10 ** (-NOISE_DB / 10) / power))


def _find(records: list[Path], into: Path, channel: str | None) -> None:
    command = [sys.executable, "-m", "vitalkeep", "analyze", "--json", "--annotations", str(into)]
    command += ["--channel", channel] if channel else []
    subprocess.run([*command, *map(str, records)], stdout=subprocess.DEVNULL, check=True)
