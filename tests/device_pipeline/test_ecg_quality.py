"""ECG quality: whole cover, the same grid always, and a verdict that follows the noise."""

from __future__ import annotations

import numpy as np
import pytest

from device_pipeline.beat import Beat, Quality
from device_pipeline.beats.ecg import EcgBeats
from device_pipeline.signal.quality_ecg import GOOD_INDEX
from tests.data import shared_data
from tests.device_pipeline.ecg_signal import Floats, beat_times, block, ecg

FS_HZ = 250.0


def _quality(x: Floats, fs_hz: float = FS_HZ) -> list[Quality]:
    stage = EcgBeats(fs_hz, "ecg")
    out = stage.push(block(x, fs_hz)) + stage.flush()
    return [item for item in out if isinstance(item, Quality)]


def _good(x: Floats, fs_hz: float = FS_HZ) -> float:
    return float(np.mean([item.good for item in _quality(x, fs_hz)]))


def _clean(n: int = 100) -> Floats:
    return ecg(beat_times((0.8 + 0.05 * np.random.default_rng(3).standard_normal(n)).tolist()), FS_HZ)


def test_stretches_of_two_seconds_cover_the_signal() -> None:
    x = _clean()[:20_100]
    stretches = _quality(x)
    assert [q.start_ns for q in stretches] == [k * 2_000_000_000 for k in range(41)]
    assert [q.end_ns for q in stretches] == [*((k + 1) * 2_000_000_000 for k in range(40)), 80_400_000_000]


def test_an_index_lies_in_its_range_and_a_bad_one_has_a_reason() -> None:
    x = _clean() + 0.2 * np.random.default_rng(1).standard_normal(len(_clean()))
    for q in _quality(x):
        assert 0.0 <= q.index <= 1.0
        assert q.good == (q.index >= GOOD_INDEX)
        assert (q.reason is None) == q.good


def test_a_clean_signal_is_good() -> None:
    assert _good(_clean()) == 1.0


def test_noise_without_a_heart_is_not_good() -> None:
    for seed in range(5):
        noise = np.random.default_rng(seed).normal(0.0, 0.1, 15_000)
        assert {(q.good, q.reason) for q in _quality(noise)} <= {(False, "noise"), (False, "no_beats")}


def test_more_noise_is_less_quality() -> None:
    x = _clean()
    noise = np.random.default_rng(2).standard_normal(len(x))
    means = [np.mean([q.index for q in _quality(x + mv * noise)]) for mv in (0.05, 0.2, 0.4, 0.8)]
    assert means == sorted(means, reverse=True)
    assert means[-1] < 0.2


def test_a_rail_is_called_clipped() -> None:
    x = _clean() + 1.2 * np.sin(2 * np.pi * 0.3 * np.arange(len(_clean())) / FS_HZ)
    stretches = _quality(np.minimum(x, 0.3))
    assert np.mean([q.reason == "clipped" for q in stretches]) > 0.3


def test_a_signal_too_small_to_be_an_ecg_is_called_so() -> None:
    x = ecg(beat_times([0.8] * 60), FS_HZ, r_mv=0.015, noise_mv=0.0002)
    assert {q.reason for q in _quality(x)} <= {"low_amplitude", "no_beats", "noise"}


def test_a_jump_of_the_baseline_is_called_so() -> None:
    x = _clean()
    x[5200:] += 8.0
    assert {q.reason for q in _quality(x) if not q.good} == {"baseline"}


def _record(name: str, channel: int = 0) -> Floats:
    wfdb = pytest.importorskip("wfdb")
    folder, _, record = name.partition("/")
    path = shared_data(folder, f"{record}.hea").with_suffix("")
    return np.asarray(wfdb.rdrecord(str(path), channels=[channel]).p_signal[:, 0], dtype=np.float64)


def test_clean_real_records_are_good_and_electrode_motion_is_not() -> None:
    motion = _record("nstdb/em")[:150_000]
    power = float(np.mean([np.var(motion[at : at + 360]) for at in range(0, len(motion) - 360, 360)]))
    clean, noisy = [], []
    for record in ("118", "119", "101", "122"):
        x = _record(f"mitdb/{record}")[:150_000]
        clean.append(_good(x, 360.0))
        # 0 dB as nst (Moody 1984) counts it: the noise within a second has the power of a sine as high as a QRS
        stage = EcgBeats(360.0, "ecg")
        at = [round(b.t_ns * 360e-9) for b in stage.push(block(x, 360.0)) if isinstance(b, Beat)]
        height = float(np.median([np.ptp(x[max(0, k - 18) : k + 18]) for k in at]))
        noisy.append(_good(x + motion * (height / np.sqrt(8.0) / power**0.5), 360.0))
    assert np.mean(clean) >= 0.97
    assert np.mean(noisy) <= 0.35
