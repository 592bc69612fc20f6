"""The law of the model: the weights are those of the card, small, and say of golden inputs what they said when made."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from models.card import ModelCard
from models.registry import CARDS, MODELS, ModelRow
from models.watched import Watched

MOST_BYTES = 100_000


@pytest.mark.parametrize("path", CARDS, ids=lambda path: path.stem)
def test_the_weights_are_those_of_their_card(path: Path) -> None:
    card = ModelCard.read(path)
    weights = path.with_name(card.weights).read_bytes()
    assert hashlib.sha256(weights).hexdigest() == card.sha256
    assert len(weights) == card.size_bytes <= MOST_BYTES
    for variant in card.variants:
        other = path.with_name(variant.weights).read_bytes()
        assert hashlib.sha256(other).hexdigest() == variant.sha256
        assert len(other) == variant.size_bytes


@pytest.mark.parametrize("row", MODELS, ids=lambda row: row.name)
def test_golden_inputs_give_golden_scores(row: ModelRow) -> None:
    card = ModelCard.read(row.card)
    scorer = row.scorer(row.card.with_name(card.weights).read_bytes(), card)
    names = {spec.name for spec in card.inputs}
    with np.load(row.golden) as golden:
        assert set(golden.files) == names | {"scores"}
        assert len(golden["scores"])
        for k, scores in enumerate(golden["scores"]):
            said = scorer(**{name: golden[name][k] for name in names})
            assert np.abs(said - scores).max() <= scorer.step


def test_every_card_among_the_weights_stands_in_the_registry() -> None:
    folder = CARDS[0].parent
    assert sorted(path.stem for path in folder.glob("*.json")) == sorted(row.name for row in MODELS)


@pytest.mark.parametrize("path", CARDS, ids=lambda path: path.stem)
def test_a_card_keeps_its_own_rules(path: Path) -> None:
    card = ModelCard.read(path)
    assert card.name == path.stem
    assert any("diagnos" in line for line in card.not_for)
    assert all(figure.n and figure.on for figure in card.figures)


@pytest.mark.parametrize("path", CARDS, ids=lambda path: path.stem)
def test_what_a_card_has_a_reference_for_can_be_watched(path: Path) -> None:
    assert Watched(ModelCard.read(path)).seen.keys() == ModelCard.read(path).reference.keys()
