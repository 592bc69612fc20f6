"""Real leads made worse in every way that leads get worse: floors under what was reached, and the index knows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import resample_poly

from device_pipeline.beat import Beat, Quality
from device_pipeline.beats.ecg import EcgBeats
from device_pipeline.evaluation.ec57 import BeatScore, gross, score_beats
from tests.data import shared_data
from tests.device_pipeline.ecg_signal import Floats, block

Counts = NDArray[np.int64]

_BEAT_CODES = set("NLRBAaJSVrFejnE/fQ?")
_RECORDS = ("104", "119", "208")
_FS_HZ = 360
_MINUTES = 10


def _lead(folder: str, record: str, seconds: int) -> tuple[Floats, Counts]:
    """The lead (MLII or else the first) in mV, and the samples of its beats."""
    wfdb = pytest.importorskip("wfdb")
    path = str(shared_data(folder, f"{record}.hea").with_suffix(""))
    names = wfdb.rdheader(path).sig_name
    lead = names.index("MLII") if "MLII" in names else 0
    x = np.asarray(wfdb.rdrecord(path, channels=[lead], sampto=seconds * _FS_HZ).p_signal[:, 0], dtype=np.float64)
    if folder == "nstdb":
        return x, np.empty(0, dtype=np.int64)
    told = wfdb.rdann(path, "atr", sampto=seconds * _FS_HZ)
    return x, np.asarray(told.sample[[symbol in _BEAT_CODES for symbol in told.symbol]], dtype=np.int64)


def _read(x: Floats, fs_hz: float) -> tuple[Counts, list[Quality]]:
    stage = EcgBeats(fs_hz, "ecg")
    out = stage.push(block(x, fs_hz)) + stage.flush()
    found = np.array([item.t_ns for item in out if isinstance(item, Beat)]) * (_FS_HZ / 1e9)
    return np.round(found).astype(np.int64), [item for item in out if isinstance(item, Quality)]


def _f1(scores: list[BeatScore]) -> float:
    return gross(scores).f1 or 0.0


def _height(x: Floats, beats: Counts) -> float:
    return float(np.median([np.ptp(x[max(0, at - 18) : at + 19]) for at in beats.tolist()]))


_WAYS: dict[str, tuple[Callable[[Floats, float], Floats], int, float]] = {
    "upside down": (lambda x, _: -x, 360, 0.99),
    "a fifth as high": (lambda x, _: 0.2 * x, 360, 0.99),
    "50 Hz": (lambda x, high: x + 0.2 * high * np.sin(2 * np.pi * 50 / 360 * np.arange(len(x))), 360, 0.99),
    "60 Hz": (lambda x, high: x + 0.2 * high * np.sin(2 * np.pi * 60 / 360 * np.arange(len(x))), 360, 0.99),
    "wander": (lambda x, high: x + 2 * high * np.sin(2 * np.pi * 0.3 / 360 * np.arange(len(x))), 360, 0.99),
    "8 bit": (lambda x, _: np.round(x * 25.6) / 25.6, 360, 0.99),
    "24 bit": (lambda x, _: x + 1e-6 * np.random.default_rng(1).standard_normal(len(x)), 360, 0.99),
    "clipped": (lambda x, high: np.clip(x, np.median(x) - 0.4 * high, np.median(x) + 0.4 * high), 360, 0.97),
    "100 Hz": (lambda x, _: resample_poly(x, 100, 360), 100, 0.99),
    "250 Hz": (lambda x, _: resample_poly(x, 250, 360), 250, 0.99),
    "1000 Hz": (lambda x, _: resample_poly(x, 1000, 360), 1000, 0.99),
}


@pytest.mark.filterwarnings("ignore:The inplace keyword")  # inside wfdb, with a new pandas
@pytest.mark.parametrize("way", _WAYS)
def test_beats_are_found_in_leads_made_worse(way: str) -> None:
    change, fs_hz, floor = _WAYS[way]
    scores = []
    for record in _RECORDS:
        x, beats = _lead("mitdb", record, 60 * _MINUTES)
        found, _ = _read(change(x, _height(x, beats)), float(fs_hz))
        scores.append(score_beats(beats, found, _FS_HZ, learning_s=10.0, end_sample=len(x)))
    assert _f1(scores) >= floor


@pytest.mark.filterwarnings("ignore:The inplace keyword")
@pytest.mark.parametrize(("snr_db", "floor", "most_good"), [(6.0, 0.94, 0.9), (0.0, 0.80, 0.5)])
def test_under_electrode_motion_most_beats_are_found_and_what_is_called_good_is(
    snr_db: float, floor: float, most_good: float
) -> None:
    """The ratio as WFDB's nst counts it; beats within 50 ms, and of the good stretches alone within 150 ms."""
    noise, _ = _lead("nstdb", "em", 1800)
    power = float(np.mean(np.var(noise[: 1800 * _FS_HZ].reshape(1800, _FS_HZ), axis=1)))
    scores, trusted, good = [], [], []
    for record in ("101", "119", "208", "230"):
        x, beats = _lead("mitdb", record, 60 * _MINUTES)
        gain = _height(x, beats) / np.sqrt(8 * power) * 10 ** (-snr_db / 20)
        found, quality = _read(x + gain * noise[-len(x) :], float(_FS_HZ))
        scores.append(score_beats(beats, found, _FS_HZ, window_s=0.05, learning_s=10.0, end_sample=len(x)))
        poor = [(round(q.start_ns * 360e-9), round(q.end_ns * 360e-9)) for q in quality if not q.good]
        kept = [
            np.array([at for at in of.tolist() if not any(a <= at < b for a, b in poor)], dtype=np.int64)
            for of in (beats, found)
        ]
        # a beat at the edge of a stretch may have its partner beyond
        trusted.append(score_beats(kept[0], kept[1], _FS_HZ, learning_s=10.0, end_sample=len(x)))
        good += [q.good for q in quality]
    assert _f1(scores) >= floor
    assert _f1(trusted) >= 0.985
    assert 0.05 < np.mean(good) < most_good
