"""A list of which a page shows the beginning: how many there are is told beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

MOST = 20
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True, repr=False)
class Listed(Generic[Row]):
    rows: tuple[Row, ...]
    total: int

    @property
    def more(self) -> int:
        return self.total - len(self.rows)


def listed(rows: Sequence[Row], most: int = MOST) -> Listed[Row]:
    return Listed(tuple(rows[:most]), len(rows))
