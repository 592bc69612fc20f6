"""Records with a PPG and a truth beside it: heart rates of the windows [2k, 2k + 8) s.

`python -m benchmarks.ppg_records OUT.npz [--data FOLDER]` writes what `models.training.ppg_rate` learns from. The
truth of IEEE SPC 2015 is its own; of BIDMC, the beats that our detector finds in its ECG, where the leads II and V say
the same; of Welltory, the strap's intervals, laid over the pulses.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat

from benchmarks.bidmc import FS_HZ, records
from benchmarks.child import ROOT
from device_pipeline.beat import Beat, BeatSource
from device_pipeline.beats.ecg import EcgBeats
from device_pipeline.beats.ppg import PpgBeats
from device_pipeline.pulse_rate import ARRIVAL_NS, beats_bpm, unrest
from device_pipeline.signal.even_grid import GRID_HZ, EvenGrid
from device_pipeline.track import Track
from sensors.samples import Kind, Samples

Floats = NDArray[np.float64]

SECOND_NS = 1_000_000_000
LENGTH_S, STEP_S = 8, 2
LEAD = 200  # points before the start of a record
LEADS_AGREE_BPM = 2.0
SPEEDS = (0.5, 0.58, 0.66, 0.75, 0.83, 0.92, 1.08, 1.17, 1.28, 1.4, 1.55, 0.7, 0.85, 1.0, 1.2)
REST_SPEEDS = (0.55, 0.62, 0.7, 0.78, 0.87, 1.0, 1.12, 1.25, 1.4, 1.55, 1.7)


@dataclass(frozen=True, slots=True)
class PpgRecord:
    """`ppg` (channels, n), `acc_g` (3, n), both at `fs_hz`; `truth_bpm` (windows,), NaN where it is not known."""

    name: str
    person: str
    kind: str
    fs_hz: float
    ppg: Floats
    acc_g: Floats | None
    truth_bpm: Floats


def block(kind: Kind, values: Floats, fs_hz: float) -> Samples:
    return Samples(kind, str(kind), fs_hz, 0, SECOND_NS / fs_hz, 0, np.ascontiguousarray(values, dtype=np.float64))


def ieee(folder: Path) -> Iterator[PpgRecord]:
    """IEEE Signal Processing Cup 2015, in motion."""
    for path in sorted(folder.glob("DATA_*.mat")):
        if path.stem.endswith("BPMtrace"):
            continue
        traces = (folder / f"{path.stem}_BPMtrace.mat", folder / f"BPM_{path.stem.removeprefix('DATA_')}.mat")
        truth = next((loadmat(t)["BPM0"].ravel() for t in traces if t.is_file()), None)
        if truth is not None:
            rows = loadmat(path)["sig"].astype(np.float64)[-5:]
            yield PpgRecord(path.stem, f"ieee {path.stem[5:8]}", "motion", 125.0, rows[:2], rows[2:], truth)


def bidmc(archive: Path) -> Iterator[PpgRecord]:
    """BIDMC, at rest."""
    for record in records(archive):
        windows = int((len(record.ppg) / FS_HZ - LENGTH_S) // STEP_S) + 1
        leads = [ecg_rates(record.leads[c], FS_HZ, windows) for c in ("II", "V") if c in record.leads]
        off = np.abs(leads[0] - leads[-1]) >= LEADS_AGREE_BPM  # NaN is not
        truth = np.where(off, np.nan, leads[0])
        yield PpgRecord(f"bidmc_{record.name}", f"bidmc {record.person}", "rest", FS_HZ, record.ppg[None], None, truth)


def welltory(folder: Path) -> Iterator[PpgRecord]:
    """Fingers on a phone's camera, at rest; the first colour that has a pulse."""
    for path in sorted(folder.glob("subject_*")):
        values = np.genfromtxt(path / "PPG.csv", delimiter=",", skip_header=1)
        t_s, colours, fs_hz = values[:, 0] / 1e3, values[:, 1:4], 30.0
        colour = 0 if colours[:, 0].std() > 0.2 else 1
        wave = -np.interp(np.arange(0, t_s[-1], 1 / fs_hz), t_s, colours[:, colour])
        rr_s = np.array([float(v) for v in (path / "RR.txt").read_text().split()]) / 1e3
        if rr_s[-1] > 3:  # the duration of it all
            rr_s = rr_s[:-1]
        windows = int((len(wave) / fs_hz - LENGTH_S) // STEP_S) + 1
        pulses = ppg_windows(wave, None, fs_hz, windows)[:, 2]
        tries = [interval_rates(np.cumsum(rr_s) + late_s, rr_s, windows) for late_s in np.arange(-1, 4.1, 0.1)]
        truth = min(tries, key=lambda rates: float(np.nanmedian(np.abs(rates - pulses))))
        yield PpgRecord(
            f"welltory_{path.name[-2:]}", f"welltory {path.name[-2:]}", "phone", fs_hz, wave[None], None, truth
        )


def ecg_rates(ecg: Floats, fs_hz: float, windows: int) -> Floats:
    stage = EcgBeats(fs_hz, "ecg")
    found = [b for b in [*stage.push(block(Kind.ECG, ecg, fs_hz)), *stage.flush()] if isinstance(b, Beat)]
    kept = [(b.t_ns / SECOND_NS, b.rr_s) for b in found if b.rr_s is not None]
    return interval_rates(np.array([t for t, _ in kept]), np.array([rr for _, rr in kept]), windows)


def interval_rates(t_s: Floats, rr_s: Floats, windows: int) -> Floats:
    """60 / mean of the intervals wholly inside, which must be three and fill 5 s; else NaN."""
    out = np.full(windows, np.nan)
    for k in range(windows):
        inside = rr_s[(t_s < STEP_S * k + LENGTH_S) & (t_s - rr_s >= STEP_S * k)]
        if len(inside) >= 3 and inside.sum() >= 5:
            out[k] = 60 * len(inside) / inside.sum()
    return out


def ppg_windows(ppg: Floats, acc_g: Floats | None, fs_hz: float, windows: int) -> Floats:
    """Shape (windows, 4): rate of the beats (NaN: none), share that could be read; ARRIVAL_NS later: rate, unrest."""
    stage = PpgBeats(fs_hz, str(Kind.PPG), with_acc=acc_g is not None)
    track = Track(BeatSource.PPG, 0)
    out = stage.push(block(Kind.PPG, ppg, fs_hz))
    if acc_g is not None:
        out += stage.push(block(Kind.ACC, acc_g.T, fs_hz))
    track.add([*out, *stage.flush()], stage.final_ns)
    track.release(1 << 62)
    rows = []
    for k in range(windows):
        start_ns, end_ns = STEP_S * k * SECOND_NS, (STEP_S * k + LENGTH_S) * SECOND_NS
        window = track.window(start_ns, end_ns)
        later = track.window(start_ns + ARRIVAL_NS, end_ns + ARRIVAL_NS)
        rates = (beats_bpm(window), beats_bpm(later))
        soon, late = (np.nan if rate is None else rate for rate in rates)
        rows.append((soon, window.good_fraction, late, unrest(later)))
    return np.array(rows)


def on_grid(values: Floats, fs_hz: float, speed: float) -> NDArray[np.float32]:
    """(rows, n) played at `speed`, on the grid, from LEAD points before its start on."""
    grid = EvenGrid(0, len(values))
    grid.push(block(Kind.ACC, values.T, fs_hz * speed))
    return grid.window(-LEAD, LEAD + int(values.shape[1] / fs_hz / speed * GRID_HZ))[0].T.astype(np.float32)


def everything(data: Path) -> Iterator[PpgRecord]:
    yield from ieee(data / "ieee_spc_2015")
    yield from bidmc(data / "bidmc" / "bidmc_csv.tar.xz")
    yield from welltory(data / "welltory_ppg")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument(
        "--data", type=Path, default=Path(os.environ.get("VITALKEEP_DATA", ROOT.parent / "shared" / "data"))
    )
    asked = parser.parse_args()
    arrays: dict[str, NDArray[np.generic]] = {}
    who = []
    for i, record in enumerate(everything(asked.data)):
        who.append((record.name, record.person, record.kind))
        windows = len(record.truth_bpm)
        arrays[f"truth_{i}"] = record.truth_bpm
        arrays[f"beats_{i}"] = np.stack([ppg_windows(w, record.acc_g, record.fs_hz, windows) for w in record.ppg])
        speeds = REST_SPEEDS if record.acc_g is None else SPEEDS
        arrays[f"speeds_{i}"] = np.array(speeds)
        for speed in speeds:
            arrays[f"waves_{i}_{speed:g}"] = on_grid(record.ppg, record.fs_hz, speed)
            if record.acc_g is not None:
                arrays[f"acc_{i}_{speed:g}"] = on_grid(record.acc_g, record.fs_hz, speed)
    arrays["who"] = np.array(who)
    np.savez_compressed(asked.out, allow_pickle=False, **arrays)
    print(f"{len(who)} records")


if __name__ == "__main__":
    main()
