"""Which of the files on a card this device runs: the one that was kept after `vitalkeep model bench`, else the first.

The choice comes from outside, as whoever asks has it; a hash that is not on the card chooses nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from models.card import ModelCard, Variant

Kept = Callable[[str], str | None]  # name of a model to the SHA-256 of the file that is to run

_KEPT: ContextVar[Kept | None] = ContextVar("models.variant_choice", default=None)


@contextmanager
def keeping(kept: Kept) -> Iterator[None]:
    """Within, and in the tasks begun within, `kept` is asked."""
    before = _KEPT.set(kept)
    try:
        yield
    finally:
        _KEPT.reset(before)


def files(card: ModelCard) -> tuple[Variant, ...]:
    """Every file of the net, the one that ships first."""
    from models.card import Variant

    return (Variant(card.weights, card.sha256, card.size_bytes, card.precision, "as it ships"), *card.variants)


def chosen_file(card: ModelCard) -> Variant:
    kept = _KEPT.get()
    sha256 = None if kept is None else kept(card.name)
    every = files(card)
    return next((file for file in every if file.sha256 == sha256), every[0])
