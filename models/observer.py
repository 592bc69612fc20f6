"""Whoever wants to see what goes into models and comes out is told of each call; with nobody there it costs nothing.

`observed` is called by every net of TFLite (models/interpreter.py); a model of numpy alone calls it itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from models.card import ModelCard


class Observer(Protocol):
    def __call__(self, card: ModelCard, inputs: Mapping[str, NDArray[Any]], scores: NDArray[np.float64]) -> None:
        """`inputs` by the names on the card, `scores` (labels,). The arrays may be written over after the call."""


_PRESENT: ContextVar[Observer | None] = ContextVar("models.observer", default=None)


@contextmanager
def observing(observer: Observer) -> Iterator[None]:
    """Within, and in the tasks begun within, `observer` is told of every call."""
    before = _PRESENT.set(observer)
    try:
        yield
    finally:
        _PRESENT.reset(before)


def observed(card: ModelCard, inputs: Mapping[str, NDArray[Any]], scores: NDArray[np.float64]) -> None:
    """A model has been called."""
    observer = _PRESENT.get()
    if observer is not None:
        observer(card, inputs, scores)


def is_observed() -> bool:
    """Whether anybody is told: what is only made for them need not be made."""
    return _PRESENT.get() is not None
