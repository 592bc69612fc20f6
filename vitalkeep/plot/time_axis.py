"""Time from the start of the record, in steps that people count in."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 14400, 21600, 43200, 86400)


def ticks_s(end_s: float, most: int) -> list[float]:
    """At most `most` + 1 round times from 0 to `end_s`."""
    step_s = next((step for step in _STEPS_S if end_s / step <= most), None)
    if step_s is None:
        days = -(-end_s // (86400 * most))
        step_s = int(86400 * days)
    return [float(step_s * k) for k in range(int(end_s // step_s) + 1)]


def stamp(t_s: float, end_s: float) -> str:
    """0:40 or 13:05:00: a moment of a record that lasts `end_s`."""
    whole = int(t_s)
    hours, minutes, seconds = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02}:{seconds:02}" if end_s >= 3600 else f"{whole // 60}:{seconds:02}"


def tick(t_s: float, end_s: float) -> str:
    """The same on an axis: from an hour on without seconds, which are 0 there."""
    if end_s >= 7200:
        return f"{int(t_s) // 3600}:{int(t_s) // 60 % 60:02}"
    return stamp(t_s, end_s)


def unit(end_s: float) -> str:
    return "h:min" if end_s >= 7200 else "h:min:s" if end_s >= 3600 else "min:s"


def set_time(ax: Axes, end_s: float, most: int, *, labelled: bool) -> None:
    """The x axis of `ax` from 0 to `end_s`, in seconds."""
    at_s = ticks_s(end_s, most)
    ax.set_xlim(0.0, end_s)
    ax.set_xticks(at_s, [tick(t_s, end_s) for t_s in at_s] if labelled else [])
    if labelled:
        ax.set_xlabel(f"time from the start, {unit(end_s)}", labelpad=2)


def began(start_ns: int) -> str | None:
    """When the record began, on the clock of where it is read; None where the file has no date."""
    if start_ns <= 0:
        return None
    local = datetime.fromtimestamp(start_ns // 10**9, UTC).astimezone()
    return f"{local:%Y-%m-%d %H:%M:%S} (UTC{local:%z})"
