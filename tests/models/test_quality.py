"""The quality net judges wave, beats and index together; another rate or size of the lead changes little."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.quality import QualityNet
from models.quality_input import FEATURES, MIDDLE, MOST, SPREAD, features, inputs, seen
from models.waveform import Floats

BEATS_S = np.arange(0.5, 10.0, 0.8)


def lead(fs_hz: float, noise_mv: float = 0.02, seed: int = 1) -> Floats:
    t = np.arange(round(10 * fs_hz)) / fs_hz
    x = np.random.default_rng(seed).normal(0, noise_mv, len(t))
    for at in BEATS_S:
        for place, height, width in ((-0.16, 0.1, 0.025), (0.0, 1.0, 0.012), (0.28, 0.25, 0.05)):
            x += height * np.exp(-0.5 * ((t - at - place) / width) ** 2)
    return x


@pytest.mark.parametrize("fs_hz", [125.0, 130.06, 250.0, 360.0, 500.0])
def test_a_clean_lead_is_right_and_noise_is_not(fs_hz: float) -> None:
    net = QualityNet()
    clean = net.judge(lead(fs_hz), fs_hz, BEATS_S, np.full(5, 0.8))
    noise = net.judge(np.random.default_rng(2).normal(0, 1, round(10 * fs_hz)), fs_hz, np.empty(0), np.full(5, 0.1))
    assert clean.right > net.usable_from > noise.right
    assert clean.noisy < 0.5 < noise.noisy


def test_gain_and_baseline_change_nothing_but_the_size() -> None:
    plain = features(*seen(lead(250.0), 250.0), BEATS_S, np.ones(5))
    scaled = features(*seen(5 * lead(250.0) + 3.0, 250.0), BEATS_S, np.ones(5))
    assert np.abs(np.delete(plain - scaled, FEATURES.index("size"))).max() < 0.01


def test_a_length_it_was_not_made_for_is_refused() -> None:
    with pytest.raises(ValueError, match="expected"):
        QualityNet().judge(np.zeros(990), 100.0, np.empty(0), np.zeros(5))


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from([0.0, 1e-9, 1.0, 1e6]),
    st.lists(st.floats(0, 10), max_size=60),
    st.lists(st.floats(0, 1), min_size=5, max_size=5),
    st.integers(0, 50),
)
def test_whatever_comes_in_no_nan_comes_out(size: float, beats_s: list[float], indices: list[float], seed: int) -> None:
    x = np.random.default_rng(seed).normal(0, 1, 1000) * size
    given = inputs(features(*seen(x, 100.0), np.array(beats_s), np.array(indices)))
    assert given.shape == (len(FEATURES),) == (len(MIDDLE),) == (len(SPREAD),)
    assert np.isfinite(given).all()
    assert np.abs(given).max() <= MOST
