"""A card that claims less about itself than it must is refused, and weights run under no card but their own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from models.card import ModelCard
from models.errors import CardError, CardMismatchError, ModelError
from models.interpreter import Net
from models.runtime import runtime
from models.screen import CARD

RAW: dict[str, Any] = json.loads(CARD.read_text(encoding="utf-8"))
VARIANT = {
    "weights": "screen.float32.tflite",
    "sha256": "f" * 64,
    "size_bytes": 1,
    "precision": "float32",
    "note": "as made",
}


@pytest.mark.parametrize("field", sorted(RAW))
def test_a_card_without_one_of_its_fields_is_refused(field: str) -> None:
    raw = {name: value for name, value in RAW.items() if name != field}
    with pytest.raises(CardError, match=field):
        ModelCard.of(raw, "card")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sha256", "0" * 63),
        ("version", "1.0"),
        ("weights", "../screen.tflite"),
        ("weights", "screen.bin"),
        ("labels", []),
        ("labels", [1]),
        ("figures", []),
        ("figures", [{**RAW["figures"][0], "low": 0.9}]),
        ("size_bytes", "many"),
        ("size_bytes", True),
        ("purpose", " "),
        ("thresholds", {"a": "b"}),
        ("inputs", [{**RAW["inputs"][0], "shape": []}]),
        ("data", ["mitdb"]),
        ("schema", "vitalkeep.card/1"),
        ("variants", [{"weights": "screen.float32.tflite"}]),
        ("variants", [{**VARIANT, "sha256": "f" * 63}]),
        ("variants", [{**VARIANT, "weights": "../screen.float32.tflite"}]),
        ("reference", []),
        ("reference", {"N": {"edges": [0.5]}}),
        ("reference", {"N": {"edges": [0.5], "shares": [0.5, 0.25, 0.25]}}),
        ("reference", {"N": {"edges": [0.5, 0.5], "shares": [0.5, 0.25, 0.25]}}),
        ("reference", {"N": {"edges": [0.5], "shares": [0.5, 0.4]}}),
        ("reference", {"N": {"edges": [0.5], "shares": [1.5, -0.5]}}),
    ],
)
def test_a_card_with_a_field_of_the_wrong_kind_is_refused(field: str, value: object) -> None:
    with pytest.raises(CardError):
        ModelCard.of({**RAW, field: value}, "card")


def test_variants_and_references_are_read_as_they_stand() -> None:
    raw = {**RAW, "variants": [VARIANT], "reference": {"N": {"edges": [0.2, 0.5], "shares": [0.5, 0.25, 0.25]}}}
    card = ModelCard.of(raw, "card")
    assert [variant.precision for variant in card.variants] == ["float32"]
    assert (card.reference["N"].edges, card.reference["N"].person) == ((0.2, 0.5), None)
    raw["reference"]["N"]["person"] = 0.4
    assert ModelCard.of(raw, "card").reference["N"].person == 0.4


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(CardError, match="extra"):
        ModelCard.of({**RAW, "extra": 1}, "card")


def test_a_file_that_is_no_card_is_refused(tmp_path: Path) -> None:
    for name, content in (("cut.json", b'{"schema":'), ("bytes.json", b"\xff\xfe"), ("list.json", b"[]")):
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(CardError, match=name):
            ModelCard.read(path)


def test_weights_whose_hash_is_not_on_the_card_are_refused() -> None:
    weights = bytearray(CARD.with_name("screen.tflite").read_bytes())
    weights[-1] ^= 1
    with pytest.raises(CardMismatchError, match="its card says"):
        Net(bytes(weights), ModelCard.read(CARD))


def test_weights_that_cannot_be_run_are_told_as_that() -> None:
    import hashlib

    junk_of_all = [b"", b"TFL3", bytes(4096)]
    if runtime()[0] == "ai-edge-litert":
        # tflite-runtime 2.14 does not look at what it is given: it would fall over, where the hash is on the card
        junk_of_all.append(CARD.with_name("screen.tflite").read_bytes()[:5000])
    for junk in junk_of_all:
        card = ModelCard.of({**RAW, "sha256": hashlib.sha256(junk).hexdigest()}, "card")
        with pytest.raises(ModelError):
            Net(junk, card)


def test_a_card_that_tells_other_inputs_than_the_net_has_is_refused() -> None:
    raw = {**RAW, "inputs": [{**RAW["inputs"][0], "shape": [1500, 1]}, RAW["inputs"][1]]}
    with pytest.raises(CardMismatchError, match="wave"):
        Net(CARD.with_name("screen.tflite").read_bytes(), ModelCard.of(raw, "card"))
