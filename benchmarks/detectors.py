"""The beat detectors that are compared, each behind one shape: a signal in mV and its rate to sample numbers of beats.

Run as a module it is the process that is measured: it takes signals from .npy files, prints one JSON line for each.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Detector = Callable[[NDArray[np.float64], float], NDArray[np.int64]]


def vitalkeep(ecg_mv: NDArray[np.float64], fs_hz: float) -> NDArray[np.int64]:
    """Streaming, in blocks of a minute: it never looks further ahead than its stated delay."""
    from device_pipeline.beat import Beat
    from device_pipeline.beats.ecg import EcgBeats
    from sensors.samples import Kind, Samples

    stage = EcgBeats(fs_hz, "ecg")
    step = round(60 * fs_hz)
    out = []
    for start in range(0, len(ecg_mv), step):
        out += stage.push(Samples(Kind.ECG, "ecg", fs_hz, 0, 1e9 / fs_hz, start, ecg_mv[start : start + step]))
    out += stage.flush()
    return np.array([round(item.t_ns * fs_hz / 1e9) for item in out if isinstance(item, Beat)], dtype=np.int64)


def vitalkeep_qrs(ecg_mv: NDArray[np.float64], fs_hz: float) -> NDArray[np.int64]:
    """The same beats without times, intervals and quality, as the peers find them: in blocks of ten minutes."""
    from device_pipeline.signal.qrs import Qrs

    stage = Qrs(fs_hz)
    step = round(600 * fs_hz)
    found = []
    for start in range(0, len(ecg_mv), step):
        found.append(stage.push(ecg_mv[start : start + step]).at)
        stage.forget(stage.final)
    found.append(stage.flush().at)
    return np.round(np.concatenate(found)).astype(np.int64)


def neurokit(ecg_mv: NDArray[np.float64], fs_hz: float) -> NDArray[np.int64]:
    import neurokit2

    cleaned = neurokit2.ecg_clean(ecg_mv, sampling_rate=fs_hz, method="neurokit")
    _, found = neurokit2.ecg_peaks(cleaned, sampling_rate=fs_hz, method="neurokit")
    return np.asarray(found["ECG_R_Peaks"], dtype=np.int64)


def neurokit_pantompkins(ecg_mv: NDArray[np.float64], fs_hz: float) -> NDArray[np.int64]:
    import neurokit2

    cleaned = neurokit2.ecg_clean(ecg_mv, sampling_rate=fs_hz, method="pantompkins1985")
    _, found = neurokit2.ecg_peaks(cleaned, sampling_rate=fs_hz, method="pantompkins1985")
    return np.asarray(found["ECG_R_Peaks"], dtype=np.int64)


def wfdb_xqrs(ecg_mv: NDArray[np.float64], fs_hz: float) -> NDArray[np.int64]:
    from wfdb.processing import xqrs_detect

    return np.asarray(xqrs_detect(ecg_mv, fs=fs_hz, verbose=False), dtype=np.int64)


def wfdb_gqrs(ecg_mv: NDArray[np.float64], fs_hz: float) -> NDArray[np.int64]:
    """At 200 ADC units per mV and around zero, as MIT-BIH records are: its thresholds are in ADC units."""
    from wfdb.processing import gqrs_detect

    return np.asarray(gqrs_detect(d_sig=np.round(ecg_mv * 200), fs=fs_hz, adc_gain=200, adc_zero=0), dtype=np.int64)


def heartpy(ecg_mv: NDArray[np.float64], fs_hz: float) -> NDArray[np.int64]:
    """As its documentation has it for ECG: wander taken away, peaks enhanced, then `process`; beats it rejects too."""
    import heartpy as hp

    steady = hp.remove_baseline_wander(ecg_mv, fs_hz)
    found, _ = hp.process(hp.enhance_ecg_peaks(hp.scale_data(steady), fs_hz, aggregation="median", iterations=5), fs_hz)
    return np.asarray(found["peaklist"], dtype=np.int64)


DETECTORS: tuple[tuple[str, Detector], ...] = (
    ("vitalkeep", vitalkeep),
    ("vitalkeep, QRS alone", vitalkeep_qrs),
    ("NeuroKit2", neurokit),
    ("NeuroKit2 pantompkins", neurokit_pantompkins),
    ("wfdb xqrs", wfdb_xqrs),
    ("wfdb gqrs", wfdb_gqrs),
    ("HeartPy", heartpy),
)


def main(name: str, fs_hz: float, paths: list[str]) -> None:
    warnings.simplefilter("ignore")  # the peers' own
    detect = dict(DETECTORS)[name]
    # What is loaded or compiled at the first call is no part of the speed.
    detect(np.load(paths[0])[: round(20 * fs_hz)], fs_hz)
    for path in paths:
        ecg_mv = np.load(path)
        began = time.perf_counter()
        beats = detect(ecg_mv, fs_hz)
        took_s = time.perf_counter() - began
        print(json.dumps({"record": Path(path).stem, "took_s": took_s, "beats": beats.tolist()}))


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), sys.argv[3:])
