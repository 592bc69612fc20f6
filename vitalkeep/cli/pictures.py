"""Small pictures made of characters, and times as people read them."""

from __future__ import annotations

import math
from collections.abc import Sequence

_BARS = "▁▂▃▄▅▆▇█"
# Unicode braille: the dots of one cell, column by column, from the top (ISO/IEC 10646, U+2800).
_DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))


def clock(seconds: float) -> str:
    """12.3 s, 4:05, 23:59:59."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def sparkline(values: Sequence[float | None], width: int) -> str:
    """One line of bars, each the mean of the values that fall into it; blank where there is none."""
    if not values:
        return ""
    width = min(width, len(values))
    means: list[float | None] = []
    for column in range(width):
        part = values[column * len(values) // width : (column + 1) * len(values) // width]
        known = [value for value in part if value is not None]
        means.append(sum(known) / len(known) if known else None)
    known = [mean for mean in means if mean is not None]
    if not known:
        return " " * width
    low, span = min(known), max(known) - min(known)
    return "".join(
        " " if mean is None else _BARS[3 if span == 0 else min(7, int((mean - low) / span * 8))] for mean in means
    )


def strip(values: Sequence[float], width: int, height: int, low: float, high: float) -> list[str]:
    """`height` lines of `width` braille cells: a waveform from `low` at the bottom to `high` at the top.

    Values are spread over the whole width; each of its 2 * width columns shows the range from lowest to highest.
    """
    cells = [[0] * width for _ in range(height)]
    rows, columns = 4 * height, 2 * width
    span = (high - low) or 1.0
    before: int | None = None
    for column in range(columns):
        part = values[column * len(values) // columns : (column + 1) * len(values) // columns]
        known = [value for value in part if math.isfinite(value)]
        if not known:
            before = None
            continue
        top, bottom = (min(rows - 1, max(0, int((high - value) / span * rows))) for value in (max(known), min(known)))
        if before is not None:  # joins the column to the one before it
            top, bottom = min(top, before), max(bottom, before)
        before = min(rows - 1, max(0, int((high - known[-1]) / span * rows)))
        for row in range(top, bottom + 1):
            cells[row // 4][column // 2] |= _DOTS[column % 2][row % 4]
    return ["".join(chr(0x2800 + cell) for cell in line) for line in cells]
