"""The nets for QRS complexes: refused where they are not those of their card, and each row scored by itself."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

import models.qrs
from models.errors import CardMismatchError
from models.qrs import PLACES_S, WEIGHTS, qrs_nets


def test_weights_that_are_not_those_of_the_card_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = bytearray(WEIGHTS.read_bytes())
    weights[len(weights) // 2] ^= 1
    tmp_path.joinpath("qrs.npz").write_bytes(weights)
    shutil.copy(WEIGHTS.with_suffix(".json"), tmp_path)
    monkeypatch.setattr(models.qrs, "WEIGHTS", tmp_path / "qrs.npz")
    with pytest.raises(CardMismatchError, match="expected"):
        qrs_nets.__wrapped__()


@pytest.mark.parametrize("n", [1, 2, 7, 64, 1000])
def test_a_row_scores_the_same_whatever_rows_are_beside_it(n: int) -> None:
    rng = np.random.default_rng(7)
    shape, scalars, features = rng.normal(size=(n, 51)), rng.normal(size=(n, 19)), rng.normal(size=(n, 32))
    nets = qrs_nets()
    score, places = nets.first(shape, scalars)
    assert places.shape == (n, len(PLACES_S))
    for k in {0, n // 2, n - 1}:
        alone, its_places = nets.first(shape[k : k + 1], scalars[k : k + 1])
        assert alone[0] == score[k]
        assert np.array_equal(its_places[0], places[k])
    assert nets.second(features)[-1] == nets.second(features[-1:])[0]


def test_a_clear_complex_among_quiet_scores_high_and_a_t_wave_low() -> None:
    from device_pipeline.signal.qrs_candidates import QrsCandidates
    from tests.device_pipeline.ecg_signal import TALL_T, beat_times, ecg

    times = beat_times([0.9] * 20)
    found = QrsCandidates(250.0).push(ecg(times, 250.0, shape=TALL_T))
    assert found is not None
    score, _ = qrs_nets().first(found.shape, found.scalars)
    at_s = found.at * 2 / 250.0
    apart_s = np.abs(at_s[:, None] - times[None, :]).min(axis=1)
    inside = (at_s > 3.0) & (at_s < 16.0)
    assert score[inside & (apart_s < 0.05)].min() > 0.0
    assert score[inside & (apart_s > 0.2)].max() < 0.0
