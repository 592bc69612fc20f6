"""RR intervals of people whose rhythm somebody annotated, as windows of measures; each person named, so that all of
one person's windows lie on one side of a split.

Early beats are rare where sinus rhythm was recorded for long, and come from few people where they are frequent: beside
the recorded windows stand ones into which early beats were put, singly, in patterns and in runs.
"""

from __future__ import annotations

import csv
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.rhythm_input import FEATURES, LEAST, WINDOW, measures

Floats = NDArray[np.float64]

SETS = ("afdb", "nsrdb", "mitdb", "cinc2017", "apnea_ecg", "hugcdn2014", "put in")
PUT_IN = SETS.index("put in")
LONGEST_RR_S = 3.0
_BREAK_S = 15.0  # a hole of this length ends a stretch, as it does on the device
_BEATS = frozenset("NLRBAaJSVrFejnE/fQ?")
_SHORT = 32  # intervals of the shorter windows, of which a third as many are taken
_HOP = {"afdb": 16, "nsrdb": 64, "mitdb": 6, "cinc2017": 4, "apnea_ecg": 48, "hugcdn2014": 64}
_AT_ONCE = 500  # records on one command line
_PUT_IN_EACH = 40  # windows with early beats put in, of each long record in sinus rhythm


@dataclass(frozen=True, slots=True)
class Heard:
    """One record: moments of its beats in seconds, and of each whether it was in fibrillation: 1, 0, or -1 unknown."""

    set: str
    person: str
    kind: str
    times_s: Floats
    af: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Windows:
    """`x` (m, features) in their own units, `af` the share of each window in fibrillation (-1 unknown), its `person`
    as an index into the records, its `set` as one into SETS, `n` its length."""

    x: NDArray[np.float32]
    af: NDArray[np.float32]
    person: NDArray[np.int64]
    set: NDArray[np.int64]
    n: NDArray[np.int64]


def read(data: Path, scratch: Path) -> list[Heard]:
    """From folders of `data` named as in SETS; what is not there is left out and said."""
    heard: list[Heard] = []
    for read_set in (_afdb, _nsrdb, _mitdb, _apnea_ecg, _hugcdn2014):
        found = list(read_set(data))
        heard += found
        print(f"{read_set.__name__.strip('_')}: {len(found)} records", flush=True)
    found = list(_cinc2017(data / "cinc2017", scratch))
    print(f"cinc2017: {len(found)} records", flush=True)
    return heard + found


def fetch(data: Path) -> None:
    """From PhysioNet, where there is a network: what is annotations alone, and CinC 2017 (95 MB)."""
    import wfdb

    wfdb.dl_database("afdb", str(data / "afdb"), annotators=["atr", "qrs"])
    wfdb.dl_database("nsrdb", str(data / "nsrdb"), annotators=["atr"])
    wfdb.dl_database("mitdb", str(data / "mitdb"), annotators=["atr"])
    wfdb.dl_database("apnea-ecg", str(data / "apnea_ecg"), annotators=["qrs"])
    wfdb.dl_database("challenge-2017/training", str(data / "cinc2017" / "training2017"))
    wfdb.dl_files("challenge-2017", str(data / "cinc2017"), ["REFERENCE-v3.csv"])


def stretches(record: Heard) -> Iterator[tuple[Floats, NDArray[np.int64], NDArray[np.int64]]]:
    """(intervals, of each whether in fibrillation, index of the beat that ends it) of each stretch without a hole."""
    rr_s = np.diff(record.times_s)
    cuts = np.concatenate([[0], np.flatnonzero(rr_s > _BREAK_S) + 1, [len(rr_s)]])
    for start, end in pairwise(cuts.tolist()):
        at = np.arange(start, end)[(rr_s[start:end] > 0) & (rr_s[start:end] <= LONGEST_RR_S)]
        yield rr_s[at], record.af[1:][at], at + 1


def windows(heard: list[Heard]) -> Windows:
    rows: list[Floats] = []
    af: list[float] = []
    person: list[int] = []
    of_set: list[int] = []
    n_of: list[int] = []

    def add(rr_s: Floats, share: float, number: int, name: str) -> None:
        rows.append(measures(rr_s))
        af.append(share)
        person.append(number)
        of_set.append(SETS.index(name))
        n_of.append(len(rr_s))

    for number, record in enumerate(heard):
        rng = np.random.default_rng(number)
        for rr_s, kind, _ in stretches(record):
            for n, hop in ((WINDOW, _HOP[record.set]), (_SHORT, 3 * _HOP[record.set])):
                for at in range(0, len(rr_s) - n + 1, hop):
                    part = kind[at : at + n]
                    share = -1.0 if (part < 0).any() else float(np.mean(part == 1))
                    add(rr_s[at : at + n], share, number, record.set)
            if record.set in ("nsrdb", "apnea_ecg", "hugcdn2014") and len(rr_s) > 4 * WINDOW:
                for _ in range(_PUT_IN_EACH):
                    n = WINDOW if rng.random() < 0.75 else int(rng.integers(LEAST, WINDOW))
                    at = int(rng.integers(0, len(rr_s) - 2 * WINDOW))
                    odd_s = with_early_beats(rr_s[at : at + 2 * WINDOW], rng)[:n]
                    if len(odd_s) == n:
                        add(odd_s, 0.0, number, "put in")
    x = np.array(rows, np.float32).reshape(-1, len(FEATURES))
    return Windows(x, np.array(af, np.float32), np.array(person), np.array(of_set), np.array(n_of))


