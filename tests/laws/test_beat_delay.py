"""The law of delay: a beat is told within 1.5 s of its R peak, whatever the heart does, once the levels are learnt."""

from __future__ import annotations

import numpy as np
import pytest

from device_pipeline.beat import Beat
from device_pipeline.beats.ecg import EcgBeats
from sensors.samples import Samples
from tests.data import shared_data
from tests.device_pipeline.ecg_signal import NORMAL, TALL_T, WIDE, Floats, beat_times, block, ecg

DELAY_S = 1.5
LEARN_S = 2.5


def _delays_s(whole: Samples, step: int) -> Floats:
    """From each beat to the end of the samples that made it known; those of the learning time are left out."""
    stage = EcgBeats(whole.fs_hz, "ecg")
    late = []
    for at in range(0, len(whole), step):
        piece = whole.cut(at, min(at + step, len(whole)))
        late += [(piece.end_ns - out.t_ns) / 1e9 for out in stage.push(piece) if isinstance(out, Beat)]
    return np.array(late)[np.arange(len(late)) > LEARN_S * 4]


@pytest.mark.parametrize("fs_hz", [100.0, 130.0, 257.0, 1000.0])
@pytest.mark.parametrize("shape", [NORMAL, TALL_T, WIDE], ids=["normal", "tall T", "wide"])
def test_at_any_rate_and_shape(fs_hz: float, shape: tuple[tuple[float, float, float], ...]) -> None:
    times = beat_times((0.8 + 0.1 * np.random.default_rng(1).standard_normal(30)).tolist())
    late = _delays_s(block(ecg(times, fs_hz, shape=shape), fs_hz), 1 + int(fs_hz / 100))
    assert len(late) > 10
    assert late.max() < DELAY_S


@pytest.mark.parametrize("rr_s", [0.3, 2.0, 4.5])
@pytest.mark.parametrize("noise_mv", [0.0, 0.05], ids=["nothing between", "noise between"])
def test_at_any_pace_and_where_nothing_moves_between_beats(rr_s: float, noise_mv: float) -> None:
    shape = NORMAL[1:4] if rr_s < 0.5 else NORMAL
    times = beat_times([rr_s] * 25)
    x = np.round(ecg(times, 200.0, shape=shape, noise_mv=noise_mv) / 0.01) * 0.01
    late = _delays_s(block(x, 200.0), 4)
    assert len(late) > 10
    assert late.max() < DELAY_S


def test_before_a_pause_and_after_it() -> None:
    times = np.concatenate([beat_times([0.8] * 15), beat_times([0.8] * 10, first_s=20.0)])
    assert _delays_s(block(ecg(times, 250.0), 250.0), 5).max() < DELAY_S


@pytest.mark.parametrize("record", ["203", "207"])
def test_in_a_real_record(record: str) -> None:
    wfdb = pytest.importorskip("wfdb")
    path = shared_data("mitdb", f"{record}.hea").with_suffix("")
    x = np.asarray(wfdb.rdrecord(str(path), channels=[0]).p_signal[:, 0], dtype=np.float64)[: 240 * 360]
    late = _delays_s(block(x, 360.0), 18)
    assert len(late) > 100
    assert late.max() < DELAY_S
