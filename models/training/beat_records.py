"""MIT-BIH beats as the beat net sees them, with their labels: both leads, mixtures of them, noise, other rates.

Beats are those that vitalkeep itself finds, matched to the annotations within 150 ms, since that is what it is given.
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

from models.beat_context import BeatContext
from models.beat_input import beat_waves
from models.training.beat_rhythms import Source, source
from models.waveform import Floats

# DS1 of de Chazal et al. 2004: the records that this net may see. 201 and 202 are one person, and 202 is in DS2.
DS1 = (
    "101", "106", "108", "109", "112", "114", "115", "116", "118", "119", "122", "124", "201", "203", "205", "207",
    "208", "209", "215", "220", "223", "230",
)  # fmt: skip
CLASSES = {
    **dict.fromkeys("NLRej", "N"),
    **dict.fromkeys("AaJS", "S"),
    **dict.fromkeys("VE", "V"),
    "F": "F",
    **dict.fromkeys("/fQ", "Q"),
}
RATES_HZ = (125.0, 130.0, 250.0, 360.0)
_MATCH_S = 0.15
_NOISE_PART = 0.6  # of each noise: what is left serves tests
_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Beats:
    """`features` (n, inputs); `labels` (n,), "-" where no beat was annotated; `person` and `lead` (n,); lead "0" and
    "1" are those of the record, others were made of them. `missed`: annotated beats of lead "0" that were not found."""

    features: NDArray[np.float32]
    labels: NDArray[np.str_]
    person: NDArray[np.str_]
    lead: NDArray[np.str_]
    missed: dict[tuple[str, str], int]


def read(data: Path, scratch: Path, copies: int) -> tuple[Beats, dict[tuple[str, str], Source]]:
    """From the folder of mitdb/ and nstdb/; beside the beats, what rhythms can be made of, by (person, lead)."""
    import wfdb

    noises = [wfdb.rdrecord(str(data / "nstdb" / name)).p_signal for name in ("bw", "em", "ma")]
    folder = scratch / "leads"
    folder.mkdir(parents=True, exist_ok=True)
    written: list[tuple[str, str, float]] = []
    for record in DS1:
        signals = wfdb.rdrecord(str(data / "mitdb" / record)).p_signal.astype(np.float64)
        for lead in ("0", "1"):
            written.append(_write(folder, record, lead, signals[:, int(lead)], 360.0))
        for copy in range(copies):
            rng = np.random.default_rng([7, copy, int(record)])
            fs_hz = float(rng.choice(RATES_HZ))
            written.append(_write(folder, record, f"c{copy}", _varied(signals, noises, rng, fs_hz), fs_hz))
    _find(folder, [name for name, _, _ in written])
    parts: list[tuple[NDArray[np.float32], NDArray[np.str_], str, str]] = []
    sources: dict[tuple[str, str], Source] = {}
    missed: dict[tuple[str, str], int] = {}
    for name, lead, fs_hz in written:
        person = name.split("_")[0]
        ecg_mv = wfdb.rdrecord(str(folder / name)).p_signal[:, 0].astype(np.float64)
        at = np.load(folder / f"{name}.found.npy")
        truth = wfdb.rdann(str(data / "mitdb" / person), "atr")
        labels, lost = _matched(at / fs_hz, truth)
        if lead == "0":
            missed |= {(person, label): lost.count(label) for label in set(lost)}
        parts.append((_features(ecg_mv, fs_hz, at), labels, person, lead))
        own = source(ecg_mv, fs_hz, at, labels) if lead in ("0", "1") else None
        if own is not None:
            sources[person, lead] = own
    beats = Beats(
        np.concatenate([part[0] for part in parts]),
        np.concatenate([part[1] for part in parts]),
        np.concatenate([np.full(len(part[1]), part[2]) for part in parts]),
        np.concatenate([np.full(len(part[1]), part[3]) for part in parts]),
        missed,
    )
    return beats, sources


def read_cinc(data: Path, scratch: Path, normal: int, fibrillating: int) -> tuple[Beats, list[Source]]:
    """Of CinC 2017, recordings called normal or atrial fibrillation: nearly all of their usual beats are N.

    `lead` is "N" or "A" there. Beats of odd shape are left out of the fibrillating ones.
    """
    folder = scratch / "training2017"
    if not folder.exists():
        with tarfile.open(data / "cinc2017" / "training2017.tar.xz") as archive:
            archive.extractall(scratch, filter="data")
    with (data / "cinc2017" / "REFERENCE-v3.csv").open(encoding="ascii", newline="") as file:
        reference = [(row[0], row[1]) for row in csv.reader(file)]
    rng = np.random.default_rng(4)
    chosen = []
    for label, count in (("N", normal), ("A", fibrillating)):
        names = [name for name, kind in reference if kind == label]
        chosen += [(names[k], label) for k in rng.permutation(len(names))[:count]]
    _find(folder, [name for name, _ in chosen])
    from scipy.io import loadmat

    features, kinds, sources = [], [], []
    for name, label in chosen:
        ecg_mv = loadmat(folder / f"{name}.mat")["val"][0].astype(np.float64) / 1000
        at = np.load(folder / f"{name}.found.npy")
        if len(at) < 15:
            continue
        features.append(_features(ecg_mv, 300.0, at))
        kinds += [label] * len(at)
        own = source(ecg_mv, 300.0, at, np.full(len(at), "N")) if label == "N" and len(at) >= 22 else None
        if own is not None and len(own.usual) >= 12:
            sources.append(own)
    n = len(kinds)
    every = np.concatenate(features)
    return Beats(every, np.full(n, "N"), np.full(n, "cinc"), np.array(kinds), {}), sources


def _features(ecg_mv: Floats, fs_hz: float, at: Floats) -> NDArray[np.float32]:
    context = BeatContext()
    waves, before_s = beat_waves(ecg_mv, fs_hz, at), np.append(np.nan, np.diff(at) / fs_hz)
    return np.concatenate([context.push(waves, before_s), context.flush()]).astype(np.float32)


def _matched(at_s: Floats, truth: object) -> tuple[NDArray[np.str_], list[str]]:
    """(class of each beat found, classes of those that were not)."""
    symbols, samples = truth.symbol, truth.sample  # type: ignore[attr-defined]
    true = [
        (sample / 360.0, CLASSES[symbol]) for sample, symbol in zip(samples, symbols, strict=True) if symbol in CLASSES
    ]
    labels = np.full(len(at_s), "-")
    pairs = []
    for k, (moment_s, _) in enumerate(true):
        for i in range(*np.searchsorted(at_s, [moment_s - _MATCH_S, moment_s + _MATCH_S])):
            pairs.append((abs(at_s[i] - moment_s), i, k))
    taken: set[int] = set()
    for _, i, k in sorted(pairs):
        if labels[i] == "-" and k not in taken:
            labels[i] = true[k][1]
            taken.add(k)
    return labels, [label for k, (_, label) in enumerate(true) if k not in taken]


def _varied(signals: Floats, noises: list[Floats], rng: np.random.Generator, fs_hz: float) -> Floats:
    """Both leads mixed, of another size, mostly with noise, at another rate."""
    angle = rng.uniform(0, 2 * np.pi) if rng.random() < 0.6 else rng.integers(4) * np.pi / 2
    ecg_mv = (np.cos(angle) * signals[:, 0] + np.sin(angle) * signals[:, 1]) * np.exp(rng.normal(0, 0.3))
    if rng.random() < 0.7:
        kind = int(rng.integers(3))
        part = noises[kind][: round(_NOISE_PART * len(noises[kind])), rng.integers(2)]
        noise = np.resize(np.roll(part, -int(rng.integers(len(part)))), len(ecg_mv))
        snr_db = rng.uniform(0, 20) if kind == 0 else rng.uniform(8, 26)
        power = np.percentile(np.ptp(ecg_mv[: len(ecg_mv) // 360 * 360].reshape(-1, 360), axis=1), 50) ** 2 / 8
        ecg_mv = ecg_mv + noise * np.sqrt(power / 10 ** (snr_db / 10) / noise.var())
    if fs_hz == 360.0:
        return np.asarray(ecg_mv)
    spectrum, hz = np.fft.rfft(ecg_mv), np.fft.rfftfreq(len(ecg_mv), 1 / 360.0)
    spectrum[hz > 0.45 * fs_hz] = 0
    smooth = np.fft.irfft(spectrum, len(ecg_mv))
    at_s = np.arange(int(len(ecg_mv) * fs_hz / 360.0)) / fs_hz
    return np.asarray(np.interp(at_s, np.arange(len(ecg_mv)) / 360.0, smooth))


def _write(folder: Path, record: str, lead: str, ecg_mv: Floats, fs_hz: float) -> tuple[str, str, float]:
    import wfdb

    name = f"{record}_{lead}"
    if not (folder / f"{name}.hea").exists():
        digital = np.clip(np.round(ecg_mv * 1000), -32000, 32000).astype(np.int64)[:, None]
        wfdb.wrsamp(
            name,
            fs_hz,
            ["mV"],
            ["ECG"],
            d_signal=digital,
            fmt=["16"],
            adc_gain=[1000],
            baseline=[0],
            write_dir=str(folder),
        )
    return name, lead, fs_hz


def _find(folder: Path, names: list[str]) -> None:
    names = [name for name in names if not (folder / f"{name}.found.npy").exists()]
    for start in range(0, len(names), _AT_ONCE):
        command = [sys.executable, "-m", "benchmarks.beats_found", str(folder), *names[start : start + _AT_ONCE]]
        subprocess.run(command, check=True)
