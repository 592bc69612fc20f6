"""A pairing code as a picture that a camera reads (ISO/IEC 18004): the very text, level M, light around it.

The address is bytes; the letters and digits behind `#` are in the alphanumeric mode, which takes a third less room.
The picture is as secret as the code: it pairs a device. Nothing but the code is in it.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from xml.sax.saxutils import escape

import segno
from segno.consts import MODE_ALPHANUMERIC, MODE_BYTE

QUIET = 4  # modules of light around the code, as the standard wants
_PNG_SCALE = 8
_INK = "\x1b[38;5;16;48;5;231m"  # black on white, whatever the terminal's own colours are
_PLAIN = "\x1b[0m"
_HALVES = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}


def qr_matrix(code: str) -> tuple[tuple[bool, ...], ...]:
    """Rows of modules, True where dark, the quiet zone around them."""
    return tuple(tuple(bool(module) for module in row) for row in _made(code).matrix_iter(border=QUIET))


def qr_svg(code: str, title: str) -> str:
    """An element to stand within a page: no inline style, sized by its modules, `title` as its name."""
    matrix = qr_matrix(code)
    size = len(matrix)
    path = "".join(f"M{x} {y}h{length}v1h-{length}z" for y, row in enumerate(matrix) for x, length in _dark_runs(row))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="qr" role="img" viewBox="0 0 {size} {size}"'
        f' width="{size * 6}" height="{size * 6}"><title>{escape(title)}</title>'
        f'<rect width="{size}" height="{size}" fill="#fff"/>'
        f'<path d="{path}" fill="#000" shape-rendering="crispEdges"/></svg>'
    )


def qr_png(code: str) -> bytes:
    """Black and white, 8 pixels a module."""
    png = io.BytesIO()
    _made(code).save(png, kind="png", scale=_PNG_SCALE, border=QUIET)
    return png.getvalue()


def qr_text(code: str) -> str:
    """For a terminal: two modules a character, one above the other; each line ends with the colours put back."""
    matrix = qr_matrix(code)
    below = (*matrix[1:], (False,) * len(matrix))  # the number of rows is odd
    return "\n".join(
        _INK + "".join(_HALVES[pair] for pair in zip(upper, lower, strict=True)) + _PLAIN
        for upper, lower in list(zip(matrix, below, strict=True))[::2]
    )


def _made(code: str) -> segno.QRCode:
    url, mark, letters = code.partition("#")
    # A list of parts, each with its mode: what segno takes and its types do not say.
    parts = [(url + mark, MODE_BYTE), (letters, MODE_ALPHANUMERIC)] if letters else [(url, MODE_BYTE)]
    return segno.make(parts, error="m", boost_error=False, micro=False)  # type: ignore[arg-type]


def _dark_runs(row: tuple[bool, ...]) -> Iterator[tuple[int, int]]:
    """Where each run of dark modules begins, and its length."""
    start: int | None = None
    for x, dark in enumerate((*row, False)):
        if dark and start is None:
            start = x
        elif not dark and start is not None:
            yield start, x - start
            start = None
