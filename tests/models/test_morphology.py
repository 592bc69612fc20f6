"""The score of a shape is the wearer's own: it knows their usual beat, and odd ones among the first change little."""

from __future__ import annotations

import json
import time

import numpy as np
import pytest

from models.beat_input import BEFORE, POINTS
from models.errors import ModelError
from models.morphology import LEAST_BEATS, Morphology
from models.morphology_calibration import Calibration
from models.waveform import Floats

_T_S = (np.arange(POINTS) - BEFORE) / 128.0


def beats(n: int, seed: int, wide: float = 1.0, noise_mv: float = 0.02, size_mv: float = 1.0) -> Floats:
    """(n, POINTS): beats that differ a little from each other; `wide` makes them look ventricular."""
    rng = np.random.default_rng(seed)
    out = rng.normal(0, noise_mv, (n, POINTS))
    for place, height, width in ((-0.16, 0.12, 0.025), (0.0, 1.0, 0.012), (0.03, -0.2, 0.01), (0.28, 0.3, 0.05)):
        high = height * (1 + rng.normal(0, 0.05, (n, 1)))
        turned = -1.0 if wide > 1 and place > 0.1 else 1.0
        out += turned * high * np.exp(-0.5 * ((_T_S - place) / (width * wide)) ** 2)
    return size_mv * out


class Model(Morphology):
    """At a steady rate."""

    def calibrate(self, waves: Floats, pace_s: Floats | None = None) -> Calibration:
        return super().calibrate(waves, np.full(len(waves), 0.8) if pace_s is None else pace_s)

    def score(self, waves: Floats, calibration: Calibration, pace_s: Floats | None = None) -> Floats:  # type: ignore[override]
        return super().score(waves, np.full(len(waves), 0.8) if pace_s is None else pace_s, calibration)


@pytest.fixture(scope="module")
def model() -> Model:
    return Model()


@pytest.fixture(scope="module")
def own(model: Model) -> Calibration:
    return model.calibrate(beats(LEAST_BEATS, 1))


def test_usual_beats_score_about_one_and_wide_ones_are_odd(model: Model, own: Calibration) -> None:
    usual, odd = model.score(beats(200, 2), own), model.score(beats(50, 3, wide=3.5), own)
    assert 0.7 < np.median(usual) < 1.4
    assert (usual < model.odd_from).mean() > 0.95
    assert odd.min() > model.odd_from


@pytest.mark.parametrize("share", [0.1, 0.2])
def test_odd_beats_among_those_it_is_calibrated_on_are_odd_still(model: Model, share: float) -> None:
    many = round(share * LEAST_BEATS)
    mixed = np.concatenate((beats(LEAST_BEATS - many, 1), beats(many, 4, wide=3.5)))
    mixed = mixed[np.random.default_rng(5).permutation(LEAST_BEATS)]
    own = model.calibrate(mixed)
    assert model.score(beats(50, 6, wide=3.5), own).min() > model.odd_from
    assert (model.score(beats(200, 7), own) < model.odd_from).mean() > 0.95


def test_the_size_and_the_sign_of_the_lead_do_not_matter(model: Model) -> None:
    for factor in (0.2, 5.0, -1.0):
        own = model.calibrate(factor * beats(LEAST_BEATS, 1))
        assert (model.score(factor * beats(200, 2), own) < model.odd_from).mean() > 0.9
        assert model.score(factor * beats(50, 3, wide=3.5), own).min() > model.odd_from


def test_neighbours_that_come_into_view_in_a_fast_rhythm_are_not_odd(model: Model, own: Calibration) -> None:
    fast, usual = beats(100, 12), beats(100, 12)
    fast[:, BEFORE - 26 : BEFORE - 10] += 0.35 * np.hanning(32)[16:]
    fast[:, BEFORE + 22 : BEFORE + 38] += 0.2
    rr_s = np.full(100, 0.45)
    assert (model.score(fast, own, rr_s) < model.odd_from).mean() > 0.9
    assert (model.score(fast, own) < model.odd_from).mean() < 0.5
    assert (model.score(usual, own) < model.odd_from).mean() > 0.9
    assert model.score(beats(50, 3, wide=3.5), own, rr_s[:50]).min() > model.odd_from


def test_a_beat_scores_the_same_whatever_beats_are_beside_it(model: Model, own: Calibration) -> None:
    waves = beats(64, 8)
    together = model.score(waves, own)
    alone = np.concatenate([model.score(waves[k : k + 1], own) for k in range(len(waves))])
    assert np.array_equal(together, alone)


def test_a_calibration_is_the_same_after_it_was_written_down(model: Model, own: Calibration) -> None:
    again = Calibration.from_json(own.to_json())
    assert again == own
    assert np.array_equal(model.score(beats(20, 9), again), model.score(beats(20, 9), own))


@pytest.mark.parametrize("change", [{"mean": []}, {"spread": [0.0] * 14}, {"n": "x"}, {"schema": "other"}, {"more": 1}])
def test_a_calibration_that_is_none_is_refused(own: Calibration, change: dict[str, object]) -> None:
    for text in (json.dumps({**json.loads(own.to_json()), **change}), "{", "[]", "null"):
        with pytest.raises(ModelError, match="calibration"):
            Calibration.from_json(text)


def test_a_calibration_of_another_version_is_refused(model: Model, own: Calibration) -> None:
    raw = {**json.loads(own.to_json()), "version": "0.0.1"}
    other = Calibration.from_json(json.dumps(raw))
    assert not model.fits(other)
    with pytest.raises(ValueError, match=r"0\.0\.1"):
        model.score(beats(1, 1), other)


def test_too_few_beats_are_no_calibration(model: Model) -> None:
    with pytest.raises(ValueError, match="expected"):
        model.calibrate(beats(LEAST_BEATS - 1, 1))


@pytest.mark.parametrize("waves", [np.zeros((LEAST_BEATS, POINTS)), np.full((LEAST_BEATS, POINTS), 1e6)])
def test_whatever_comes_in_no_nan_comes_out(model: Model, own: Calibration, waves: Floats) -> None:
    assert np.isfinite(model.score(waves, own)).all()
    assert np.isfinite(model.score(beats(5, 1), model.calibrate(waves))).all()


def test_no_repr_tells_of_the_wearer(own: Calibration) -> None:
    assert repr(own) == f"<Calibration morphology {own.version} n={LEAST_BEATS}>"


def test_a_beat_takes_at_most_50_microseconds(model: Model, own: Calibration) -> None:
    waves = beats(4000, 10)
    model.score(waves, own)
    begun = time.process_time()
    model.score(waves, own)
    assert (time.process_time() - begun) / len(waves) < 50e-6
