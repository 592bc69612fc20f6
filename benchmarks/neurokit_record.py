"""The peer's whole analysis of one record, as its documentation shows it: ecg_process, then hrv on its peaks.

Prints the seconds that these two took, by the clock and of the processor, after a first call on a short piece: loading
the library does not count.
"""

from __future__ import annotations

import sys
import time
import warnings

import numpy as np
from numpy.typing import NDArray


def whole(ecg_mv: NDArray[np.float64], fs_hz: int) -> None:
    import neurokit2

    _, found = neurokit2.ecg_process(ecg_mv, sampling_rate=fs_hz)
    neurokit2.hrv(found["ECG_R_Peaks"], sampling_rate=fs_hz)


def main(path: str, fs_hz: int) -> None:
    warnings.simplefilter("ignore")  # the peer's own
    ecg_mv = np.load(path)
    whole(ecg_mv[: 120 * fs_hz], fs_hz)
    began_s, began_cpu_s = time.perf_counter(), time.process_time()
    whole(ecg_mv, fs_hz)
    print(time.perf_counter() - began_s, time.process_time() - began_cpu_s)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
