"""Every file of arrays among the weights has a card that names it, and without it gives nothing out."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from models import qrs
from models.errors import CardMismatchError, ModelError
from models.held_weights import held_weights

FOLDER = qrs.WEIGHTS.parent
HELD = sorted(path for path in FOLDER.glob("*.npz") if not path.name.endswith(".golden.npz"))


@pytest.mark.parametrize("path", HELD, ids=lambda path: path.stem)
def test_the_arrays_are_those_of_their_card_and_finite(path: Path) -> None:
    held = held_weights(path)
    assert held.name == path.stem
    assert held.version
    assert held.arrays
    assert all(np.isfinite(array).all() and array.dtype == np.float64 for array in held.arrays.values())


def copied(folder: Path) -> Path:
    for suffix in (".npz", ".json"):
        shutil.copy(qrs.WEIGHTS.with_suffix(suffix), folder)
    return folder / qrs.WEIGHTS.name


def test_another_file_than_the_one_on_the_card_is_refused(tmp_path: Path) -> None:
    path = copied(tmp_path)
    path.write_bytes(path.read_bytes()[:-1] + b"\x00x")
    with pytest.raises(CardMismatchError, match="its card says"):
        held_weights(path)


@pytest.mark.parametrize("card", [None, b"", b"\xff", b"[]", b"{}", json.dumps({"name": "qrs"}).encode()])
def test_weights_without_a_card_are_refused(card: bytes | None, tmp_path: Path) -> None:
    path = copied(tmp_path)
    path.with_suffix(".json").unlink()
    if card is not None:
        path.with_suffix(".json").write_bytes(card)
    with pytest.raises(ModelError, match=r"qrs\.npz"):
        held_weights(path)


def test_a_card_without_its_weights_is_told(tmp_path: Path) -> None:
    path = copied(tmp_path)
    path.unlink()
    with pytest.raises(ModelError, match=r"qrs\.npz"):
        held_weights(path)
