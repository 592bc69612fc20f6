"""The rhythm net takes windows of any heart rate and length, and tells fibrillation from what looks like it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from models.errors import CardMismatchError
from models.interpreter import Net, load
from models.rhythm import CARD, RhythmNet
from models.rhythm_input import CUT, FEATURES, LEAST, WINDOW, features, measures, put_back

rng = np.random.default_rng(5)
STEADY = rng.normal(0.8, 0.03, WINDOW)
FIBRILLATION = rng.gamma(20.0, 0.7 / 20.0, WINDOW).clip(0.3, 1.8)
BREATHING = 0.9 + 0.12 * np.sin(np.arange(WINDOW) * 2 * np.pi / 4.7)
TRIGEMINY = np.tile([0.8, 0.5, 1.1], WINDOW // 3) + rng.normal(0, 0.02, WINDOW)


def named(rr_s: NDArray[np.float64]) -> dict[str, float]:
    return dict(zip(FEATURES, measures(rr_s).tolist(), strict=True))


@pytest.fixture(scope="module")
def net() -> RhythmNet:
    return RhythmNet()


@pytest.mark.parametrize("n", [LEAST, 37, WINDOW])
def test_fibrillation_is_likely_and_other_rhythms_are_not(net: RhythmNet, n: int) -> None:
    assert net.probability(FIBRILLATION[:n]) > net.start
    for rr_s in (STEADY, BREATHING, TRIGEMINY):
        assert net.probability(rr_s[:n]) < net.end


@pytest.mark.parametrize("n", [0, LEAST - 1, WINDOW + 1])
def test_another_number_of_intervals_is_refused(net: RhythmNet, n: int) -> None:
    with pytest.raises(ValueError, match=f"{n} intervals, {LEAST} to {WINDOW} expected"):
        net.probability(np.ones(n))


@pytest.mark.parametrize("wrong", [0.0, -0.5, float("nan")])
def test_an_interval_that_is_none_is_refused(net: RhythmNet, wrong: float) -> None:
    rr_s = STEADY.copy()
    rr_s[7] = wrong
    with pytest.raises(ValueError, match="above 0"):
        net.probability(rr_s)


def test_features_are_finite_and_cut_whatever_comes() -> None:
    for seed in range(200):
        made = np.random.default_rng(seed)
        rr_s = np.exp(made.normal(-0.2, made.uniform(0, 2), made.integers(LEAST, WINDOW + 1)))
        told = features(rr_s)
        assert told.shape == (len(FEATURES),)
        assert np.isfinite(told).all()
        assert np.abs(told).max() <= CUT
    assert np.isfinite(features(np.full(WINDOW, 0.8))).all()


def test_the_same_window_gives_the_same_answer(net: RhythmNet) -> None:
    first = net.probability(FIBRILLATION)
    net.probability(STEADY)
    assert net.probability(FIBRILLATION) == first


def test_an_early_beat_and_its_pause_become_two_equal_intervals() -> None:
    rr_s = np.full(LEAST, 0.8)
    rr_s[10:12] = 0.5, 1.1
    even_s = put_back(rr_s)
    assert even_s is not None
    assert even_s == pytest.approx(np.full(LEAST, 0.8))
    assert put_back(np.full(LEAST, 0.8)) is None


def test_sample_entropy_is_that_of_its_definition() -> None:
    rr_s, r_s = FIBRILLATION, 0.03
    pairs = [(i, j) for i in range(WINDOW) for j in range(i)]
    ones = sum(abs(rr_s[i] - rr_s[j]) < r_s for i, j in pairs if i < WINDOW - 1)
    twos = sum(
        abs(rr_s[i] - rr_s[j]) < r_s and abs(rr_s[i + 1] - rr_s[j + 1]) < r_s for i, j in pairs if i < WINDOW - 1
    )
    expected = np.log(ones / max(twos, 0.5)) + np.log(2 * r_s / rr_s.mean())
    assert named(rr_s)["sample entropy"] == pytest.approx(expected)


def test_a_pattern_repeats_and_foretells_itself() -> None:
    repeats = "largest correlation of one interval with that 2 to 4 later"
    foretold = "how far the likest interval foretells the next: its error, in the mean difference of two intervals"
    pattern, none = named(TRIGEMINY), named(FIBRILLATION)
    assert pattern[repeats] > none[repeats] + 0.3
    assert pattern[foretold] < none[foretold] / 2


def test_weights_that_are_not_those_of_the_card_are_refused(tmp_path: Path) -> None:
    card = tmp_path / "rhythm.json"
    card.write_bytes(CARD.read_bytes())
    (tmp_path / "rhythm.tflite").write_bytes(b"something else")
    with pytest.raises(CardMismatchError):
        load(card)


def test_a_card_without_thresholds_is_refused() -> None:
    net = load(CARD)
    bare = Net(CARD.with_name(net.card.weights).read_bytes(), replace(net.card, thresholds={"start": 0.8}))
    with pytest.raises(CardMismatchError, match="no threshold 'end'"):
        RhythmNet(bare)
