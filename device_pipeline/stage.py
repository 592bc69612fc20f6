"""The law of the cut: what a stage puts out does not depend on how its input was cut into blocks."""

from __future__ import annotations

from typing import Protocol, TypeVar

In = TypeVar("In", contravariant=True)
Out = TypeVar("Out")


class Stage(Protocol[In, Out]):
    """Carries its state between blocks.

    For any way of cutting the same input, the outputs of all `push` calls followed by `flush`, joined, are identical.
    """

    def push(self, block: In) -> list[Out]:
        """Takes the next block, returns what became final with it."""

    def flush(self) -> list[Out]:
        """The input ends here: returns what was still open. No push may follow."""
