"""Which net stands for a card: what the wearer put into service, where somebody supplies it, else the program's own.

Every model that takes `net=` asks here, through `models.interpreter.load`, when it is given none.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from models.interpreter import Net


class Supplier(Protocol):
    def __call__(self, card: Path, threads: int) -> Net | None:
        """The net in service for the model whose card came with the program at `card`; None for the program's own."""


_PRESENT: ContextVar[Supplier | None] = ContextVar("models.in_service", default=None)


@contextmanager
def supplying(supplier: Supplier) -> Iterator[None]:
    """Within, and in the tasks begun within, nets come from `supplier`."""
    before = _PRESENT.set(supplier)
    try:
        yield
    finally:
        _PRESENT.reset(before)


def supplied(card: Path, threads: int) -> Net | None:
    supplier = _PRESENT.get()
    return None if supplier is None else supplier(card, threads)
