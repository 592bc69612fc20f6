"""Beat detectors side by side on the MIT-BIH records: EC57 figures at 150 ms and at 50 ms, speed and memory.

    python -m benchmarks.qrs [--records 101,106] [--detectors 'vitalkeep;NeuroKit2'] [--clean]

Each also under the noise of electrodes that move, at 6 and 0 dB (MIT-BIH's recording `em` and WFDB's definition of the
ratio), unless --clean. The records are looked for in VITALKEEP_DATA, or in ../shared/data, and made by our own
model where they are missing; every detector sees the first ECG lead alone.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.child import ROOT, run_measured
from benchmarks.detectors import DETECTORS
from benchmarks.qrs_examples import noise_gain
from benchmarks.table import table
from device_pipeline.evaluation.ec57 import BeatScore, flutter_segments, gross, score_beats
from fixtures import long

WINDOWS_S = (0.150, 0.050)
NOISE_DB = (6, 0)
MITDB_FS_HZ = 360
MODEL_SEEDS = {"model_1": 1, "model_2": 2}
# WFDB's codes for beats (annot(5)).
_BEATS = frozenset("NLRBAaJSVrFejnE/fQ?")


@dataclass(frozen=True, slots=True)
class Truth:
    """One record as it is scored: `duration_s` long, `beats` in samples at `fs_hz`."""

    fs_hz: float
    samples: int
    beats: NDArray[np.int64]
    flutter: tuple[tuple[int, int], ...]


def data() -> Path | None:
    """Where real recordings are, if they are here."""
    folder = Path(os.environ.get("VITALKEEP_DATA", ROOT.parent / "shared" / "data"))
    return folder if any((folder / "mitdb").glob("*.hea")) else None


def mitdb() -> Path | None:
    """Where the MIT-BIH records are, if they are here."""
    folder = data()
    return None if folder is None else folder / "mitdb"


def unpack(folder: Path, name: str, into: Path, noise: NDArray[np.float64] | None) -> Truth:
    """Writes the first lead of record `name` to `into`/name.npy, in mV; returns what is known of it.

    With `noise` also to `into`/name.6dB.npy and name.0dB.npy, with so much of it added.
    """
    import wfdb

    record = wfdb.rdrecord(str(folder / name), channels=[0])
    ecg_mv = record.p_signal[:, 0].astype(np.float64)
    np.save(into / f"{name}.npy", ecg_mv)
    reference = wfdb.rdann(str(folder / name), "atr")
    beats = np.array(
        [at for at, code in zip(reference.sample, reference.symbol, strict=True) if code in _BEATS], dtype=np.int64
    )
    if noise is not None:
        for snr_db in NOISE_DB:
            gain = noise_gain(np.nan_to_num(ecg_mv), beats, noise, snr_db)
            np.save(into / f"{name}.{snr_db}dB.npy", ecg_mv + gain * np.resize(noise, len(ecg_mv)))
    flutter = flutter_segments(reference.sample, reference.symbol, reference.aux_note, record.sig_len)
    return Truth(float(record.fs), int(record.sig_len), beats, tuple(flutter))


def make(name: str, into: Path) -> Truth:
    """The same for an hour of the project's own model, at the rate of MIT-BIH: easier than life."""
    header = long.write_record(into / f"{name}.wfdb", hours=1.0, fs_hz=MITDB_FS_HZ, seed=MODEL_SEEDS[name])
    truth = json.loads(header.with_suffix(".beats.json").read_text())
    ecg_units = np.fromfile(header.with_suffix(".dat"), dtype="<i2")
    np.save(into / f"{name}.npy", ecg_units / 200)
    return Truth(float(MITDB_FS_HZ), len(ecg_units), np.array(truth["samples"], dtype=np.int64), ())


def compare(detector: str, truths: dict[str, Truth], folder: Path, *, noise: bool) -> list[str]:
    """One row: the detector over all records, in a process of its own."""
    fs_hz = next(iter(truths.values())).fs_hz
    kinds = ["", *(f".{snr_db}dB" for snr_db in NOISE_DB)] if noise else [""]
    paths = [folder / f"{name}{kind}.npy" for kind in kinds for name in truths]
    measured = run_measured([sys.executable, "-m", "benchmarks.detectors", detector, str(fs_hz), *paths])
    scores: dict[tuple[str, float], list[BeatScore]] = {(kind, w): [] for kind in kinds for w in WINDOWS_S}
    took_s = 0.0
    for line in measured.stdout.splitlines():
        if not line.startswith("{"):
            continue
        found = json.loads(line)
        name, _, kind = found["record"].partition(".")
        kind = f".{kind}" if kind else ""
        truth = truths[name]
        took_s += 0.0 if kind else found["took_s"]
        beats = np.array(found["beats"], dtype=np.int64)
        for window_s in WINDOWS_S:
            scores[kind, window_s].append(
                score_beats(
                    truth.beats,
                    beats,
                    truth.fs_hz,
                    window_s=window_s,
                    end_sample=truth.samples,
                    excluded=truth.flutter,
                )
            )
    signal_s = sum(truth.samples / truth.fs_hz for truth in truths.values())
    total = gross(scores["", WINDOWS_S[0]])
    return [
        detector,
        *(_percent(value) for value in (total.sensitivity, total.positive_predictivity, total.f1)),
        *(_percent(gross(scores[kind, WINDOWS_S[1]]).f1) for kind in kinds),
        f"{signal_s / took_s:,.0f}",
        f"{measured.max_rss_mb:.0f}",
    ]


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.2f}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", help="names, with commas between; all that are there when left out")
    parser.add_argument("--detectors", help="names, with semicolons between; all when left out")
    parser.add_argument("--clean", action="store_true", help="without noise")
    asked = parser.parse_args()
    folder = mitdb()
    motion = None
    if folder is not None and not asked.clean:
        import wfdb

        motion = wfdb.rdrecord(str(folder.parent / "nstdb" / "em"), channels=[0]).p_signal[:, 0]
    here_are = list(MODEL_SEEDS) if folder is None else sorted(path.stem for path in folder.glob("*.atr"))
    names = asked.records.split(",") if asked.records else here_are
    detectors = asked.detectors.split(";") if asked.detectors else [name for name, _ in DETECTORS]
    with tempfile.TemporaryDirectory() as here:
        into = Path(here)
        truths = {name: make(name, into) if folder is None else unpack(folder, name, into, motion) for name in names}
        rows = [compare(detector, truths, into, noise=motion is not None) for detector in detectors]
    what = "MIT-BIH" if folder else "No MIT-BIH records here (VITALKEEP_DATA): the project's own model"
    print(f"{what}, {len(names)} records, first lead, first 5 minutes left out, gross; one core, one thread\n")
    noisy = [] if motion is None else [f"em {snr_db} dB" for snr_db in NOISE_DB]
    head = ["detector", "Se %", "P+ %", "F1 %", "F1 % at 50 ms", *(f"{one}, 50 ms" for one in noisy)]
    print(table([*head, "× real time", "peak MB"], rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
