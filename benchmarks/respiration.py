"""Respiration rates of the BIDMC records against the breaths that two people marked, beside NeuroKit2.

    python -m benchmarks.respiration --held-out LOGITS.npz [--lead II] [--no-peers]

Ours was trained on these people, so its figures come from nets that never saw the person they are scored on:

    python -m benchmarks.respiration_maps MAPS.npz
    python -m models.training.respiration --data MAPS.npz --leave-out LOGITS.npz --groups 12

The rest is what `vitalkeep analyze` does. Without --held-out ours is read with the weights that are shipped, which is
no independent figure. Windows of 32 s every 8 s; those whose annotators differ by more than 2 breaths/min are left out.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.bidmc import FS_HZ, Floats, Record, archive, records
from benchmarks.table import table
from device_pipeline.config import Limits
from device_pipeline.evaluation.respiration import agreed_rate_bpm, true_rate_bpm
from device_pipeline.respiration.breathing import STEP_S
from device_pipeline.respiration.fusion import Fusion
from device_pipeline.respiration.respiration import Respiration
from device_pipeline.respiration.spectra import WINDOW_S
from device_pipeline.respiration.sureness import LEAST_QUALITY, sureness
from device_pipeline.run import Pipeline
from sensors.samples import Kind, Samples

READ = {"ECG": ("ecg",), "PPG": ("ppg",), "ECG and PPG": ("ecg", "ppg")}
SHARE = 0.9

# (rate in breaths a minute or None, quality) of each window of a record
Told = list[tuple[float | None, float]]


@dataclass(slots=True)
class Column:
    """One way to tell rates, over all records: errors, qualities and people of the windows that have a truth."""

    errors: list[float] = field(default_factory=list)  # NaN where no rate was told
    qualities: list[float] = field(default_factory=list)
    people: list[str] = field(default_factory=list)

    def add(self, record: Record, told: Told) -> None:
        for start_s, (rate_bpm, quality) in zip(starts_s(record), told, strict=True):
            true_bpm = agreed_rate_bpm([true_rate_bpm(marks, start_s, WINDOW_S) for marks in record.breaths_s])
            if true_bpm is not None:
                self.errors.append(np.nan if rate_bpm is None else rate_bpm - true_bpm)
                self.qualities.append(quality)
                self.people.append(record.person)

    def row(self, name: str, at_quality: float | None) -> list[str]:
        error, quality, person = np.abs(self.errors), np.array(self.qualities), np.array(self.people)
        known = np.isfinite(error)
        best = known & (quality >= np.quantile(np.where(known, quality, -1.0), 1 - SHARE))
        sure = known & (quality >= at_quality) if at_quality is not None else known
        each = [float(error[sure & (person == p)].mean()) for p in np.unique(person[sure])]
        return [
            name,
            f"{error[known].mean():.2f}",
            f"{100 * known.mean():.0f}",
            f"{error[best].mean():.2f}" if at_quality is not None else "–",
            f"{error[sure].mean():.2f}",
            f"{100 * sure.mean():.0f}",
            f"{np.median(each):.2f}",
            f"{np.std(each):.2f}",
            f"{max(each):.2f}",
        ]


def starts_s(record: Record) -> list[float]:
    windows = int((len(record.ppg) / FS_HZ - WINDOW_S) // STEP_S) + 1
    return [float(STEP_S * k) for k in range(windows)]


class HeldOut:
    """Rates from the logits of nets that never saw the person."""

    def __init__(self, path: Path) -> None:
        with np.load(path) as file:
            self._logits: dict[tuple[str, str, str, float], Floats] = {
                (source, record, lead, start_s): logits
                for source in ("ecg", "ppg")
                for record, lead, start_s, logits in zip(
                    file[f"{source}_record"].tolist(),
                    file[f"{source}_lead"].tolist(),
                    file[f"{source}_start_s"].tolist(),
                    file[f"{source}_logits"],
                    strict=True,
                )
            }

    def __call__(self, record: Record, lead: str, sources: tuple[str, ...]) -> Told:
        fusion, rates, seen = Fusion(), [], []
        names = {"ecg": lead, "ppg": "PLETH"}
        for start_s in starts_s(record):
            found = {source: self._logits.get((source, record.name, names[source], start_s)) for source in sources}
            seen.append(any(logits is not None for logits in found.values()))
            rates += fusion.push([found.get("ecg")], [found.get("ppg")])
        rates += fusion.flush()
        return [
            (rate_bpm, sureness(share)) if was else (None, 0.0)
            for was, (rate_bpm, share) in zip(seen, rates, strict=True)
        ]


def shipped(record: Record, lead: str, sources: tuple[str, ...]) -> Told:
    """Rates from the pipeline as it is shipped; what it abstains from has no rate here."""
    waves = [(Kind.ECG, "ecg", record.leads[lead]), (Kind.PPG, "ppg", record.ppg)]
    read = [wave for wave in waves if wave[1] in sources]
    beside = read[1][1] if len(read) > 1 else None
    pipeline = Pipeline(Limits(), channel=read[0][1], live=False, beside=beside)
    pipeline.begin(0)
    pipeline.expect(read[0][0], read[0][1], FS_HZ)
    found = []
    for kind, name, x in read:
        found += pipeline.push(Samples(kind, name, FS_HZ, 0, 1e9 / FS_HZ, 0, x))
    found += pipeline.flush()
    told = [finding for finding in found if isinstance(finding, Respiration)]
    return [(window.rate_bpm, window.quality or 0.0) for window in told[: len(starts_s(record))]]


def neurokit(record: Record, lead: str, sources: tuple[str, ...]) -> Told:
    """ecg_rsp on the heart rate (van Gent et al. 2019), then its own peaks and rate, averaged over each window."""
    import neurokit2

    fs_hz = int(FS_HZ)
    if sources == ("ecg",):
        _signals, found = neurokit2.ecg_peaks(
            neurokit2.ecg_clean(record.leads[lead], sampling_rate=fs_hz), sampling_rate=fs_hz
        )
        beats = found["ECG_R_Peaks"]
    else:
        cleaned = neurokit2.ppg_clean(record.ppg, sampling_rate=fs_hz)
        beats = neurokit2.ppg_findpeaks(cleaned, sampling_rate=fs_hz)["PPG_Peaks"]
    heart_bpm = neurokit2.signal_rate(beats, sampling_rate=fs_hz, desired_length=len(record.ppg))
    breath = neurokit2.ecg_rsp(heart_bpm, sampling_rate=fs_hz)
    _, peaks = neurokit2.rsp_peaks(breath, sampling_rate=fs_hz)
    rate_bpm = neurokit2.rsp_rate(breath, peaks, sampling_rate=fs_hz)
    length = round(WINDOW_S * FS_HZ)
    windows: list[NDArray[np.float64]] = [
        rate_bpm[round(start_s * FS_HZ) : round(start_s * FS_HZ) + length] for start_s in starts_s(record)
    ]
    return [(float(np.nanmean(window)), 1.0) for window in windows]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--held-out", type=Path, metavar="LOGITS", help="see above")
    parser.add_argument("--lead", default="II", help="the ECG lead (default II)")
    parser.add_argument("--no-peers", action="store_true", help="ours alone")
    asked = parser.parse_args()
    path = archive()
    if path is None:
        print("No BIDMC records here (VITALKEEP_DATA)")
        return 0
    warnings.simplefilter("ignore")  # the peer's own
    ours: Callable[[Record, str, tuple[str, ...]], Told] = HeldOut(asked.held_out) if asked.held_out else shipped
    columns = {name: Column() for name in READ}
    peers = {} if asked.no_peers else {name: Column() for name in ("ECG", "PPG")}
    people = set()
    for record in records(path):
        people.add(record.person)
        for name, column in columns.items():
            column.add(record, ours(record, asked.lead, READ[name]))
        for name, column in peers.items():
            column.add(record, neurokit(record, asked.lead, READ[name]))
    who = "ours by nets that never saw the person" if asked.held_out else "ours TRAINED ON THESE PEOPLE"
    n = len(columns["ECG"].errors)
    print(f"BIDMC, {len(people)} people, {n} windows of 32 s, lead {asked.lead}; {who}; breaths/min\n")
    head = ["read from", "MAE, all told", "cov. %", "MAE, surest 90 %", "MAE, as told", "cov. %"]
    rows = [column.row(f"vitalkeep, {name}", LEAST_QUALITY) for name, column in columns.items()]
    rows += [column.row(f"NeuroKit2, {name}", None) for name, column in peers.items()]
    print(table([*head, "median person", "SD of people", "worst person"], rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
