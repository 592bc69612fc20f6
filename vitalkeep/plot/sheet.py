"""A sheet is measured in millimetres from its upper left corner, so that ECG paper on it is true to scale in print."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import TYPE_CHECKING

from vitalkeep.plot.ink import INK, MUTED, NAMES, PAPER, RULE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MM_PER_INCH = 25.4
_PNG_DPI = 150
_NUMBER = re.compile(r"-?\d+\.\d{3,}")
_GROUP_ID = re.compile(r' id="[A-Za-z][\w.]*?_\d+"')
_ATTRIBUTE = re.compile(r'(fill|stroke)="(#[0-9a-f]{6})"')
_COLOUR = re.compile(r"#[0-9a-f]{6}\b")


class Sheet:
    """Made and drawn within `library.drawing`."""

    def __init__(self, width_mm: float, height_mm: float, *, paper: bool) -> None:
        """`paper`: whether the sheet is white, or lets what lies under it be seen."""
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        self.width_mm, self.height_mm = width_mm, height_mm
        self.figure = Figure(figsize=(width_mm / _MM_PER_INCH, height_mm / _MM_PER_INCH))
        FigureCanvasAgg(self.figure)
        self.figure.patch.set_facecolor(PAPER)
        self.figure.patch.set_visible(paper)

    def axes(self, left_mm: float, top_mm: float, width_mm: float, height_mm: float) -> Axes:
        """Plain axes: a line below and one at the left, everything in our inks."""
        place = (
            left_mm / self.width_mm,
            1 - (top_mm + height_mm) / self.height_mm,
            width_mm / self.width_mm,
            height_mm / self.height_mm,
        )
        ax = self.figure.add_axes(place)
        ax.patch.set_visible(False)
        for side in ("top", "right"):
            ax.spines[side].set_visible(False)
        for side in ("left", "bottom"):
            ax.spines[side].set_color(MUTED)
        ax.tick_params(colors=INK, which="both", color=MUTED)
        ax.grid(axis="y", color=RULE, linewidth=0.4)
        ax.set_axisbelow(True)
        return ax

    def text(
        self,
        left_mm: float,
        top_mm: float,
        text: str,
        *,
        size: float = 8.0,
        bold: bool = False,
        color: str = INK,
        right: bool = False,
    ) -> None:
        """`top_mm` is the upper edge of the letters; `right`: they end at `left_mm`."""
        self.figure.text(
            left_mm / self.width_mm,
            1 - top_mm / self.height_mm,
            printable(text),
            size=size,
            weight="bold" if bold else "normal",
            color=color,
            va="top",
            ha="right" if right else "left",
        )

    def save_png(self, path: Path) -> None:
        # its size in millimetres goes with it: printed at 100 %, ECG paper is true
        self.figure.savefig(path, format="png", dpi=_PNG_DPI, metadata={"Software": None})

    def svg(self) -> str:
        """The drawing for a page: its colours are the page's variables, it loads nothing and names no time."""
        out = io.StringIO()
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        self.figure.savefig(out, format="svg", metadata=nothing)
        text = out.getvalue()
        text = text[text.index("<svg") :]
        text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
        text = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
        text = _GROUP_ID.sub("", text)
        text = _NUMBER.sub(lambda number: f"{float(number[0]):.2f}".rstrip("0").rstrip("."), text)
        text = text.replace("'DejaVu Sans'", "'DejaVu Sans', Verdana, sans-serif")
        return re.sub(r"\s*\n\s*", "\n", text).strip()


def with_variables(svg: str) -> str:
    """Each of our colours as the variable of the page that it stands in, in a style: no attribute knows variables."""
    svg = _ATTRIBUTE.sub(r'style="\1: \2"', svg)
    return _COLOUR.sub(lambda colour: f"var(--{NAMES[colour[0]][0]})" if colour[0] in NAMES else colour[0], svg)


def printable(text: str) -> str:
    """What a record is called may hold anything; a picture shows what is a letter."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
