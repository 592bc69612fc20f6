"""EC57's tables of ventricular and supraventricular beats, for machines and for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from device_pipeline.beat import BeatLabel
from device_pipeline.evaluation.beat_table import (
    COLUMNS,
    FIGURES,
    ROWS,
    BeatTable,
    average_score,
    gross_spread,
    gross_table,
)

if TYPE_CHECKING:
    from rich.table import Table

CLASSES = {"veb": BeatLabel.V, "sveb": BeatLabel.S}
_COUNTS = ("tp", "fn", "fp", "tn")
_HEADS = ("Se", "+P", "FPR", "F1")


def class_figures(table: BeatTable | None, reason: str | None = None) -> dict[str, Any]:
    """`table`, `veb` and `sveb` of one record; without a table, or labels in it, nulls with a reason."""
    row: dict[str, Any] = {"table": None if table is None else table.rows()}
    for name, label in CLASSES.items():
        if table is None or not table.labelled:
            why = reason if table is None else table.reason(label)
            row[name] = {**dict.fromkeys((*_COUNTS, *FIGURES)), "reason": why}
            continue
        score = table.of(label)
        row[name] = {key: getattr(score, key) for key in (*_COUNTS, *FIGURES)} | {"reason": table.reason(label)}
    return row


def gross_class_figures(tables: Sequence[BeatTable]) -> tuple[dict[str, Any], dict[str, Any]]:
    """(what is added to the gross figures, what is added to the average ones), over the records that have labels."""
    labelled = [table for table in tables if table.labelled]
    if not labelled:
        nothing = "the beats found have no labels" if tables else "no record has anything to score"
        return class_figures(None, nothing), {name: dict.fromkeys(FIGURES) for name in CLASSES}
    total = gross_table(labelled)
    gross, average = class_figures(total), {}
    for name, label in CLASSES.items():
        scores = [table.of(label) for table in labelled]
        spread = gross_spread(scores)
        gross[name] |= {f"{key}_95": None if (ends := spread[key]) is None else list(ends) for key in FIGURES}
        average[name] = average_score(scores)
    return gross, average


def class_table(named: Sequence[tuple[str, BeatTable]]) -> Iterator[Table]:
    """The lines of V and S, a record each, then the table that they come from, of all records together."""
    from rich import box
    from rich.table import Table

    labelled = [(name, table) for name, table in named if table.labelled]
    if not labelled:
        return
    lines = Table(
        box=box.SIMPLE,
        title="Ventricular (V) and supraventricular (S) beats, ANSI/AAMI EC57",
        title_justify="left",
        caption="Se, +P, false positive rate (FPR), F1 in %, of V and then of S; - where there is no such beat",
        caption_justify="left",
    )
    lines.add_column("record", no_wrap=True)
    for label in CLASSES.values():
        for head in (label, *_HEADS):
            lines.add_column(head, justify="right", no_wrap=True)
    for name, table in labelled:
        lines.add_row(name, *_cells(table))
    total = gross_table(table for _, table in labelled)
    lines.add_section()
    lines.add_row("gross", *_cells(total))
    spreads = [gross_spread([table.of(label) for _, table in labelled]) for label in CLASSES.values()]
    for title, end in (("95 % from", 0), ("to", 1)):
        row = [cell for spread in spreads for cell in ("", *(_percent(ends and ends[end]) for ends in spread.values()))]
        if any(cell not in ("", "-") for cell in row):
            lines.add_row(title, *row)
    means = [average_score(table.of(label) for _, table in labelled) for label in CLASSES.values()]
    lines.add_row("average", *(cell for mean in means for cell in ("", *(_percent(v) for v in mean.values()))))
    yield lines
    beats = Table(box=box.SIMPLE, title="Beats: rows the reference, columns ours", title_justify="left")
    beats.add_column("", no_wrap=True)
    for column in COLUMNS:
        beats.add_column(column.lower(), justify="right", no_wrap=True)
    paired = len(BeatLabel)
    for k, (row_name, counts) in enumerate(zip(ROWS, total.counts.tolist(), strict=True)):
        # where the reference has no beat, the test has one
        beats.add_row(row_name, *(str(n) for n in (counts if k < paired else counts[:paired])))
    yield beats


def _cells(table: BeatTable) -> list[str]:
    cells: list[str] = []
    for label in CLASSES.values():
        score = table.of(label)
        cells += [str(score.tp + score.fn), *(_percent(getattr(score, name)) for name in FIGURES)]
    return cells


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.2f}"
