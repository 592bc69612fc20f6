"""Nobody who is left out of a fold is in what its net learns from: not their beats, nor rhythms made of them."""

from __future__ import annotations

import numpy as np
import pytest

from models.beat_features import NAMES
from models.training.beat import LABELS, Examples, counted, figures, folds
from models.training.beat_records import DS1, Beats
from models.training.beat_rhythms import Source, made, source
from models.training.softmax_net import fit
from tests.models.test_beat import recording


def test_each_person_is_in_one_fold_and_the_second_of_201_in_none() -> None:
    people = [name for fold in folds() for name in fold]
    assert sorted(people) == sorted(DS1)
    assert "202" not in DS1


def test_who_is_left_out_is_left_out_as_a_giver_of_odd_beats_too() -> None:
    person, donor = np.array(["101", "106", "cinc", "108"]), np.array(["101", "223", "101", "108"])
    examples = Examples(np.zeros((4, 2), np.float32), np.array(list("NSVN")), np.ones(4), person, donor)
    left = examples.without({"101"})
    assert left.person.tolist() == ["106", "108"]
    assert left.labels.tolist() == ["S", "N"]


def test_fusions_called_v_are_not_wrong_and_beats_that_are_none_are() -> None:
    true, told = np.array(list("VVFNQ-S")), np.array(list("VNVVVVV"))
    beats = Beats(np.zeros((7, 1), np.float32), true, np.full(7, "101"), np.full(7, "0"), {("101", "V"): 2})
    assert counted(beats, told)["V"]["101"] == (1, 3, 3)


def test_the_interval_over_people_holds_the_figure() -> None:
    counts = {name: (8 + k, 2, k % 3) for k, name in enumerate(DS1)}
    for value, low, high in figures(counts).values():
        assert 0 <= low <= value <= high <= 1


@pytest.fixture(scope="module")
def own() -> Source:
    ecg, at, kinds = recording(120)
    made_of = source(ecg, 250.0, at, np.array(list(kinds)))
    assert made_of is not None
    return made_of


def test_a_made_rhythm_has_labelled_beats_of_every_kind_it_says(own: Source) -> None:
    seen = set()
    for seed in range(12):
        features, labels = made(np.random.default_rng(seed), own, own)
        assert features.shape == (len(labels), len(NAMES))
        assert np.isfinite(features).all()
        seen |= set(labels.tolist())
    assert seen == {"N", "S", "V", "F"} <= set(LABELS)


def test_too_few_beats_make_no_source() -> None:
    ecg, at, kinds = recording(120)
    assert source(ecg, 250.0, at[:6], np.array(list(kinds[:6]))) is None


def test_a_seed_gives_the_same_net_and_it_learns() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(0, 1, (600, 5)).astype(np.float32)
    wanted = (x[:, 0] + np.abs(x[:, 1]) > 0.7).astype(np.int64)
    nets = [fit(x, wanted, np.ones(600), 2, hidden=(16, 8), steps=300, turned=[1], seed=4) for _ in range(2)]
    assert np.array_equal(nets[0](x), nets[1](x))
    assert np.mean(np.argmax(nets[0](x), axis=1) == wanted) > 0.85
