"""False alerts of models a day, on recordings that hold nothing to raise them for.

    python -m benchmarks.false_alerts [--jobs N] [--sets NAME ...]

Reads real recordings (VITALKEEP_DATA) and the fixtures. A record counts for a rule only where its reference says that
there is nothing to tell: no three ventricular beats in a row, in no five minutes a tenth of all beats ventricular, no
atrial fibrillation or flutter. The hours are few, so each figure has its 95 % upper bound (Poisson).
"""

from __future__ import annotations

import argparse
import csv
import tarfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat
from scipy.stats import chi2

from benchmarks.qrs import data
from benchmarks.qrs_examples import NOISE_PART, noise_gain
from benchmarks.table import table
from device_pipeline.alerts.alert import Alert
from device_pipeline.beats.annotated import AAMI_LABEL
from device_pipeline.config import Limits
from device_pipeline.run import Finding, Pipeline
from sensors.files.annotation import AnnotatedBeat, AnnotationSource, read_annotations
from sensors.files.open import open_source
from sensors.files.recorded import RecordedSource
from sensors.files.wfdb import WfdbSource
from sensors.samples import Item, Kind, Samples
from vitalkeep.beat_typer import beat_typer

Floats = NDArray[np.float64]
RULES = ("ventricular_run", "frequent_ventricular", "irregular_rhythm")
SNR_DB = (12, 6, 0)
NOISES = ("em", "ma", "bw")
FS_HZ = 360.0
PACED = {"102", "104", "107", "217"}
ROOT = Path(__file__).resolve().parents[1]
_DAY_S = 86_400.0
_CINC_AT_ONCE = 2500  # an archive is unpacked once for so many


@dataclass(slots=True)
class Replayed:
    """`days` and `raised` by rule, where there was nothing to tell; `name` says of what.

    `runs`: records in which the reference has a run of ventricular beats that should be told, `told` those of them in
    which one was.
    """

    name: str
    days: dict[str, float] = field(default_factory=lambda: dict.fromkeys(RULES, 0.0))
    raised: Counter[str] = field(default_factory=Counter)
    runs: int = 0
    told: int = 0

    def add(self, seconds: float, raised: Counter[str], rules: Iterable[str]) -> None:
        for rule in rules:
            self.days[rule] += seconds / _DAY_S
            self.raised[rule] += raised[rule]

    def join(self, other: Replayed) -> None:
        for rule in RULES:
            self.days[rule] += other.days[rule]
            self.raised[rule] += other.raised[rule]
        self.runs += other.runs
        self.told += other.told


def replay(items: Iterable[Item | AnnotatedBeat], channel: str | None, live: bool = False) -> Counter[str]:
    """How often each rule was raised."""
    pipeline = Pipeline(Limits(), channel=channel, live=live, typer=beat_typer)
    findings: list[Finding] = []
    for item in items:
        findings += pipeline.push(item)
    findings += pipeline.flush()
    return Counter(f.rule for f in findings if isinstance(f, Alert) and f.end_ns is None)


def blocks(ecg_mv: Floats, fs_hz: float, block_s: float = 240.0) -> Iterator[Samples]:
    whole = Samples(Kind.ECG, "ecg", fs_hz, 0, 1e9 / fs_hz, 0, ecg_mv)
    step = round(block_s * fs_hz)
    for at in range(0, len(ecg_mv), step):
        yield whole.cut(at, min(len(ecg_mv), at + step))


def nothing_to_tell(record: Path) -> list[str]:
    """The rules for which the annotations of this record hold nothing."""
    file = read_annotations(record.with_suffix(".atr"))
    samples, symbols = file.labelled_beats()
    is_v = np.array([AAMI_LABEL[symbol].value == "V" for symbol in symbols])
    t_s = samples / FS_HZ
    rhythms = {note for note, symbol in zip(file.aux, file.symbols, strict=True) if symbol == "+"}
    rules = []
    # as in EC57, a fusion beat taken for a ventricular one is no false one
    may_be = is_v | np.array([symbol == "F" for symbol in symbols])
    if not np.any(may_be[2:] & may_be[1:-1] & may_be[:-2]) and not rhythms & {"(VT", "(VFL", "(IVR"}:
        rules.append("ventricular_run")
    shares = [is_v[(t_s >= at) & (t_s < at + 300)].mean() for at in np.arange(0, t_s[-1] - 300, 60)]
    if max(shares) < Limits().frequent_ventricular_clear_pct / 100:
        rules.append("frequent_ventricular")
    if not rhythms & {"(AFIB", "(AFL", "(SVTA", "(AB", "(B", "(T"}:
        rules.append("irregular_rhythm")
    return rules


