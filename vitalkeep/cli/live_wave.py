"""The strip of the live view: the wave with a scale that holds still, or the intervals of a sensor without one."""

from __future__ import annotations

import numpy as np
from rich.text import Text

from device_pipeline.beat import BeatLabel, BeatSource
from sensors.samples import Kind
from vitalkeep.cli.live_state import LONGEST_SHOWN_S, Shown
from vitalkeep.cli.pictures import DOT_COLUMNS, DOT_ROWS, dot_row, strip

_COLUMNS_PER_S = 13  # one paper speed, however wide the terminal
_GUTTER = 8
_INTERVALS_SHOWN_S = 60.0
_BARS_MV = (10.0, 5.0, 2.0, 1.0, 0.5, 0.2)


def wave(shown: Shown, width: int, rows: int) -> list[Text]:
    """The strip in its frame: the newest sample at the right edge, a mark above every beat, a tick every second.

    A sensor without a wave shows the length of its intervals instead, over a minute.
    """
    cells = width - _GUTTER - 3
    waveless = shown.kind is None and shown.source is BeatSource.RR
    shown_s = _INTERVALS_SHOWN_S if waveless else min(LONGEST_SHOWN_S, cells / _COLUMNS_PER_S)
    tick_s = 10 if waveless else 1
    title = {Kind.ECG: " ECG ", Kind.PPG: " pulse wave, own scale "}.get(shown.kind or Kind.ACC, " wave ")
    title = " intervals between beats " if waveless else title
    top = Text.assemble(("╭─", "dim"), (title, "bold"), ("─" * (width - 3 - len(title)) + "╮", "dim"))
    edge = ["─"] * cells
    for second in range(tick_s, int(shown_s) + 1, tick_s):
        edge[max(0, cells - 1 - round(second * cells / shown_s))] = "┴"
    label = f" ticks {tick_s} s "
    floor = "╰" + "─" * (_GUTTER + 1) + "".join(edge) + "╯"
    bottom = Text(floor[: width - 2 - len(label)] + label + floor[width - 2 :], style="dim")
    columns = _interval_columns(shown, cells, shown_s) if waveless else _columns(shown, cells, shown_s)
    known = [column for column in columns if column is not None]
    bar = Text("│", style="dim")
    blank = " " * (_GUTTER + 1)
    if not known:
        body = [Text(" " * (width - 2)) for _ in range(rows + 1)]
        said = shown.why_not or "nothing yet"
        body[rows // 2] = Text(said.center(width - 2)[: width - 2], style="yellow" if shown.started else "dim")
    else:
        low, high = min(low for low, _ in known), max(high for _, high in known)
        if waveless:  # whole tenths of a second
            low, high = 100 * np.floor(low / 100), 100 * np.floor(high / 100 + 1)
            gutter = [f"{high:.0f} ms ", *[""] * (rows - 2), f"{low:.0f} ms "]
        else:
            shown.scale.fit(low, high, shown.kind is Kind.ECG)
            low, high = shown.scale.low, shown.scale.high
            gutter = _ruler(rows, low, high) if shown.kind is Kind.ECG else [""] * rows
        poor = [] if waveless else _poor_cells(shown, cells, shown_s)
        body = [Text(blank + (" " * cells if waveless else _marks(shown, cells, shown_s)), style="bold red")]
        for left, line in zip(gutter, strip(columns, rows, low, high), strict=True):
            body.append(Text.assemble((f"{left:>{_GUTTER}} ", "dim"), (line, "green")))
        for row in body:
            for start, end in poor:
                row.stylize("yellow", len(blank) + start, len(blank) + end)
    return [top, *(Text.assemble(bar, line, bar) for line in body), bottom]


def _columns(shown: Shown, cells: int, shown_s: float) -> list[tuple[float, float] | None]:
    n = DOT_COLUMNS * cells
    lowest, highest = np.full(n, np.inf), np.full(n, -np.inf)
    per_ns = n / (shown_s * 1e9)
    for block in shown.wave:
        first = (block.start_ns - (shown.now_ns - shown_s * 1e9)) * per_ns
        at = np.floor(first + np.arange(len(block)) * (block.step_ns * per_ns)).astype(np.int64)
        inside = (at >= 0) & (at < n)
        np.minimum.at(lowest, at[inside], block.values[inside])
        np.maximum.at(highest, at[inside], block.values[inside])
        # Where samples come less often than columns, each holds until the next.
        filled = at[inside]
        for column in np.setdiff1d(np.arange(filled[0], filled[-1] + 1), filled) if len(filled) else ():
            lowest[column], highest[column] = lowest[column - 1], highest[column - 1]
    pairs = zip(lowest.tolist(), highest.tolist(), strict=True)
    return [None if low > high else (low, high) for low, high in pairs]


def _interval_columns(shown: Shown, cells: int, shown_s: float) -> list[tuple[float, float] | None]:
    """Each interval from its first beat to its last, in ms."""
    n = DOT_COLUMNS * cells
    columns: list[tuple[float, float] | None] = [None] * n
    per_ns = n / (shown_s * 1e9)
    for beat in shown.beats:
        if beat.rr_s is None or beat.source is not shown.source:
            continue
        end = n - (shown.now_ns - beat.t_ns) * per_ns
        for column in range(max(0, int(end - beat.rr_s * 1e9 * per_ns)), min(n, max(0, int(end)))):
            columns[column] = (beat.rr_s * 1e3, beat.rr_s * 1e3)
    return columns


def _poor_ns(shown: Shown) -> list[tuple[int, int]]:
    """From and to when the signal was too poor to read; what is not judged yet goes by the newest verdict."""
    spans = [(seen.start_ns, seen.end_ns) for seen in shown.verdicts if not seen.good]
    if shown.why_not and shown.verdicts:
        spans.append((shown.verdicts[-1].end_ns, shown.now_ns + 1))
    return spans


def _poor_cells(shown: Shown, cells: int, shown_s: float) -> list[tuple[int, int]]:

    def cell(t_ns: int) -> int:
        return max(0, min(cells, round(cells - (shown.now_ns - t_ns) * cells / (shown_s * 1e9))))

    spans = [(cell(start_ns), cell(end_ns)) for start_ns, end_ns in _poor_ns(shown)]
    return [(start, end) for start, end in spans if start < end]


def _marks(shown: Shown, cells: int, shown_s: float) -> str:
    """Solid for a beat in good signal, its letter once it is known to be no normal one; hollow for a guess."""
    marks = [" "] * cells
    poor = _poor_ns(shown)
    for beat in shown.beats:
        at = int(cells - (shown.now_ns - beat.t_ns) * cells / (shown_s * 1e9))
        if beat.source is shown.source and 0 <= at < cells:
            kind = shown.kinds.get(beat.t_ns, BeatLabel.N)
            solid = "▾" if kind is BeatLabel.N else kind.value
            marks[at] = "▿" if any(start <= beat.t_ns < end for start, end in poor) else solid
    return "".join(marks)


def _ruler(rows: int, low: float, high: float) -> list[str]:
    """A bar of stated height in mV, as on ECG paper."""
    bar_mv = next((bar for bar in _BARS_MV if bar <= 0.7 * (high - low)), _BARS_MV[-1])
    middle = (low + high) / 2
    top, bottom = (dot_row(middle + sign * bar_mv / 2, rows, low, high) for sign in (1, -1))
    lines = strip([(middle - bar_mv / 2, middle + bar_mv / 2), None], rows, low, high)
    label = f"{bar_mv:g} mV"
    at = (top + bottom) // 2 // DOT_ROWS
    return [f"{label if row == at else '':>{_GUTTER - 2}} {line}" for row, line in enumerate(lines)]
