"""A strip on ECG paper, to scale: 25 mm for a second and 10 mm for a millivolt, as the pulse at its left shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sensors.samples import Kind
from vitalkeep.plot import ink
from vitalkeep.plot.sheet import Sheet
from vitalkeep.plot.strip import Strip
from vitalkeep.plot.time_axis import stamp

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LENGTH_S = 10.0
MM_PER_S = 25.0
_LEAD_S = 0.6  # of paper before the signal, for the pulse of 1 mV
STRIP_WIDTH_MM = (LENGTH_S + _LEAD_S) * MM_PER_S
_TITLE_MM, _MARKS_MM, _BELOW_MM = 5.0, 4.2, 4.6
_GAINS_MM_PER_MV = (10.0, 5.0, 2.5)
_LEAST_MM, _MOST_MM = 25.0, 60.0
_PPG_MM = 30.0
_KINDS = {"V": ink.IRREGULAR, "S": ink.SECOND}  # as in the picture of the intervals


@dataclass(frozen=True, slots=True)
class Paper:
    """[low, high] of the values on `height_mm` of paper. `gain_mm`: per mV, None where values have no unit."""

    low: float
    high: float
    height_mm: float
    gain_mm: float | None


def paper(strip: Strip, kind: Kind) -> Paper:
    """Room for all but the outermost 0.2 % of the values, in large squares; where 60 mm will not do, less gain."""
    values = np.concatenate([values for _, values in strip.lines]) if strip.lines else np.zeros(1)
    low, high = (float(edge) for edge in np.percentile(values, [0.1, 99.9]))
    if kind is not Kind.ECG:
        spare = 0.1 * (high - low) or 1.0
        return Paper(low - spare, high + spare, _PPG_MM, None)
    middle = float(np.median(values))
    for gain_mm in _GAINS_MM_PER_MV:
        square = 5.0 / gain_mm
        below = np.ceil((middle - low + 0.1 * square) / square) * square
        above = np.ceil((high - middle + 0.1 * square) / square) * square
        height_mm = (below + above) * gain_mm
        if height_mm <= _MOST_MM:
            break
    missing = max(0.0, (_LEAST_MM - height_mm) / gain_mm)
    squares_below = np.floor(missing / 2 / square) * square
    below, above = below + squares_below, above + missing - squares_below
    cut = max(0.0, (below + above) - _MOST_MM / gain_mm) / 2
    low, high = middle - below + cut, middle + above - cut
    return Paper(float(low), float(high), float((high - low) * gain_mm), gain_mm)


def strip_height_mm(strip: Strip, kind: Kind, *, titled: bool = True) -> float:
    return (_TITLE_MM if titled else 0.0) + _MARKS_MM + paper(strip, kind).height_mm + _BELOW_MM


def strip_title(strip: Strip, end_s: float) -> str:
    rate = "" if strip.rate_bpm is None else f" · {strip.rate_bpm:.0f} bpm"
    first, last = stamp(strip.start_s, end_s), stamp(strip.start_s + LENGTH_S, end_s)
    return f"{first} – {last}{rate} · {'; '.join(strip.choice.why)}"


def scale_words(strip: Strip, kind: Kind) -> str:
    gain_mm = paper(strip, kind).gain_mm
    return "25 mm/s, height scaled to fit" if gain_mm is None else f"25 mm/s, {gain_mm:g} mm/mV"


def draw_strip(
    sheet: Sheet, top_mm: float, left_mm: float, strip: Strip, kind: Kind, end_s: float, *, titled: bool = True
) -> None:
    on = paper(strip, kind)
    if titled:
        sheet.text(left_mm, top_mm, strip_title(strip, end_s), size=8.5, bold=True)
        right_mm = left_mm + STRIP_WIDTH_MM
        sheet.text(right_mm, top_mm + 0.3, scale_words(strip, kind), size=7.5, color=ink.MUTED, right=True)
        top_mm += _TITLE_MM
    ax = sheet.axes(left_mm, top_mm + _MARKS_MM, STRIP_WIDTH_MM, on.height_mm)
    ax.set_xlim(-_LEAD_S, LENGTH_S)
    ax.set_ylim(on.low, on.high)
    ax.set_xticks([])
    ax.set_yticks([])
    ax.grid(visible=False)
    for spine in ax.spines.values():
        spine.set_visible(False)
    _grid(ax, on)
    _shades(ax, strip)
    if on.gain_mm is not None and on.high - on.low >= 1.0:
        base = float(np.median(np.concatenate([v for _, v in strip.lines]))) if strip.lines else (on.low + on.high) / 2
        base = min(base, on.high - 1.0)
        pulse_s, pulse_mv = [-0.5, -0.4, -0.4, -0.2, -0.2, -0.1], [0.0, 0.0, 1.0, 1.0, 0.0, 0.0]
        ax.plot(pulse_s, [base + mv for mv in pulse_mv], color=ink.TRACE, linewidth=0.9, solid_joinstyle="miter")
    for t_s, values in strip.lines:
        ax.plot(t_s, values, color=ink.TRACE, linewidth=0.9, solid_joinstyle="round", zorder=3)
    _marks(ax, strip, kind, on)


def _grid(ax: Axes, on: Paper) -> None:
    """Lines every 1 mm and 5 mm; up and down only where values have a unit."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    columns_s = np.arange(round(STRIP_WIDTH_MM) + 1) / MM_PER_S - _LEAD_S
    rows = np.zeros(0)
    if on.gain_mm is not None:
        rows = on.low + np.arange(round(on.height_mm) + 1) / on.gain_mm
    for each, color, width in ((1, ink.GRID_FINE, 0.35), (5, ink.GRID_BOLD, 0.5)):
        ends = [((x, on.low), (x, on.high)) for x in columns_s[::each].tolist()]
        ends += [((-_LEAD_S, y), (LENGTH_S, y)) for y in rows[::each].tolist()]
        corners = [corner for pair in ends for corner in pair]
        codes = [Path.MOVETO, Path.LINETO] * len(ends)
        ax.add_patch(
            PathPatch(Path(corners, codes), fill=False, edgecolor=color, linewidth=width, clip_on=False, zorder=0)
        )