def has_run(record: Path) -> bool:
    """Whether the annotations hold as many V in a row, as fast, as the rule asks for."""
    samples, symbols = read_annotations(record.with_suffix(".atr")).labelled_beats()
    limits = Limits()
    n = int(limits.ventricular_run_beats)
    is_v = np.array([AAMI_LABEL[symbol].value == "V" for symbol in symbols])
    t_s = samples / FS_HZ
    return any(
        is_v[k : k + n].all() and 60.0 * (n - 1) / (t_s[k + n - 1] - t_s[k]) >= limits.ventricular_run_bpm
        for k in range(len(t_s) - n + 1)
    )


def mitdb_record(record: Path, noise: str | None = None, snr_db: float = 0.0) -> Replayed:
    source = WfdbSource(record)
    names = [c.name for c in source.channels if c.kind is Kind.ECG]
    channel = "MLII" if "MLII" in names else names[0]
    ecg_mv = np.concatenate([b.values for b in source.items([channel]) if isinstance(b, Samples)])
    told = Replayed("MIT-BIH, as recorded" if noise is None else f"MIT-BIH with {noise} noise at {snr_db:g} dB")
    if noise is not None:
        folder = record.parents[1] / "nstdb" / noise
        noisy = WfdbSource(folder)
        part = [b.values for b in noisy.items([noisy.channels[0].name]) if isinstance(b, Samples)]
        kept = np.concatenate(part)
        # what no net was made with
        kept = kept[int(NOISE_PART * len(kept)) :]
        added = np.resize(np.concatenate([kept, kept[::-1]]), len(ecg_mv))
        beats = read_annotations(record.with_suffix(".atr")).beats()
        ecg_mv = ecg_mv + noise_gain(ecg_mv, beats, added, snr_db) * added
    raised = replay(blocks(ecg_mv, FS_HZ), "ecg")
    told.add(len(ecg_mv) / FS_HZ, raised, nothing_to_tell(record))
    if noise is None and has_run(record):
        told.runs, told.told = 1, int(raised["ventricular_run"] > 0)
    return told


def running(path: Path) -> Replayed:
    """The ECG of somebody on a treadmill: no annotations, healthy people."""
    told = Replayed("running (IEEE SPC 2015)")
    signal = np.asarray(loadmat(path)["sig"], dtype=np.float64)[0]
    ecg_mv = signal / max(1e-9, float(np.percentile(np.abs(signal - np.median(signal)), 99.0)))
    told.add(len(ecg_mv) / 125.0, replay(blocks(ecg_mv, 125.0), "ecg"), RULES)
    return told


def fixture(path: Path) -> Replayed:
    told = Replayed("straps made for the tests, walking and noise")
    source = open_source(path)
    items = list(source.items())
    seconds = max(item.end_ns for item in items if isinstance(item, Samples)) / 1e9 - source.started_ns / 1e9
    rules = ("ventricular_run", "frequent_ventricular")  # one of them has an irregular rhythm to be found
    told.add(seconds, replay(items, None, isinstance(source, RecordedSource)), rules)
    return told