def with_early_beats(rr_s: Floats, rng: np.random.Generator) -> Floats:
    """Early beats among those of sinus rhythm: how often, how early, in runs or not, and what follows is drawn.

    Ventricular ones leave the sinus node alone (a pause makes up for them), others set it back.
    """
    often, again = rng.uniform(0.03, 0.6), rng.choice([0.0, rng.uniform(0, 0.6)])
    how_early, jitter = rng.uniform(0.45, 0.85), rng.choice([0.02, 0.05, 0.1])
    run_pace = rng.uniform(0.4, 0.75)
    makes_up = rng.random() < 0.6
    every = int(rng.choice([0, 0, 0, 2, 3, 4]))  # a pattern: bigeminy, trigeminy, quadrigeminy
    out: list[float] = []
    k, since = 0, 0
    while k < len(rr_s) - 6:
        since += 1
        early = since % every == 0 if every and rng.random() < 0.85 else rng.random() < often
        if not early:
            out.append(float(rr_s[k]))
            k += 1
            continue
        used_s = max(0.25, rr_s[k] * (how_early + rng.normal(0, jitter)))
        out.append(used_s)
        while rng.random() < again:
            more_s = max(0.25, rr_s[k] * (run_pace + rng.normal(0, jitter)))
            out.append(more_s)
            used_s += more_s
        if makes_up:
            beats = 0
            reached_s = 0.0
            while reached_s < used_s + 0.3 * rr_s[k] and k + beats < len(rr_s) - 1:
                reached_s += rr_s[k + beats]
                beats += 1
            out.append(max(0.3, reached_s - used_s))
            k += beats
        else:
            out.append(float(rr_s[k] * rng.uniform(0.95, 1.15)))
            k += 1
        since = 0 if every else since
    return np.array(out)


def _annotations(path: Path, extension: str) -> tuple[NDArray[np.int64], NDArray[np.str_], list[str]]:
    import wfdb

    read = wfdb.rdann(str(path.with_suffix("")), extension)
    return np.asarray(read.sample), np.array(read.symbol), [note.rstrip("\x00") for note in read.aux_note]


def _af(beats: NDArray[np.int64], samples: NDArray[np.int64], notes: list[str]) -> NDArray[np.int64]:
    """Flutter is neither; ventricular flutter has no beats; before the first annotated rhythm nothing is known."""
    changes = [k for k, note in enumerate(notes) if note.startswith("(")]
    kind = [{"(AFIB": 1, "(AFL": -1, "(VFL": -1, "(VF": -1}.get(notes[k], 0) for k in changes]
    at = np.searchsorted(samples[changes], beats, "right")
    return np.array([-1, *kind])[at] if changes else np.zeros(len(beats), np.int64)


def _afdb(data: Path) -> Iterator[Heard]:
    for path in sorted((data / "afdb").glob("*.qrs")):
        beats = _annotations(path, "qrs")[0]
        samples, _, notes = _annotations(path, "atr")
        yield Heard("afdb", path.stem, "", beats / 250.0, _af(beats, samples, notes))


def _nsrdb(data: Path) -> Iterator[Heard]:
    for path in sorted((data / "nsrdb").glob("*.atr")):
        samples, symbols, _ = _annotations(path, "atr")
        beats = samples[np.isin(symbols, list(_BEATS))]
        yield Heard("nsrdb", path.stem, "", beats / 128.0, np.zeros(len(beats), np.int64))


def _mitdb(data: Path) -> Iterator[Heard]:
    for path in sorted((data / "mitdb").glob("*.atr")):
        samples, symbols, notes = _annotations(path, "atr")
        beats = samples[np.isin(symbols, list(_BEATS))]
        person = "201" if path.stem == "202" else path.stem  # one person
        yield Heard("mitdb", person, "", beats / 360.0, _af(beats, samples, notes))


def _apnea_ecg(data: Path) -> Iterator[Heard]:
    for path in sorted((data / "apnea_ecg").glob("*.qrs")):
        beats = _annotations(path, "qrs")[0]
        yield Heard("apnea_ecg", path.stem, "", beats / 100.0, np.zeros(len(beats), np.int64))


def _hugcdn2014(data: Path) -> Iterator[Heard]:
    for path in sorted((data / "hugcdn2014").glob("*.npz")):
        with np.load(path) as nights:
            for name in sorted(key for key in nights.files if key.endswith("_rr_ms")):
                times_s = np.concatenate([[0.0], np.cumsum(nights[name].astype(np.float64) / 1000)])
                yield Heard("hugcdn2014", name.removesuffix("_rr_ms"), "", times_s, np.zeros(len(times_s), np.int64))


def _cinc2017(data: Path, scratch: Path) -> Iterator[Heard]:
    """Beats are those that vitalkeep itself finds; noisy recordings are left out."""
    if not (data / "REFERENCE-v3.csv").exists():
        return
    folder, found = data / "training2017", scratch / "beats"
    if not folder.exists():
        folder = scratch / "training2017"
        if not folder.exists():
            if not (data / "training2017.tar.xz").exists():
                return
            with tarfile.open(data / "training2017.tar.xz") as archive:
                archive.extractall(scratch, filter="data")
    with (data / "REFERENCE-v3.csv").open(encoding="ascii", newline="") as file:
        reference = [(row[0], row[1]) for row in csv.reader(file) if row[1] != "~"]
    missing = [name for name, _ in reference if not (found / f"{name}.vk").exists()]
    for start in range(0, len(missing), _AT_ONCE):
        records = [str(folder / f"{name}.hea") for name in missing[start : start + _AT_ONCE]]
        command = [sys.executable, "-m", "vitalkeep", "analyze", "--json", "--annotations", str(found), *records]
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    for name, label in reference:
        samples, symbols, _ = _annotations(found / f"{name}.vk", "vk")
        beats = samples[np.isin(symbols, list(_BEATS))]
        yield Heard("cinc2017", name, label, beats / 300.0, np.full(len(beats), int(label == "A")))
