"""Lines and bands that stop where knowledge stops."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vitalkeep.plot import ink
from vitalkeep.plot.day import Span, broad
from vitalkeep.plot.trend import Trend

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MM_PER_LETTER = 1.35  # of the smallest text
_HATCHED_MM = 1.5  # a narrower span shows no hatching, so it is drawn in one colour


def draw_trend(ax: Axes, shown: Trend, *, color: str = ink.LINE, band: str = ink.BAND) -> None:
    for first, last in shown.runs:
        t_s, middle = shown.t_s[first:last], shown.middle[first:last]
        if shown.thinned:
            ax.fill_between(t_s, shown.low[first:last], shown.high[first:last], color=band, linewidth=0.4)
        if last - first == 1:
            ax.plot(t_s, middle, ".", color=color, markersize=2.5, markeredgewidth=0)
        else:
            ax.plot(t_s, middle, color=color, linewidth=1.0, solid_joinstyle="round")


def draw_absent(
    ax: Axes, spans: Sequence[Span], end_s: float, width_mm: float, *, named: bool, poor: bool = False
) -> None:
    """What is not there, or `poor`: hatched, and named where there is room for the name, across or upright."""
    from matplotlib.transforms import blended_transform_factory

    place = blended_transform_factory(ax.transData, ax.transAxes)
    free_s = 0.0
    face, edge, hatch = (ink.POOR_PAPER, ink.POOR, "\\\\") if poor else (ink.ABSENT_PAPER, ink.ABSENT, "////")
    for span in broad(spans, 0.25 * end_s / width_mm):
        room_mm = (span.end_s - span.start_s) / end_s * width_mm
        if room_mm < _HATCHED_MM:
            ax.axvspan(span.start_s, span.end_s, facecolor=edge, linewidth=0)
            continue
        ax.axvspan(span.start_s, span.end_s, facecolor=face, edgecolor=edge, hatch=hatch, linewidth=0)
        across = room_mm > len(span.name) * _MM_PER_LETTER + 2
        middle_s = (span.start_s + span.end_s) / 2
        if not named or room_mm < 3.0 or middle_s < free_s:
            continue
        free_s = span.end_s
        ax.text(
            middle_s,
            0.5,
            span.name,
            transform=place,
            rotation=0 if across else 90,
            ha="center",
            va="center",
            size=6.5,
            color=ink.INK,
            bbox={"facecolor": face, "edgecolor": "none", "pad": 1.0},
        )


def say(ax: Axes, text: str) -> None:
    """In place of a curve, above where the reason stands."""
    paper = {"facecolor": ink.PAPER, "edgecolor": "none", "pad": 2.0}
    ax.text(0.5, 0.85, text, transform=ax.transAxes, ha="center", va="center", color=ink.INK, size=9.0, bbox=paper)
