"""The day view: rows over one axis of time, each with its name above it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vitalkeep.cli.pictures import clock
from vitalkeep.plot import ink
from vitalkeep.plot.day import Day, Quantity, level_rank
from vitalkeep.plot.draw_trend import draw_absent, draw_trend, say
from vitalkeep.plot.sheet import Sheet
from vitalkeep.plot.time_axis import set_time
from vitalkeep.plot.trend import Trend

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LEFT_MM, _RIGHT_MM = 12.0, 4.0
_NAME_MM, _SPACE_MM, _BELOW_MM = 4.6, 2.4, 8.5
_LEAST_RATE_SPAN_BPM = 40.0


@dataclass(frozen=True, slots=True)
class _Row:
    name: str
    height_mm: float
    draw: Callable[[Axes, Day, float], None]


def day_height_mm(view: Day) -> float:
    return sum(_NAME_MM + row.height_mm + _SPACE_MM for row in _rows(view)) - _SPACE_MM + _BELOW_MM


def draw_day(sheet: Sheet, top_mm: float, left_mm: float, width_mm: float, view: Day) -> None:
    inner_mm = width_mm - _LEFT_MM - _RIGHT_MM
    rows = _rows(view)
    for row in rows:
        sheet.text(left_mm, top_mm, row.name, size=8.0, bold=True)
        top_mm += _NAME_MM
        ax = sheet.axes(left_mm + _LEFT_MM, top_mm, inner_mm, row.height_mm)
        row.draw(ax, view, inner_mm)
        set_time(ax, view.end_s, max(4, int(inner_mm / 18)), labelled=row is rows[-1])
        top_mm += row.height_mm + _SPACE_MM


def _rows(view: Day) -> list[_Row]:
    rows = [_Row("Heart rate, bpm", 34.0, _rate)]
    if view.envelope is not None:
        rows.append(_Row("Signal, lowest to highest", 12.0, _envelope))
    rows.append(_Row("Signal quality: good, poor (hatched), none blank", 5.0, _quality))
    rows.append(_Row("Rhythm: irregular (hatched), else pale, unknown blank", 5.0, _rhythm))
    if view.alerts:
        n = len(view.alerts)
        rows.append(_Row("Alerts", 4.6 * n + 0.8, _alerts))
    else:
        rows.append(_Row("Alerts: none", 2.0, _alerts))
    if len(view.respiration.shown):
        rows.append(_Row("Respiration, breaths/min", 16.0, _respiration))
    if len(view.spo2.shown):
        n = len(view.desaturations)
        drops = f", {n} desaturation{'s' if n > 1 else ''} (marked below)" if n else ""
        rows.append(
            _Row(f"Oxygen saturation, %{', uncalibrated' if view.spo2_uncalibrated else ''}{drops}", 18.0, _spo2)
        )
    if view.activity:
        rows.append(_Row(f"Activity, {view.steps or 0:,} steps", 14.0, _activity))
    if view.posture:
        rows.append(_Row("Posture", 5.0, _posture))
    if len(view.temperature.shown):
        rows.append(_Row(f"Temperature, °C ({', '.join(view.temperature_sites)})", 16.0, _temperature))
    return rows


def rate_limits(shown: Trend) -> tuple[float, float]:
    """Round limits that hold every rate and are never so close that a steady heart looks restless."""
    if not len(shown):
        return 40.0, 120.0
    low, high = float(shown.low.min()), float(shown.high.max())
    spare = max(0.0, _LEAST_RATE_SPAN_BPM - (high - low)) / 2
    return float(np.floor((low - spare - 2) / 10) * 10), float(np.ceil((high + spare + 2) / 10) * 10)


def _rate(ax: Axes, view: Day, width_mm: float) -> None:
    ax.set_ylim(*rate_limits(view.rate))
    draw_absent(ax, view.untold, view.end_s, width_mm, named=True)
    draw_absent(ax, view.poor, view.end_s, width_mm, named=True, poor=True)
    draw_absent(ax, view.absent, view.end_s, width_mm, named=True)
    draw_trend(ax, view.rate)
    if not len(view.rate):
        say(ax, "No heart rate could be told")


def _envelope(ax: Axes, view: Day, width_mm: float) -> None:
    shown = view.envelope
    if shown is None:
        return
    half_s = view.end_s / max(1, 2 * len(shown)) if shown.thinned else 0.5
    for first, last in shown.runs:
        t_s = np.concatenate(([shown.t_s[first] - half_s], shown.t_s[first:last], [shown.t_s[last - 1] + half_s]))
        low, high = shown.low[first:last], shown.high[first:last]
        ax.fill_between(
            t_s,
            np.concatenate(([low[0]], low, [low[-1]])),
            np.concatenate(([high[0]], high, [high[-1]])),
            color=ink.MUTED,
            linewidth=0.3,
        )
    draw_absent(ax, view.absent, view.end_s, width_mm, named=False)
    # a single spike must not flatten the rest
    low_limit, high_limit = float(np.percentile(shown.low, 1)), float(np.percentile(shown.high, 99))
    spare = 0.15 * (high_limit - low_limit) or 1.0
    ax.set_ylim(low_limit - spare, high_limit + spare)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)


def _quality(ax: Axes, view: Day, _: float) -> None:
    shown = view.quality
    ax.stairs(shown.good, shown.edges_s, fill=True, color=ink.GOOD, linewidth=0)
    ax.stairs(
        shown.good + shown.poor,
        shown.edges_s,
        baseline=shown.good,
        fill=True,
        facecolor=ink.POOR_PAPER,
        edgecolor=ink.POOR,
        hatch="//////",
        linewidth=0,
    )
    _ribbon(ax)


def _rhythm(ax: Axes, view: Day, width_mm: float) -> None:
    least_s = 0.3 * view.end_s / width_mm
    for span in view.rhythm:
        width_s = max(span.end_s - span.start_s, least_s)
        if span.name == "AFIB":
            ax.broken_barh(
                [(span.start_s, width_s)],
                (0, 1),
                facecolor=ink.IRREGULAR,
                edgecolor=ink.PAPER,
                hatch="\\\\\\\\",
                linewidth=0,
                zorder=2,
            )
        else:
            ax.broken_barh([(span.start_s, width_s)], (0, 1), facecolor=ink.REGULAR, linewidth=0)
    _ribbon(ax)


def _alerts(ax: Axes, view: Day, width_mm: float) -> None:
    lanes = len(view.alerts)
    least_s = 0.5 * view.end_s / width_mm
    for lane, (rule, spans) in enumerate(view.alerts):
        low = lanes - 1 - lane
        ax.broken_barh(
            [(span.start_s, max(span.end_s - span.start_s, least_s)) for span in spans],
            (low + 0.08, 0.34),
            facecolor=ink.IRREGULAR,
            linewidth=0,
        )
        total = clock(sum(span.end_s - span.start_s for span in spans))
        often = "" if len(spans) == 1 else f"{len(spans)} times, "
        # beside the first one, on the side that has more room
        first_s, last_s = spans[0].start_s, spans[-1].end_s
        at_right = last_s > 0.65 * view.end_s and first_s > 0.35 * view.end_s
        ax.text(
            min(first_s, view.end_s) if not at_right else min(last_s, view.end_s),
            low + 0.48,
            f"{rule.replace('_', ' ')}: {often}{total}",
            size=7.0,
            color=ink.INK,
            ha="right" if at_right else "left",
            va="bottom",
        )
    ax.set_ylim(0, max(1, lanes))
    ax.set_yticks([])
    ax.grid(visible=False)
    ax.spines["left"].set_visible(False)


def _respiration(ax: Axes, view: Day, width_mm: float) -> None:
    _quantity(ax, view, view.respiration, width_mm, 8.0)


def _temperature(ax: Axes, view: Day, width_mm: float) -> None:
    _quantity(ax, view, view.temperature, width_mm, 1.0)


def _spo2(ax: Axes, view: Day, width_mm: float) -> None:
    _quantity(ax, view, view.spo2, width_mm, 8.0)
    low, high = ax.get_ylim()
    ax.set_ylim(low - 0.12 * (high - low), min(high, 101.0))
    least_s = 0.3 * view.end_s / width_mm
    ax.broken_barh(
        [(span.start_s, max(span.end_s - span.start_s, least_s)) for span in view.desaturations],
        (low - 0.10 * (high - low), 0.07 * (high - low)),
        facecolor=ink.OTHER,
        linewidth=0,
    )


def _quantity(ax: Axes, view: Day, quantity: Quantity, width_mm: float, least_span: float) -> None:
    from matplotlib.ticker import MaxNLocator

    shown = quantity.shown
    low, high = float(shown.low.min()), float(shown.high.max())
    spare = max(0.06 * (high - low), (least_span - (high - low)) / 2)
    ax.set_ylim(low - spare, high + spare)
    ax.yaxis.set_major_locator(MaxNLocator(4))
    draw_absent(ax, quantity.absent, view.end_s, width_mm, named=True)
    draw_trend(ax, shown)


def _activity(ax: Axes, view: Day, width_mm: float) -> None:
    draw_absent(ax, view.activity_absent, view.end_s, width_mm, named=True)
    for span in view.activity:
        ax.broken_barh(
            [(span.start_s, span.end_s - span.start_s)],
            (0, level_rank(span.name) + 0.5),
            facecolor=ink.SECOND,
            linewidth=0,
        )
    ax.set_ylim(0, 4)
    ax.set_yticks([0.25, 1.25, 2.25, 3.25], ["still", "light", "mod.", "vig."])


def _posture(ax: Axes, view: Day, width_mm: float) -> None:
    for number, span in enumerate(view.posture):
        paper = (ink.REGULAR, ink.RULE)[number % 2]
        ax.broken_barh([(span.start_s, span.end_s - span.start_s)], (0, 1), facecolor=paper, linewidth=0)
        if (span.end_s - span.start_s) / view.end_s * width_mm > 1.5 * len(span.name):
            middle_s = (span.start_s + span.end_s) / 2
            ax.text(middle_s, 0.5, span.name, size=6.5, ha="center", va="center", color=ink.INK)
    _ribbon(ax)


def _ribbon(ax: Axes) -> None:
    ax.set_ylim(0, 1)
    ax.set_yticks([])
    ax.grid(visible=False)
    ax.spines["left"].set_visible(False)
