"""Where vitalkeep finds beats: python -m benchmarks.beats_found FOLDER NAME ...

Of each WFDB record FOLDER/NAME the first signal, in mV, is read; FOLDER/NAME.found.npy holds the samples of its R
peaks, fractions and all, as the product would be told of them.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from device_pipeline.beat import Beat
from device_pipeline.beats.ecg import EcgBeats
from sensors.samples import Kind, Samples

_BLOCK_S = 20


def found(ecg_mv: NDArray[np.float64], fs_hz: float) -> NDArray[np.float64]:
    """Samples of the R peaks of one lead, shape (beats,)."""
    stage, step, beats = EcgBeats(fs_hz, "ecg"), round(_BLOCK_S * fs_hz), []
    for start in range(0, len(ecg_mv), step):
        block = Samples(Kind.ECG, "ecg", fs_hz, 0, 1e9 / fs_hz, start, ecg_mv[start : start + step])
        beats += [out for out in stage.push(block) if isinstance(out, Beat)]
    beats += [out for out in stage.flush() if isinstance(out, Beat)]
    return np.array([beat.t_ns * fs_hz / 1e9 for beat in beats])


def main() -> None:
    import wfdb

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="+", metavar="NAME")
    wanted = parser.parse_args()
    for name in wanted.names:
        record = wfdb.rdrecord(str(wanted.folder / name), channels=[0])
        ecg_mv = np.nan_to_num(record.p_signal[:, 0].astype(np.float64))
        np.save(wanted.folder / f"{name}.found.npy", found(ecg_mv, float(record.fs)))


if __name__ == "__main__":
    main()
