"""The PPG quality net judges wave, beats and index together; unit, side and rate of the wave change little."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.card import ModelCard
from models.quality_ppg import CARD, PulseQualityNet
from models.quality_ppg_input import FEATURES, MIDDLE, MOST, SPREAD, features, inputs
from models.waveform import Floats

BEATS_S = np.arange(0.5, 10.0, 0.8)
MOST_BYTES = 20_000
MOST_S = 1e-3


def wave(fs_hz: float, noise: float = 0.01, beats_s: Floats = BEATS_S, seed: int = 1) -> Floats:
    t = np.arange(round(10 * fs_hz)) / fs_hz
    x = np.random.default_rng(seed).normal(0, noise, len(t))
    for at in beats_s:
        since = t - at - 0.07
        x += np.exp(-0.5 * (since / np.where(since < 0, 0.07, 0.16)) ** 2)
        x += 0.25 * np.exp(-0.5 * ((since - 0.36) / 0.06) ** 2)
    return x


@pytest.mark.parametrize("fs_hz", [25.0, 30.0, 50.0, 64.0, 125.0, 250.0])
def test_a_clean_wave_is_right_and_noise_is_not(fs_hz: float) -> None:
    net = PulseQualityNet()
    noise = np.random.default_rng(2).normal(0, 1, round(10 * fs_hz))
    assert net.right(wave(fs_hz), fs_hz, BEATS_S, np.full(5, 0.95)) > net.usable_from
    assert net.right(noise, fs_hz, np.empty(0), np.full(5, 0.1)) < 0.2
    assert net.right(noise, fs_hz, np.arange(0.3, 10, 0.61), np.full(5, 0.6)) < 0.5


def test_beats_that_are_missing_count_even_where_the_index_is_sure() -> None:
    net, sure = PulseQualityNet(), np.ones(5)
    few = np.delete(BEATS_S, [3, 4, 5])
    assert net.right(wave(125.0, beats_s=few), 125.0, few, sure) < net.usable_from


def test_unit_offset_and_side_change_nothing() -> None:
    plain = features(wave(125.0), 125.0, BEATS_S, np.ones(5))
    for turned in (4000 * wave(125.0) + 50_000, -3 * wave(125.0)):
        assert np.abs(features(turned, 125.0, BEATS_S, np.ones(5)) - plain).max() < 0.01


def test_a_length_it_was_not_made_for_is_refused() -> None:
    with pytest.raises(ValueError, match="expected"):
        PulseQualityNet().right(np.zeros(980), 100.0, np.empty(0), np.zeros(5))


def test_it_is_small_and_a_call_with_its_features_is_short() -> None:
    assert ModelCard.read(CARD).size_bytes < MOST_BYTES
    net, x = PulseQualityNet(), wave(125.0)
    took = []
    for _ in range(20):
        begun = time.process_time()
        net.right(x, 125.0, BEATS_S, np.full(5, 0.8))
        took.append(time.process_time() - begun)
    assert min(took) < MOST_S


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from([0.0, 1e-9, 1.0, 1e6]),
    st.sampled_from([0.0, 1e6]),
    st.lists(st.floats(0, 10), max_size=60),
    st.lists(st.floats(0, 1), min_size=5, max_size=5),
    st.integers(0, 50),
)
def test_whatever_comes_in_no_nan_comes_out(
    size: float, offset: float, beats_s: list[float], indices: list[float], seed: int
) -> None:
    x = np.random.default_rng(seed).normal(0, 1, 1000) * size + offset
    told = inputs(features(x, 100.0, np.array(beats_s), np.array(indices)))
    assert told.shape == (len(FEATURES),) == (len(MIDDLE),) == (len(SPREAD),)
    assert np.isfinite(told).all()
    assert np.abs(told).max() <= MOST
