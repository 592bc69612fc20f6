"""The analysis of a day: 24 hours of one ECG lead at 250 Hz, on one core, beside NeuroKit2 on half an hour of it.

    python -m benchmarks.analyze_day [--hours 24] [--alone]

The day is made of the first leads of the MIT-BIH records (VITALKEEP_DATA, or ../shared/data) one after the other,
resampled, again and again until it is full; where they are missing, of the project's own model. Our time is that of the
whole process, with start and reading; the peer's is that of its work alone. "× real time" counts the processor's time:
the clock's depends on what else the machine does.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.child import run_measured
from benchmarks.qrs import mitdb
from benchmarks.table import table
from fixtures import long

FS_HZ = 250
UNITS_PER_MV = 200
PIECE_S = 1800


def leads(folder: Path) -> Iterator[NDArray[np.float64]]:
    """The first lead of each record that has no pacemaker, in mV at `FS_HZ`, for ever."""
    import wfdb
    from scipy.signal import resample_poly

    names = sorted(path.stem for path in folder.glob("*.atr") if path.stem not in {"102", "104", "107", "217"})
    while True:
        for name in names:
            record = wfdb.rdrecord(str(folder / name), channels=[0])
            yield resample_poly(np.nan_to_num(record.p_signal[:, 0]), FS_HZ, int(record.fs))


def write_record(path: Path, pieces: Iterator[NDArray[np.float64]], hours: float) -> Path:
    """A WFDB record of format 16 at `path` (no suffix), as long as asked; returns its header."""
    wanted = round(hours * 3600 * FS_HZ)
    written = 0
    with path.with_suffix(".dat").open("wb") as file:
        while written < wanted:
            values = next(pieces)[: wanted - written]
            file.write(np.clip(np.round(values * UNITS_PER_MV), -32767, 32767).astype("<i2").tobytes())
            written += len(values)
    header = path.with_suffix(".hea")
    header.write_text(f"{path.name} 1 {FS_HZ} {wanted}\n{path.name}.dat 16 {UNITS_PER_MV}/mV 16 0 0 0 0 ECG\n")
    return header


def make_record(folder: Path, name: str, hours: float) -> Path:
    """A record of real leads where they are here, else of the project's own model; returns its header."""
    real = mitdb()
    if real is None:
        return long.write_record(folder / name, hours, FS_HZ)
    return write_record(folder / name, leads(real), hours)


def ours(header: Path, hours: float) -> list[str]:
    vitalkeep = Path(sys.executable).with_name("vitalkeep")
    measured = run_measured([vitalkeep, "analyze", "--json", header])
    if '"beats"' not in measured.stdout:
        raise RuntimeError(f"vitalkeep found no beats: {measured.stdout[:200]}")
    return _row(f"vitalkeep analyze, {hours:g} h", hours * 3600, measured.wall_s, measured.cpu_s, measured.max_rss_mb)


def neurokit(header: Path, folder: Path) -> list[str]:
    values = np.fromfile(header.with_suffix(".dat"), dtype="<i2", count=PIECE_S * FS_HZ) / UNITS_PER_MV
    np.save(folder / "piece.npy", values)
    measured = run_measured([sys.executable, "-m", "benchmarks.neurokit_record", folder / "piece.npy", str(FS_HZ)])
    wall_s, cpu_s = (float(figure) for figure in measured.stdout.split()[-2:])
    return _row("NeuroKit2 ecg_process + hrv, 0.5 h", len(values) / FS_HZ, wall_s, cpu_s, measured.max_rss_mb)


def _row(what: str, signal_s: float, wall_s: float, cpu_s: float, max_rss_mb: float) -> list[str]:
    return [what, f"{wall_s:.1f}", f"{cpu_s:.1f}", f"{signal_s / cpu_s:,.0f}", f"{max_rss_mb:.0f}"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--alone", action="store_true", help="leave the peer out")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as here:
        folder = Path(here)
        day = make_record(folder, "day", asked.hours)
        half_hour = make_record(folder, "half_hour", PIECE_S / 3600)
        rows = [ours(day, asked.hours), ours(half_hour, PIECE_S / 3600)]
        if not asked.alone:
            rows.append(neurokit(half_hour, folder))
    what = "MIT-BIH leads" if mitdb() else "no MIT-BIH records here (VITALKEEP_DATA), so of the project's own model"
    print(f"One ECG lead at 250 Hz, {what}; one core, one thread\n")
    print(table(["analysis", "clock s", "processor s", "× real time", "peak MB"], rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
