"""How beats are found in people whom the nets never saw: clean, under noise, and made worse in many ways.

    python -m benchmarks.train_qrs --folds folds.npz
    python -m benchmarks.qrs_left_out --folds folds.npz [--records 101,106]

Every record is read with the nets of the fold that left it out; without --folds with those that ship, which have seen
these people. Noise is that of MIT-BIH, added as WFDB's nst does. First 5 minutes left out, ANSI/AAMI EC57, gross.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from benchmarks.qrs import data
from benchmarks.qrs_examples import FS_HZ, Record, noise_gain, qrs_height
from benchmarks.table import table
from benchmarks.train_qrs import load
from device_pipeline.beat import Beat, Quality
from device_pipeline.beats.ecg import EcgBeats
from device_pipeline.evaluation.ec57 import BeatScore, gross, score_beats
from models.qrs import QrsNets, qrs_nets
from sensors.samples import Kind, Samples

Floats = NDArray[np.float64]
Made = tuple[Floats, float]

WINDOWS_S = (0.150, 0.050)


def nets_of(folds: Path | None) -> Callable[[str], QrsNets]:
    """Which nets read a record."""
    if folds is None:
        return lambda _: qrs_nets()
    with np.load(folds) as file:
        held = dict(file)
    nets = [
        QrsNets({name[2:]: value for name, value in held.items() if name.startswith(f"{k}_")})
        for k in range(1 + max(int(name[0]) for name in held if name[0].isdigit()))
    ]
    return lambda record: nets[int(held[f"fold_{record}"])]


def beats_and_quality(ecg_mv: Floats, fs_hz: float, nets: QrsNets) -> tuple[Floats, list[Quality]]:
    """Times of the beats in s, and what is said of the signal."""
    stage = EcgBeats(fs_hz, "ecg", nets)
    step = round(60 * fs_hz)
    out = []
    for at in range(0, len(ecg_mv), step):
        out += stage.push(Samples(Kind.ECG, "ecg", fs_hz, 0, 1e9 / fs_hz, at, ecg_mv[at : at + step]))
    out += stage.flush()
    beats_s = np.array([item.t_ns / 1e9 for item in out if isinstance(item, Beat)])
    return beats_s, [item for item in out if isinstance(item, Quality)]


def ways(noises: dict[str, Floats]) -> dict[str, Callable[[Record], Made]]:
    """What is done to a lead before it is read."""

    def noisy(kind: str, snr_db: float) -> Callable[[Record], Made]:
        def make(record: Record) -> Made:
            ecg_mv, noise = record.leads[record.main], noises[kind][0]
            gain = noise_gain(ecg_mv, record.beats, noise, snr_db)
            return ecg_mv + gain * np.resize(noise, len(ecg_mv)), FS_HZ

        return make

    def rate(fs_hz: int) -> Callable[[Record], Made]:
        return lambda record: (resample_poly(record.leads[record.main], fs_hz, FS_HZ), float(fs_hz))

    def done(change: Callable[[Floats, float], Floats]) -> Callable[[Record], Made]:
        return lambda record: (
            change(record.leads[record.main], qrs_height(record.leads[record.main], record.beats)),
            float(FS_HZ),
        )

    def hum(hz: float) -> Callable[[Floats, float], Floats]:
        return lambda x, high: x + 0.2 * high * np.sin(2 * np.pi * hz * np.arange(len(x)) / FS_HZ)

    return {
        "as it is": done(lambda x, _: x),
        "electrode motion, 6 dB": noisy("em", 6.0),
        "electrode motion, 0 dB": noisy("em", 0.0),
        "muscle, 6 dB": noisy("ma", 6.0),
        "wander, 0 dB": noisy("bw", 0.0),
        "upside down": done(lambda x, _: -x),
        "a fifth as high": done(lambda x, _: 0.2 * x),
        "50 Hz hum, a fifth of the QRS": done(hum(50.0)),
        "60 Hz hum, a fifth of the QRS": done(hum(60.0)),
        "8 bit over 10 mV": done(lambda x, _: np.round(x * 25.6) / 25.6),
        "clipped at 0.3 of the QRS": done(
            lambda x, high: np.clip(x, np.median(x) - 0.3 * high, np.median(x) + 0.3 * high)
        ),
        **{f"{fs_hz} Hz": rate(fs_hz) for fs_hz in (100, 125, 130, 250, 500, 1000)},
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folds", type=Path)
    parser.add_argument("--records", help="names, with commas between; all that are there when left out")
    parser.add_argument("--ways", type=int, help="only so many of the ways, from the first on")
    asked = parser.parse_args()
    folder = data()
    if folder is None:
        print("the MIT-BIH records and noises are needed (VITALKEEP_DATA)", file=sys.stderr)
        return 1
    records, noises = load(folder)
    if asked.records:
        records = [record for record in records if record.name in asked.records.split(",")]
    nets = nets_of(asked.folds)
    rows = []
    for name, make in list(ways(noises).items())[: asked.ways]:
        scores: dict[float, list[BeatScore]] = {window_s: [] for window_s in WINDOWS_S}
        good = []
        for record in records:
            ecg_mv, fs_hz = make(record)
            beats_s, quality = beats_and_quality(ecg_mv, fs_hz, nets(record.name))
            good += [stretch.good for stretch in quality if stretch.start_ns >= 300e9]
            for window_s in WINDOWS_S:
                scores[window_s].append(
                    score_beats(
                        record.beats,
                        np.round(beats_s * FS_HZ).astype(np.int64),
                        FS_HZ,
                        window_s=window_s,
                        end_sample=record.leads.shape[1],
                        excluded=record.flutter,
                    )
                )
        total, near = gross(scores[WINDOWS_S[0]]), gross(scores[WINDOWS_S[1]])
        worst = min(100 * (one.f1 or 0.0) for one in scores[WINDOWS_S[0]])
        figures = [100 * (value or 0.0) for value in (total.sensitivity, total.positive_predictivity, total.f1)]
        rows.append([name, *(f"{v:.2f}" for v in (*figures, worst, 100 * (near.f1 or 0.0), 100 * np.mean(good)))])
        print(rows[-1], file=sys.stderr, flush=True)
    print(table(["MIT-BIH leads", "Se %", "P+ %", "F1 %", "worst record", "F1 % at 50 ms", "good %"], rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
