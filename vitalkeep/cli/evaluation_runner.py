"""Every kind of evaluation runs the same way: a record that fails is told, stops no other, and makes the exit code.

A kind brings its records, how one is scored in a function that another process can find, and what its figures look
like; here they are run side by side and told as they come.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import click

from vitalkeep.cli import exit_codes

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from vitalkeep.cli.evaluations import Asked

WIDE = 100  # columns of a table that no terminal bounds


class Outcome(Protocol):
    """What came of one record: figures of its kind, or an error."""

    @property
    def record(self) -> str: ...

    @property
    def error(self) -> str | None: ...


Task = TypeVar("Task")
One = TypeVar("One", bound=Outcome)


def records_in(paths: Iterable[Path], meant: Callable[[Path], Iterable[Path]], absent: str) -> list[Path]:
    """The records that each path is `meant` to be, in order, each once.

    Raises FileFormatError, which says `absent`, for a path that stands for none.
    """
    from sensors.errors import FileFormatError

    found: dict[Path, None] = {}
    for path in paths:
        records = dict.fromkeys(meant(path))
        if not records:
            raise FileFormatError(f"{path}: {absent}")
        found.update(records)
    return list(found)


def run_evaluation(
    score: Callable[[Task], One],
    tasks: Sequence[Task],
    asked: Asked,
    *,
    row: Callable[[One], dict[str, Any]],
    gross_row: Callable[[list[One]], dict[str, Any]],
    table: Callable[[list[One]], RenderableType],
    unscored: Callable[[One], str | None] | None = None,
    wide: int = WIDE,
) -> int:
    """Prints a `row` of JSON per record, the last one gross, or one table; returns the exit code.

    Beneath the table stands why a record leaves nothing to score, where `unscored` tells a reason.
    """
    from vitalkeep.cli.side_by_side import side_by_side

    outcomes: list[One] = []
    for outcome in side_by_side(score, tasks, asked.jobs, "evaluating"):
        outcomes.append(outcome)
        if asked.as_json:
            click.echo(json.dumps(row(outcome), allow_nan=False))
        elif outcome.error is not None:
            click.echo(f"vitalkeep: {outcome.error}", err=True)
    if asked.as_json:
        click.echo(json.dumps(gross_row(outcomes), allow_nan=False))
    else:
        from rich.console import Console

        console = Console(highlight=False, width=None if sys.stdout.isatty() else wide)
        console.print(table(outcomes))
        for outcome in outcomes:
            if unscored is not None and (reason := unscored(outcome)) is not None:
                console.print(f"{outcome.record}: nothing to score, {reason}")
    return exit_codes.FAILED if _failed(outcomes) else exit_codes.OK


def counted(outcomes: Sequence[Outcome]) -> dict[str, int]:
    """The fields that end every gross row."""
    return {"records": len(outcomes), "failed": _failed(outcomes)}


def average_mae(maes_bpm: Iterable[float | None]) -> dict[str, Any]:
    """Mean absolute error in 1/min, every record that has one weighing the same."""
    known = [mae_bpm for mae_bpm in maes_bpm if mae_bpm is not None]
    return {"records": len(known), "mae_bpm": sum(known) / len(known) if known else None}


def tabulated(
    outcomes: Iterable[One],
    *,
    title: str,
    caption: str,
    words: Sequence[str] = (),
    numbers: Sequence[str],
    cells: Callable[[One], Iterable[str | None] | None],
    gross: Iterable[str] | None,
) -> Table:
    """A row per record: its name, then its `cells` under `words` and `numbers`; None for a record that failed.

    `gross` are the numbers of the last row; None for no such row.
    """
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE, title=title, title_justify="left", caption=caption, caption_justify="left")
    for head in ("record", *words):
        table.add_column(head, no_wrap=True)
    for head in numbers:
        table.add_column(head, justify="right", no_wrap=True)
    for outcome in outcomes:
        figures = cells(outcome)
        table.add_row(outcome.record, *(("failed",) if figures is None else figures))
    if gross is not None:
        table.add_section()
        table.add_row("gross", *("" for _ in words), *gross)
    return table


def _failed(outcomes: Iterable[Outcome]) -> int:
    return sum(outcome.error is not None for outcome in outcomes)