def cinc(folder: Path, label: str, first: int) -> Replayed:
    """Recordings of a hand-held device of one class, some of them; too short for what must last five minutes."""
    told = Replayed({"N": "hand-held, normal rhythm (CinC 2017)", "~": "hand-held, noisy (CinC 2017)"}[label])
    with (folder / "REFERENCE-v3.csv").open(encoding="ascii") as lines:
        named = [row[0] for row in csv.reader(lines) if row[1] == label]
    wanted = set(named[first : first + _CINC_AT_ONCE])
    with tarfile.open(folder / "training2017.tar.xz") as archive:
        for member in archive:
            if member.name.endswith(".mat") and Path(member.name).stem in wanted:
                held = archive.extractfile(member)
                assert held is not None
                ecg_mv = np.asarray(loadmat(held)["val"][0], dtype=np.float64) / 1000.0
                told.add(
                    len(ecg_mv) / 300.0, replay(blocks(ecg_mv, 300.0), "ecg"), ("ventricular_run", "irregular_rhythm")
                )
    return told


def intervals(path: Path) -> Replayed:
    """A day of somebody healthy, by annotations alone: only the rhythm can be judged."""
    told = Replayed("healthy days (NSRDB), intervals only")
    source = AnnotationSource(path)
    told.add(source.duration_s or 0.0, replay(source.items(), None), ("irregular_rhythm",))
    return told


def jobs(folder: Path) -> Iterator[tuple[str, Callable[[], Replayed]]]:
    records = [p.with_suffix("") for p in sorted((folder / "mitdb").glob("*.hea")) if p.stem not in PACED]
    for record in records:
        yield "mitdb", partial(mitdb_record, record)
    for record in records:
        for noise in NOISES:
            for snr_db in SNR_DB:
                yield "noise", partial(mitdb_record, record, noise, snr_db)
    for path in sorted((folder / "ieee_spc_2015").glob("DATA_*_TYPE*.mat")):
        if "BPMtrace" not in path.name:
            yield "running", partial(running, path)
    for name in ("chest_strap.jsonl.gz", "chest_strap_rest.jsonl.gz"):
        yield "fixtures", partial(fixture, ROOT / "fixtures" / "recordings" / name)
    reference = (folder / "cinc2017" / "REFERENCE-v3.csv").read_text(encoding="ascii")
    for label in "N~":
        n = sum(line.endswith(f",{label}") for line in reference.split())
        for first in range(0, n, _CINC_AT_ONCE):
            yield "cinc", partial(cinc, folder / "cinc2017", label, first)
    for path in sorted((folder / "nsrdb").glob("*.atr")):
        yield "nsrdb", partial(intervals, path)


def upper(n: int) -> float:
    """The 95 % upper bound of a Poisson count."""
    return float(chi2.ppf(0.95, 2 * n + 2) / 2)


def _call(job: Callable[[], Replayed]) -> Replayed:
    return job()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=1, help="processes (default: 1)")
    parser.add_argument("--sets", nargs="*", help="mitdb, noise, running, fixtures, cinc, nsrdb (default: all)")
    parser.add_argument("--most", type=int, help="of each set only so many records")
    asked = parser.parse_args()
    folder = data()
    if folder is None:
        print("no real recordings are here; set VITALKEEP_DATA to their folder")
        return
    named = list(jobs(folder))
    chosen: list[Callable[[], Replayed]] = []
    for name in dict.fromkeys(name for name, _ in named):
        if asked.sets is None or name in asked.sets:
            chosen += islice((job for mine, job in named if mine == name), asked.most)
    totals: dict[str, Replayed] = {}
    with ProcessPoolExecutor(asked.jobs) as pool:
        for told in pool.map(_call, chosen):
            totals.setdefault(told.name, Replayed(told.name)).join(told)
    everything = Replayed("all")
    for told in totals.values():
        everything.join(told)
    rows = []
    for told in [*totals.values(), everything]:
        for rule in RULES:
            n, days = told.raised[rule], told.days[rule]
            if days:
                rows.append([told.name, rule, f"{days:.2f}", str(n), f"{n / days:.2f}", f"{upper(n) / days:.2f}"])
    if everything.runs:
        print(
            f"Runs of ventricular beats were told in {everything.told} of {everything.runs} records that have some.\n"
        )
    print(table(["replay", "rule", "days", "false alerts", "a day", "95 % at most"], rows))


if __name__ == "__main__":
    main()
