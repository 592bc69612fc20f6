"""A picture of what was spent of the privacy of each day: the cap above, and below it the figures that it went into."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from vitalkeep.plot import ink

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WIDTH_MM, _LEFT_MM, _DRAWN_MM = 210.0, 42.0, 156.0
_ROW_MM = 9.0
_LOST = "lost with the ledger"


@dataclass(frozen=True, slots=True)
class Spent:
    """A figure about the days from `first` to `last`; `name` None: a part of the ledger that was lost."""

    name: str | None
    first: date
    last: date
    epsilon: float


@dataclass(frozen=True, slots=True)
class Budget:
    """`by_day`: of each day in order, from `first` on, what is spent; `cap`: what never is more; `total`: over all."""

    first: date
    by_day: tuple[float, ...]
    cap: float
    total: float
    figures: tuple[Spent, ...]
    claim: str

    @property
    def last(self) -> date:
        return self.first + timedelta(days=len(self.by_day) - 1)


def save_budget(budget: Budget, path: Path) -> None:
    """A PNG at `path`. Raises MissingExtraError, OSError."""
    from vitalkeep.plot.library import drawing
    from vitalkeep.plot.sheet import Sheet

    names = sorted({figure.name or _LOST for figure in budget.figures})
    rows_mm = _ROW_MM * max(len(names), 1)
    words = textwrap.wrap(budget.claim, 118)
    height_mm = 22 + 42 + 12 + rows_mm + 16 + 4.2 * len(words) + 6
    with drawing("budget"):
        sheet = Sheet(_WIDTH_MM, height_mm, paper=True)
        sheet.text(8, 10, "What was spent of the privacy of each day", size=12, bold=True)
        told = f"{len(budget.figures)} figures sealed in all, ε = {budget.total:g} together"
        sheet.text(8, 16, told, size=8, color=ink.MUTED)
        above = sheet.axes(_LEFT_MM, 24, _DRAWN_MM, 40)
        _days(above, budget)
        below = sheet.axes(_LEFT_MM, 76, _DRAWN_MM, rows_mm)
        _figures(below, budget, names)
        for k, line in enumerate(words):
            sheet.text(8, 76 + rows_mm + 15 + 4.2 * k, line, size=7.5)
        sheet.save_png(path)


def _days(ax: Axes, budget: Budget) -> None:
    at = list(range(len(budget.by_day)))
    ax.bar(at, budget.by_day, width=1.0, color=ink.BAND, align="edge")
    ax.axhline(budget.cap, color=ink.IRREGULAR, linewidth=1.0)
    ax.text(0, budget.cap * 1.03, f"never more than ε = {budget.cap:g} for a day", size=7, color=ink.IRREGULAR)
    ax.set_ylim(0, budget.cap * 1.25)
    ax.set_ylabel("ε of each day")
    _months(ax, budget)


def _figures(ax: Axes, budget: Budget, names: Sequence[str]) -> None:
    for figure in budget.figures:
        row = names.index(figure.name or _LOST)
        start = (figure.first - budget.first).days
        color = ink.POOR if figure.name is None else ink.LINE
        ax.barh(row, (figure.last - figure.first).days + 0.4, left=start + 0.3, height=0.55, color=color)
    ax.set_yticks(range(len(names)), [name.replace("_", " ") for name in names])
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.grid(visible=False, axis="y")
    _months(ax, budget)


def _months(ax: Axes, budget: Budget) -> None:
    """Months that begin, as many as there is room to name."""
    firsts = [k for k in range(len(budget.by_day)) if (budget.first + timedelta(days=k)).day == 1]
    every = max(1, -(-len(firsts) // 10))
    ax.set_xlim(0, len(budget.by_day))
    ax.set_xticks(firsts[::every], [(budget.first + timedelta(days=k)).strftime("%Y-%m") for k in firsts[::every]])
    ax.tick_params(axis="x", labelsize=6.5)
