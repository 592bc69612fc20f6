"""Small pictures made of characters, and times as people read them."""

from __future__ import annotations

from collections.abc import Sequence

_BARS = " ▁▂▃▄▅▆▇█"
# Unicode braille: the dots of one cell, column by column, from the top (ISO/IEC 10646, U+2800).
_DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
DOT_ROWS = 4  # of a cell
DOT_COLUMNS = 2
_DIGITS = {
    "0": ("█▀█", "█ █", "▀▀▀"),
    "1": ("▀█ ", " █ ", "▀▀▀"),
    "2": ("▀▀█", "█▀▀", "▀▀▀"),
    "3": ("▀▀█", " ▀█", "▀▀▀"),
    "4": ("█ █", "▀▀█", "  ▀"),
    "5": ("█▀▀", "▀▀█", "▀▀▀"),
    "6": ("█▀▀", "█▀█", "▀▀▀"),
    "7": ("▀▀█", "  █", "  ▀"),
    "8": ("█▀█", "█▀█", "▀▀▀"),
    "9": ("█▀█", "▀▀█", "▀▀▀"),
}
DIGIT_ROWS = 3


def clock(seconds: float) -> str:
    """12.3 s, 4:05, 23:59:59."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def digits(number: int) -> list[str]:
    """Three lines that show the digits of a number of 0 or more, each three columns wide and one apart."""
    return [" ".join(_DIGITS[digit][row] for digit in str(number)) for row in range(DIGIT_ROWS)]


def sparkline(values: Sequence[float | None], width: int) -> str:
    """One line of bars, each the mean of the values that fall into it; blank where there is none."""
    return bars(values, width, 1)[0]


def bars(values: Sequence[float | None], width: int, height: int) -> list[str]:
    """`height` lines, at most `width` wide: a bar for the mean of each part of `values`, from lowest to highest.

    The lowest bar is still a bar: blank means that there is no value.
    """
    width = min(width, len(values))
    means: list[float | None] = []
    for column in range(width):
        part = values[column * len(values) // width : (column + 1) * len(values) // width]
        known = [value for value in part if value is not None]
        means.append(sum(known) / len(known) if known else None)
    known = [mean for mean in means if mean is not None]
    if not known:
        return [" " * width] * height
    low, span, steps = min(known), max(known) - min(known), 8 * height
    tall = [
        0 if mean is None else 1 + (steps // 2 - 1 if span == 0 else min(steps - 1, int((mean - low) / span * steps)))
        for mean in means
    ]
    return ["".join(_BARS[max(0, min(8, eighths - 8 * row))] for eighths in tall) for row in reversed(range(height))]


def strip(columns: Sequence[tuple[float, float] | None], height: int, low: float, high: float) -> list[str]:
    """`height` lines of braille cells: a waveform from `low` at the bottom to `high` at the top.

    `columns` has one entry for each column of dots, two to a cell: the lowest and highest value in it, None where
    nothing is known. Columns that touch are joined; beyond the edge is drawn at the edge.
    """
    width = (len(columns) + DOT_COLUMNS - 1) // DOT_COLUMNS
    cells = [[0] * width for _ in range(height)]
    rows = DOT_ROWS * height
    before: tuple[int, int] | None = None
    for column, values in enumerate(columns):
        if values is None:
            before = None
            continue
        top, bottom = (dot_row(value, height, low, high) for value in (values[1], values[0]))
        drawn = (top, bottom)
        if before is not None:  # a steep slope leaves no hole
            if before[1] < top:
                top = before[1] + 1
            elif before[0] > bottom:
                bottom = before[0] - 1
        before = drawn
        for row in range(max(0, top), min(rows - 1, bottom) + 1):
            cells[row // DOT_ROWS][column // DOT_COLUMNS] |= _DOTS[column % DOT_COLUMNS][row % DOT_ROWS]
    return ["".join(chr(0x2800 + cell) for cell in line) for line in cells]


def dot_row(value: float, height: int, low: float, high: float) -> int:
    """The row of dots, counted from the top of `height` cells, on which `value` lies."""
    rows = DOT_ROWS * height
    return min(rows - 1, max(0, int((high - value) / ((high - low) or 1.0) * rows)))


def ascii_only(line: str) -> str:
    """The same picture for a terminal that knows no other letters; one letter for each."""
    return "".join(letter if ord(letter) < 128 else _ascii(ord(letter)) for letter in line)


_ASCII = {
    **dict(zip("▁▂▃▄▅▆▇█", "_.-~=+*#", strict=True)),
    **dict(zip("▀▾▿│─╭╮╰╯┴┊·–…♥●○░", "^vu|-++++++.-.*oo.", strict=True)),
}


def _ascii(code: int) -> str:
    if 0x2800 <= code < 0x2900:
        upper, lower = code & 0x1B, code & 0xE4
        return ":" if upper and lower else "'" if upper else "." if lower else " "
    return _ASCII.get(chr(code), "?")
