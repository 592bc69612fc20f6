"""RR intervals over time: the normal ones joined, what was left out marked by why, and a break where none is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from device_pipeline.beat import BeatLabel
from device_pipeline.intervals import IntervalKind
from vitalkeep.plot import ink
from vitalkeep.plot.day import Day, Span
from vitalkeep.plot.draw_trend import draw_absent, draw_trend, say
from vitalkeep.plot.intervals_seen import SeenInterval
from vitalkeep.plot.time_axis import set_time
from vitalkeep.plot.trend import Floats, Trend, trend

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_APART_S = 3.5  # no RR interval is longer
_MOST_MARKS = 1200  # of more, the share of each column of time is shown
_FEW_MARKS = 250
_COLUMNS = 200
_BROAD_MM = 140.0  # from here on the legend has room on one line; below it takes two
LEGEND_MM = 9.0  # what it takes above the axes
_MARKS = {
    IntervalKind.ECTOPIC: ("x", "early or late beat"),
    IntervalKind.MISSED: ("^", "missed beat within"),
    IntervalKind.EXTRA: ("v", "extra detection"),
    IntervalKind.IMPOSSIBLE: ("s", "impossible"),
}
_BEATS = {
    BeatLabel.V: ("D", ink.IRREGULAR, "ventricular beat (V)"),
    BeatLabel.S: ("o", ink.SECOND, "early from above (S)"),
}


@dataclass(frozen=True, slots=True, repr=False)
class Tachogram:
    """`left_out`: (kind, times in s, intervals in ms) of each, where a picture has room for them.

    `beats`: (label, times in s, intervals in ms) of the intervals that end at a V or S beat, of many only some.

    Where it has not, `left_out_share` of each column between `edges_s`, in per cent of the intervals in it; else empty.
    """

    end_s: float
    normal: Trend
    left_out: tuple[tuple[IntervalKind, tuple[float, ...], tuple[float, ...]], ...]
    edges_s: Floats
    left_out_share: Floats
    n: int
    n_left_out: int
    absent: tuple[Span, ...]
    poor: tuple[Span, ...]
    untold: tuple[Span, ...]
    beats: tuple[tuple[BeatLabel, tuple[float, ...], tuple[float, ...]], ...] = ()

    def __repr__(self) -> str:
        return f"<Tachogram n={self.n}>"


def tachogram(
    windows: Sequence[Sequence[SeenInterval]],
    view: Day,
    most: int = 1000,
    kinds: Sequence[tuple[float, BeatLabel]] = (),
) -> Tachogram:
    """`kinds`: (moment in s, label) of the beats that a label is known of."""
    points: list[tuple[float, float | None]] = []
    marks: dict[IntervalKind, list[tuple[float, float]]] = {}
    n = n_left_out = 0
    for window in windows:
        for interval in window:
            n += 1
            if interval.kind is IntervalKind.NORMAL:
                if not interval.follows and points:
                    points.append((interval.t_s, None))
                points.append((interval.t_s, interval.rr_ms))
            else:
                n_left_out += 1
                points.append((interval.t_s, None))
                marks.setdefault(interval.kind, []).append((interval.t_s, interval.rr_ms))
    many = n_left_out > _MOST_MARKS
    left_out = []
    for kind in _MARKS:
        kept = marks.get(kind, [])
        if kept and not many:
            left_out.append((kind, tuple(t for t, _ in kept), tuple(rr for _, rr in kept)))
    edges_s = np.linspace(0.0, view.end_s, _COLUMNS + 1)
    share = np.zeros(0)
    if many:
        all_n = np.histogram([interval.t_s for window in windows for interval in window], edges_s)[0]
        out_n = np.histogram([t_s for kept in marks.values() for t_s, _ in kept], edges_s)[0]
        share = 100.0 * out_n / np.maximum(1, all_n)
    label_at = {round(t_s * 1e6): label for t_s, label in kinds if label in _BEATS}
    by_label: dict[BeatLabel, list[tuple[float, float]]] = {}
    for window in windows:
        for interval in window:
            if (label := label_at.get(round(interval.t_s * 1e6))) is not None:
                by_label.setdefault(label, []).append((interval.t_s, interval.rr_ms))
    beats = []
    for label in _BEATS:
        kept = by_label.get(label, [])
        kept = kept[:: 1 + len(kept) // _MOST_MARKS]
        if kept:
            beats.append((label, tuple(t for t, _ in kept), tuple(rr for _, rr in kept)))
    shown = trend(points, view.end_s, most, _APART_S)
    if len(points) <= 3 * most:
        shown = trend(points, view.end_s, len(points), _APART_S)
    return Tachogram(
        view.end_s,
        shown,
        tuple(left_out),
        edges_s,
        share,
        n,
        n_left_out,
        view.absent,
        view.poor,
        view.untold,
        tuple(beats),
    )


def draw_tachogram(ax: Axes, shown: Tachogram, width_mm: float) -> None:
    if not shown.n:
        ax.set_ylim(400, 1200)
        say(ax, "No RR interval is known")
    else:
        ax.set_ylim(*rr_limits(shown))
    draw_absent(ax, shown.untold, shown.end_s, width_mm, named=True)
    draw_absent(ax, shown.poor, shown.end_s, width_mm, named=True, poor=True)
    draw_absent(ax, shown.absent, shown.end_s, width_mm, named=True)
    draw_trend(ax, shown.normal)
    low, high = ax.get_ylim()
    for kind, t_s, rr_ms in shown.left_out:
        marker, name = _MARKS[kind]
        ax.plot(
            t_s,
            np.clip(rr_ms, low, high),
            marker,
            color=ink.OTHER,
            markersize=3.6 if shown.n_left_out < _FEW_MARKS else 2.6,
            markeredgewidth=0.8,
            markerfacecolor="none",
            label=name,
            clip_on=False,
        )
    for label, t_s, rr_ms in shown.beats:
        marker, colour, name = _BEATS[label]
        ax.plot(
            t_s,
            np.clip(rr_ms, low, high),
            marker,
            color=colour,
            markersize=4.6 if len(t_s) < _FEW_MARKS else 3.0,
            markeredgewidth=0,
            label=name,
            clip_on=False,
            zorder=4,
        )
    if len(shown.left_out_share):
        _draw_share(ax, shown)
    if shown.left_out or shown.beats:
        ax.legend(
            loc="lower right",
            bbox_to_anchor=(1.0, 1.0),
            borderaxespad=0.2,
            ncols=len(shown.left_out) + len(shown.beats) if width_mm > _BROAD_MM else 2,
            frameon=False,
            fontsize=7,
            handletextpad=0.1,
            columnspacing=1.0,
            labelcolor=ink.INK,
        )
    set_time(ax, shown.end_s, max(4, int(width_mm / 18)), labelled=True)


def _draw_share(ax: Axes, shown: Tachogram) -> None:
    """Bars from below; their whole scale is the lowest quarter of the picture."""
    low, high = ax.get_ylim()
    ax.set_ylim(low - (high - low) / 3, high)
    ax.set_yticks([tick for tick in ax.get_yticks() if low <= tick <= high])
    right = ax.twinx()
    right.set_ylim(0.0, 400.0)
    right.set_yticks([0.0, 100.0], ["0", "100"])
    right.tick_params(length=2, pad=1, colors=ink.OTHER)
    right.text(
        0.004, 0.235, "left out, %", transform=right.transAxes, color=ink.OTHER, size=7, va="top", ha="left", zorder=5
    )
    for side in right.spines.values():
        side.set_visible(False)
    right.stairs(shown.left_out_share, shown.edges_s, fill=True, color=ink.OTHER, linewidth=0)


def rr_limits(shown: Tachogram) -> tuple[float, float]:
    """Round limits; the few longest and shortest of what is left out are drawn at the edge."""
    values = [*shown.normal.low.tolist(), *shown.normal.high.tolist()]
    others = [rr for _, _, rr_ms in shown.left_out for rr in rr_ms]
    if others:
        values += [float(np.percentile(others, 2)), float(np.percentile(others, 98))]
    low, high = min(values), max(values)
    spare = max(0.05 * (high - low), (200 - (high - low)) / 2)
    return max(0.0, float(np.floor((low - spare) / 50) * 50)), float(np.ceil((high + spare) / 50) * 50)
