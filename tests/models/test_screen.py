"""The screen sees what its net was shown in training: the size and rate of a recording change little."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.screen import Screen
from models.screen_input import FEATURES, MOST, POINTS, features, wave
from models.training.golden import made


def test_the_wave_does_not_depend_on_gain_or_baseline() -> None:
    ecg, _ = made("regular", 1)
    plain = wave(ecg, 200.0)
    assert np.abs(wave(5 * ecg + 3.0, 200.0) - plain).max() < 1e-9
    assert np.abs(plain).max() <= MOST


@pytest.mark.parametrize("fs_hz", [125.0, 130.0, 250.0, 360.0, 500.0])
def test_another_rate_gives_nearly_the_same_wave(fs_hz: float) -> None:
    ecg, _ = made("regular", 1)
    t = np.arange(round(30 * fs_hz)) / fs_hz
    other = wave(np.interp(t, np.arange(len(ecg)) / 200.0, ecg), fs_hz)
    assert np.corrcoef(other, wave(ecg, 200.0))[0, 1] > 0.97


def test_a_regular_rhythm_is_told_from_one_that_is_not() -> None:
    screen = Screen()
    regular, irregular = (
        screen.score(*made(kind, 5)[:1], 200.0, made(kind, 5)[1]) for kind in ("regular", "irregular")
    )
    assert regular.label == "N"
    assert irregular.probabilities["N"] < 0.2
    assert math.isclose(sum(irregular.probabilities.values()), 1.0)
    assert repr(regular) == "<Screened screen 1.0.1>"


@pytest.mark.parametrize("length_s", [8.9, 61.1])
def test_a_length_it_was_not_made_for_is_refused(length_s: float) -> None:
    with pytest.raises(ValueError, match="expected"):
        Screen().score(np.zeros(round(length_s * 100)), 100.0, np.empty(0))


@settings(max_examples=60)
@given(
    st.integers(9, 61),
    st.lists(st.floats(0, 61, allow_nan=False), max_size=200).map(sorted),
    st.sampled_from([0.0, 1e-9, 1.0, 1e6]),
    st.integers(0, 100),
)
def test_whatever_comes_in_no_nan_comes_out(length_s: int, beats_s: list[float], size: float, seed: int) -> None:
    ecg = np.random.default_rng(seed).normal(0, 1, length_s * 100) * size
    seen = wave(ecg, 100.0)
    told = features(seen, np.array(beats_s), float(length_s))
    assert seen.shape == (POINTS,)
    assert told.shape == (len(FEATURES),)
    assert np.isfinite(seen).all()
    assert np.isfinite(told).all()
