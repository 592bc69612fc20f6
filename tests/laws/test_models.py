"""The law of the model: the weights are those of the card, small, and say of golden inputs what they said when made."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from models.card import ModelCard
from models.interpreter import load
from models.registry import CARDS

MOST_BYTES = 100_000
_STEP = 1 / 256  # of an int8 probability


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


@pytest.mark.parametrize("path", CARDS, ids=lambda path: path.stem)
def test_golden_inputs_give_golden_scores(path: Path) -> None:
    net = load(path)
    with np.load(path.with_name(f"{path.stem}.golden.npz")) as golden:
        names = [spec.name for spec in net.card.inputs]
        for row, scores in enumerate(golden["scores"]):
            said = net(**{name: golden[name][row] for name in names})
            assert np.abs(said - scores).max() <= _STEP + 1e-9


@pytest.mark.parametrize("path", CARDS, ids=lambda path: path.stem)
def test_a_card_keeps_its_own_rules(path: Path) -> None:
    card = ModelCard.read(path)
    assert card.name == path.stem
    assert any("diagnos" in line for line in card.not_for)
    assert all(figure.n and figure.on for figure in card.figures)
