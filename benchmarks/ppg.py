"""The heart rate of pulse waves, ours beside others on the same windows: error, coverage, speed and memory.

    python -m benchmarks.ppg [--tools vitalkeep,NeuroKit2,HeartPy]

BIDMC (at rest, against the beats of its ECG) and IEEE SPC 2015 (in motion, against its own truth) from VITALKEEP_DATA,
or ../shared/data. Windows of 8 s every 2 s. The others find peaks in the first PPG of the whole record, and a window's
rate is 60 / mean of the intervals in it; ours reads both PPG and the accelerometer where there are some. Our net
learned from these very people: what it does on others is printed by `models.training.ppg_rate`.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tarfile
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.child import ROOT, run_measured
from benchmarks.table import table
from device_pipeline.evaluation.heart_rate import LENGTH_S, STEP_S, RateScore, gross, ppg_rates, score_rates
from device_pipeline.evaluation.rate_records import RateRecord, rate_records_in, read_rate_record
from device_pipeline.windows import HeartRate
from sensors.samples import Samples

Floats = NDArray[np.float64]
Tool = Callable[[RateRecord], list[float | None]]

SETS = {"BIDMC, at rest": "bidmc", "IEEE SPC 2015, in motion": "ieee_spc_2015"}
MIN_INTERVALS = 2


def ours(record: RateRecord) -> list[float | None]:
    told = ppg_rates(record.items, record.ppg, record.second_ppg, record.acc)
    return [rate.bpm for rate in told]


def neurokit2(record: RateRecord) -> list[float | None]:
    import neurokit2 as nk

    wave, fs_hz = first_wave(record)
    clean = nk.ppg_clean(wave, sampling_rate=fs_hz)
    return peak_rates(np.asarray(nk.ppg_findpeaks(clean, sampling_rate=fs_hz)["PPG_Peaks"]) / fs_hz, record)


def heartpy(record: RateRecord) -> list[float | None]:
    import heartpy as hp

    wave, fs_hz = first_wave(record)
    clean = hp.filter_signal(wave, cutoff=[0.7, 3.5], sample_rate=fs_hz, order=3, filtertype="bandpass")
    try:
        found, _ = hp.process(clean, fs_hz)
    except hp.exceptions.BadSignalWarning:
        return [None] * len(record.truth_bpm)
    peaks = np.asarray(found["peaklist"])[np.asarray(found["binary_peaklist"]) == 1]
    return peak_rates(peaks / fs_hz, record)


TOOLS: dict[str, Tool] = {"vitalkeep": ours, "NeuroKit2": neurokit2, "HeartPy": heartpy}


def first_wave(record: RateRecord) -> tuple[Floats, float]:
    blocks = [i for i in record.items if isinstance(i, Samples) and i.channel == record.ppg]
    return np.concatenate([block.values for block in blocks]), blocks[0].fs_hz


def peak_rates(peaks_s: Floats, record: RateRecord) -> list[float | None]:
    rates: list[float | None] = []
    for k in range(len(record.truth_bpm)):
        inside = peaks_s[(peaks_s >= STEP_S * k) & (peaks_s < STEP_S * k + LENGTH_S)]
        enough = len(inside) > MIN_INTERVALS
        rates.append(60 * (len(inside) - 1) / float(inside[-1] - inside[0]) if enough else None)
    return rates


def run(tool: str, folder: Path) -> None:
    """Prints the figures of one tool over the records of a folder; a first call loads what it needs."""
    from device_pipeline.beat import BeatSource

    warnings.simplefilter("ignore")  # the peers' own
    scores, took_s, signal_s = [], 0.0, 0.0
    for n, path in enumerate(rate_records_in(folder)):
        record = read_rate_record(path)
        if n == 0:
            TOOLS[tool](record)
        began_s = time.perf_counter()
        rates = TOOLS[tool](record)
        took_s += time.perf_counter() - began_s
        signal_s += max(item.end_ns for item in record.items) / 1e9
        told = [
            HeartRate(k * STEP_S * 10**9, LENGTH_S * 10**9, bpm, None, None, BeatSource.PPG)
            for k, bpm in enumerate(rates)
        ]
        scores.append(score_rates(told, record.truth_bpm))
    total = gross(scores)
    print(json.dumps({"figures": [getattr(total, name) for name in RateScore.__slots__], "speed": signal_s / took_s}))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tools", default=",".join(TOOLS), help="names, with commas between")
    parser.add_argument("--run", nargs=2, metavar=("TOOL", "FOLDER"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.run:
        run(asked.run[0], Path(asked.run[1]))
        return 0
    data = Path(os.environ.get("VITALKEEP_DATA", ROOT.parent / "shared" / "data"))
    rows = []
    with tempfile.TemporaryDirectory() as here:
        for what, name in SETS.items():
            folder = data / name
            if not folder.is_dir():
                print(f"{what}: not here (VITALKEEP_DATA)")
                continue
            if name == "bidmc":
                with tarfile.open(folder / "bidmc_csv.tar.xz") as archive:
                    archive.extractall(here, filter="data")
                folder = Path(here, "bidmc_csv")
            for tool in asked.tools.split(","):
                measured = run_measured([sys.executable, "-m", "benchmarks.ppg", "--run", tool, folder])
                found = json.loads(measured.stdout.splitlines()[-1])
                score = RateScore(*found["figures"])
                rows.append(
                    [f"{what}: {tool}", *figures(score), f"{found['speed']:,.0f}", f"{measured.max_rss_mb:.0f}"]
                )
    print(table(["windows of 8 s", "windows", "told %", "MAE bpm", "off by 5 %", "× real time", "peak MB"], rows))
    return 0


def figures(score: RateScore) -> list[str]:
    def shown(value: float | None, times: float, digits: int) -> str:
        return "–" if value is None else f"{times * value:.{digits}f}"

    return [
        f"{score.windows:,}",
        shown(score.coverage, 100, 1),
        shown(score.mae_bpm, 1, 2),
        shown(score.far_share, 100, 1),
    ]


if __name__ == "__main__":
    sys.exit(main())
