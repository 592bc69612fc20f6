"""Tables as Markdown, so that what a run prints can stand in the documentation as it is."""

from __future__ import annotations

from collections.abc import Sequence


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The first column stands left, all others right."""
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    lines = []
    for row in (head, *rows):
        cells = [
            cell.ljust(width) if at == 0 else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append(f"| {' | '.join(cells)} |")
    ruler = ["-" * width if at == 0 else f"{'-' * (width - 1)}:" for at, width in enumerate(widths)]
    lines.insert(1, f"| {' | '.join(ruler)} |")
    return "\n".join(lines)
