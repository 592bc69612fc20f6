"""On real pulse waves: right where it speaks, silent where it cannot know."""

from __future__ import annotations

import csv
import io
import tarfile
from itertools import islice

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.io import loadmat
from scipy.signal import butter, find_peaks, sosfiltfilt

from device_pipeline.beat import Beat
from device_pipeline.beats.ppg import PpgBeats
from sensors.samples import Kind, Samples
from tests.data import shared_data

Floats = NDArray[np.float64]
FS_HZ = 125.0
SECOND_NS = 1_000_000_000
WINDOW_S, STEP_S = 8, 2
# one record a person, all of them with leads on which R peaks stand out
RECORDS = ("01", "05", "07", "12", "18", "20", "34", "36", "44", "50")
SECONDS = 150


def beat_stage(ppg: Floats, acc_g: Floats | None = None) -> list[Beat]:
    """Beats of a recording that comes in blocks of a minute."""
    stage = PpgBeats(FS_HZ, "ppg", with_acc=acc_g is not None)
    n = int(60 * FS_HZ)
    out = []
    wave = Samples(Kind.PPG, "ppg", FS_HZ, 0, SECOND_NS / FS_HZ, 0, ppg)
    for at in range(0, len(ppg), n):
        out += stage.push(wave.cut(at, min(at + n, len(ppg))))
        if acc_g is not None:
            move = Samples(Kind.ACC, "acc", FS_HZ, 0, SECOND_NS / FS_HZ, 0, acc_g)
            out += stage.push(move.cut(at, min(at + n, len(ppg))))
    out += stage.flush()
    return [b for b in out if isinstance(b, Beat)]


def window_hr_bpm(beats: list[Beat], start_s: float) -> float | None:
    """From the intervals that lie in the window, which must fill half of it; None is an abstention."""
    rr = [
        b.rr_s
        for b in beats
        if b.rr_s is not None and b.t_ns * 1e-9 < start_s + WINDOW_S and b.t_ns * 1e-9 - b.rr_s >= start_s
    ]
    return 60 * len(rr) / sum(rr) if len(rr) >= 3 and sum(rr) >= WINDOW_S / 2 else None


def r_peaks_s(ecg: Floats) -> Floats:
    """R peaks of a clean lead, looked at as a whole: enough to say how fast the heart beat."""
    steep = np.abs(np.gradient(sosfiltfilt(butter(2, [8, 25], "bandpass", fs=FS_HZ, output="sos"), ecg)))
    energy = np.sqrt(sosfiltfilt(butter(2, 6, fs=FS_HZ, output="sos"), steep**2).clip(0))
    peaks, _ = find_peaks(energy, height=0.4 * np.percentile(energy, 98), distance=round(0.3 * FS_HZ))
    return np.asarray(peaks / FS_HZ)


def ecg_hr_bpm(leads: list[Floats], start_s: float) -> float | None:
    """None where the leads do not agree, so that a bad lead is no truth."""
    rates = []
    for peaks in leads:
        inside = peaks[(peaks >= start_s) & (peaks < start_s + WINDOW_S)]
        if len(inside) < 3:
            return None
        rates.append(60 * (len(inside) - 1) / (inside[-1] - inside[0]))
    return float(np.mean(rates)) if max(rates) - min(rates) < 2 else None


def bidmc(archive: tarfile.TarFile, record: str) -> tuple[Floats, list[Floats]]:
    member = archive.extractfile(f"bidmc_csv/bidmc_{record}_Signals.csv")
    assert member is not None
    rows = csv.reader(io.TextIOWrapper(member, "ascii"))
    names = [name.strip() for name in next(rows)]
    columns = [names.index(name) for name in ("PLETH", "II", "V")]
    values = np.array([[float(row[c]) for c in columns] for row in islice(rows, int(SECONDS * FS_HZ))])
    return values[:, 0].copy(), [r_peaks_s(values[:, c]) for c in (1, 2)]


def test_at_rest_the_rate_is_that_of_the_ecg() -> None:
    errors, windows = [], 0
    with tarfile.open(shared_data("bidmc", "bidmc_csv.tar.xz")) as archive:
        for record in RECORDS:
            ppg, leads = bidmc(archive, record)
            beats = beat_stage(ppg)
            for start_s in range(0, SECONDS - WINDOW_S + 1, STEP_S):
                truth = ecg_hr_bpm(leads, start_s)
                if truth is None:
                    continue
                windows += 1
                told = window_hr_bpm(beats, start_s)
                if told is not None:
                    errors.append(abs(told - truth))
    assert windows > 400
    assert len(errors) / windows >= 0.9
    assert np.mean(errors) <= 0.6


@pytest.mark.parametrize("channel", [1, 2])
def test_running_it_abstains_rather_than_lies(channel: int) -> None:
    errors, windows = [], 0
    for subject in range(1, 13):
        name = f"DATA_{subject:02}_TYPE0{1 if subject == 1 else 2}"
        signals = loadmat(shared_data("ieee_spc_2015", f"{name}.mat"))["sig"]
        truth = loadmat(shared_data("ieee_spc_2015", f"{name}_BPMtrace.mat"))["BPM0"].ravel()
        beats = beat_stage(signals[channel], signals[3:].T.copy())
        told = [window_hr_bpm(beats, STEP_S * k) for k in range(len(truth))]
        errors += [abs(hr - t) for hr, t in zip(told, truth, strict=True) if hr is not None]
        windows += len(truth)
    assert 0.03 < len(errors) / windows < 0.15, "most of it is running, and some of it is rest"
    assert np.mean(errors) <= 2
    assert np.mean(np.array(errors) > 10) < 0.05