def _shades(ax: Axes, strip: Strip) -> None:
    for shade in strip.shades:
        face, edge, hatch = (
            (ink.ABSENT_PAPER, ink.ABSENT, "////") if shade.absent else (ink.POOR_PAPER, ink.POOR, "\\\\")
        )
        ax.axvspan(
            shade.start_s, shade.end_s, facecolor=face, edgecolor=edge, hatch=hatch, linewidth=0, alpha=0.75, zorder=1
        )
        if shade.end_s - shade.start_s > 0.08 * len(shade.reason):
            ax.text(
                shade.start_s + 0.06,
                0.96,
                shade.reason if shade.absent else f"poor: {shade.reason}",
                transform=ax.get_xaxis_transform(),
                size=7.0,
                va="top",
                color=ink.INK,
                bbox={"facecolor": face, "edgecolor": "none", "pad": 1.2},
                zorder=4,
            )


def _marks(ax: Axes, strip: Strip, kind: Kind, on: Paper) -> None:
    """Above the paper each beat, hollow where it is a guess; below it each interval in ms."""
    per_mm = (on.high - on.low) / on.height_mm
    for trusted in (True, False):
        at_s = [mark.t_s for mark in strip.marks if mark.trusted is trusted]
        if at_s:
            ax.plot(
                at_s,
                [on.high + 1.3 * per_mm] * len(at_s),
                "v",
                color=ink.LINE if trusted else ink.MUTED,
                markerfacecolor=ink.LINE if trusted else "none",
                markersize=4.2,
                markeredgewidth=0.8,
                clip_on=False,
            )
    for mark in strip.marks:
        if mark.label:
            ax.text(
                mark.t_s + 0.05,
                on.high + 0.6 * per_mm,
                mark.label,
                size=7.5,
                weight="bold",
                color=_KINDS.get(mark.label, ink.OTHER),
                clip_on=False,
            )
    for middle_s, rr_ms in strip.rr:
        ax.text(
            middle_s,
            on.low - 0.6 * per_mm,
            f"{rr_ms:.0f}",
            size=6.5,
            ha="center",
            va="top",
            color=ink.MUTED,
            clip_on=False,
        )
    unit = "RR, ms" if kind is Kind.ECG else "PP, ms"
    ax.text(-_LEAD_S, on.low - 0.6 * per_mm, unit, size=6.5, va="top", color=ink.MUTED, clip_on=False)
    if not strip.lines:
        ax.text(
            LENGTH_S / 2, (on.low + on.high) / 2, "no signal here", ha="center", va="center", color=ink.MUTED, size=9
        )
