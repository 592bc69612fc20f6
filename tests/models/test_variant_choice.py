"""A device runs the file of a card that it keeps, and nothing that is not on the card."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from models.card import ModelCard
from models.errors import CardMismatchError
from models.interpreter import Net, load
from models.registry import MODELS, ModelRow
from models.screen import CARD
from models.variant_choice import chosen_file, files, keeping
from vitalkeep.model_bench import SAME_STEPS

CARD_OF = {row.name: ModelCard.read(row.card) for row in MODELS}
WITH_VARIANTS = [row for row in MODELS if CARD_OF[row.name].variants]


def test_without_a_choice_the_first_file_of_the_card_runs() -> None:
    card = CARD_OF["screen"]
    assert chosen_file(card).weights == card.weights == "screen.tflite"
    with keeping(lambda name: None):
        assert chosen_file(card).sha256 == card.sha256


def test_the_file_that_is_kept_runs_and_says_nearly_the_same() -> None:
    card = CARD_OF["screen"]
    with np.load(CARD.with_name("screen.golden.npz")) as golden:
        given = {spec.name: golden[spec.name][0] for spec in card.inputs}
    shipped = load(CARD)
    with keeping(lambda name: card.variants[0].sha256 if name == "screen" else None):
        other = load(CARD)
    assert (shipped.step > 0.003, other.step < 0.001) == (True, True)
    assert 0 < np.abs(shipped(**given) - other(**given)).max() < SAME_STEPS * shipped.step


@pytest.mark.parametrize("kept", ["", "0" * 64, "screen.float32.tflite"])
def test_a_hash_that_is_not_on_the_card_chooses_nothing(kept: str) -> None:
    card = CARD_OF["screen"]
    with keeping(lambda name: kept):
        assert chosen_file(card).sha256 == card.sha256


def test_weights_on_no_line_of_the_card_are_refused_whatever_is_kept(tmp_path: Path) -> None:
    card = CARD_OF["screen"]
    other = bytearray(CARD.with_name(card.variants[0].weights).read_bytes())
    other[-1] ^= 1
    with (
        keeping(lambda name: hashlib.sha256(other).hexdigest()),
        pytest.raises(CardMismatchError, match="its card says"),
    ):
        Net(bytes(other), card)


@pytest.mark.parametrize("row", WITH_VARIANTS, ids=lambda row: row.name)
def test_every_file_of_a_card_says_the_same_of_golden_inputs(row: ModelRow) -> None:
    name = row.name
    card, path = CARD_OF[name], row.card
    nets = [Net(path.with_name(file.weights).read_bytes(), card) for file in files(card)]
    with np.load(path.with_name(f"{name}.golden.npz")) as golden:
        for k, scores in enumerate(golden["scores"]):
            for net in nets:
                said = net(**{spec.name: golden[spec.name][k] for spec in card.inputs})
                assert np.abs(said - scores).max() <= SAME_STEPS * nets[0].step
