"""`vitalkeep evaluate --what heart-rate`: the heart rate of pulse waves against an ECG or given rates beside them."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vitalkeep.cli import exit_codes

if TYPE_CHECKING:
    from rich.table import Table

    from device_pipeline.evaluation.heart_rate import RateScore
    from vitalkeep.cli.evaluations import Asked

SCHEMA = "vitalkeep.evaluate.heart-rate/1"
_WIDE = 100  # columns of a table that no terminal bounds


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one record: its figures, or an error."""

    record: str
    score: RateScore | None = None
    error: str | None = None


def evaluate_heart_rate(asked: Asked) -> int:
    """Prints a line or an object per record, the last one gross; returns the exit code."""
    from vitalkeep.cli.side_by_side import side_by_side

    outcomes: list[Outcome] = []
    for outcome in side_by_side(score_record, _find(asked.paths), asked.jobs, "evaluating"):
        outcomes.append(outcome)
        if asked.as_json:
            click.echo(json.dumps(_row(outcome), allow_nan=False))
        elif outcome.error is not None:
            click.echo(f"vitalkeep: {outcome.error}", err=True)
    if asked.as_json:
        click.echo(json.dumps(_gross_row(outcomes), allow_nan=False))
    else:
        from rich.console import Console

        Console(highlight=False, width=None if sys.stdout.isatty() else _WIDE).print(_table(outcomes))
    return exit_codes.FAILED if any(outcome.error is not None for outcome in outcomes) else exit_codes.OK


def score_record(path: Path) -> Outcome:
    """Scores one record; whatever is wrong with it is in the outcome."""
    from device_pipeline.errors import PipelineError
    from device_pipeline.evaluation.heart_rate import ppg_rates, score_rates
    from device_pipeline.evaluation.rate_records import read_rate_record
    from sensors.errors import SensorError

    try:
        record = read_rate_record(path)
        told = ppg_rates(record.items, record.ppg, record.second_ppg, record.acc)
        return Outcome(record.name, score_rates(told, record.truth_bpm))
    except (SensorError, PipelineError) as error:
        return Outcome(path.stem, error=str(error))


def _find(paths: tuple[Path, ...]) -> list[Path]:
    """The records meant, in order, each once."""
    from device_pipeline.evaluation.rate_records import rate_records_in
    from sensors.errors import FileFormatError

    found: dict[Path, None] = {}
    for path in paths:
        inside = rate_records_in(path) if path.is_dir() else [path]
        if not inside:
            raise FileFormatError(f"{path}: no record in it has a PPG with an ECG or heart rates beside it")
        found.update(dict.fromkeys(inside))
    return list(found)


def _figures(score: RateScore) -> dict[str, Any]:
    return {
        "windows": score.windows,
        "told": score.told,
        "coverage": score.coverage,
        "mae_bpm": score.mae_bpm,
        "bias_bpm": score.bias_bpm,
        "off_by_5_bpm": score.far_share,
        "reason": score.reason,
    }


def _row(outcome: Outcome) -> dict[str, Any]:
    row: dict[str, Any] = {"schema": SCHEMA, "record": outcome.record}
    return row | ({"error": outcome.error} if outcome.score is None else _figures(outcome.score))


def _gross_row(outcomes: list[Outcome]) -> dict[str, Any]:
    from device_pipeline.evaluation.heart_rate import gross

    scores = [outcome.score for outcome in outcomes if outcome.score is not None]
    errors = [score.mae_bpm for score in scores if score.mae_bpm is not None]
    return {
        "schema": SCHEMA,
        "gross": _figures(gross(scores)),
        "average": {"records": len(errors), "mae_bpm": sum(errors) / len(errors) if errors else None},
        "records": len(outcomes),
        "failed": sum(outcome.error is not None for outcome in outcomes),
    }


def _table(outcomes: list[Outcome]) -> Table:
    from rich import box
    from rich.table import Table

    from device_pipeline.evaluation.heart_rate import gross

    table = Table(
        box=box.SIMPLE,
        title="Heart rate of pulse waves, windows of 8 s",
        title_justify="left",
        caption="told: % of the windows with a truth; MAE and bias (told minus truth) in bpm; > 5: % of those told",
        caption_justify="left",
    )
    table.add_column("record", no_wrap=True)
    for head in ("windows", "told", "MAE", "bias", "> 5"):
        table.add_column(head, justify="right", no_wrap=True)
    for outcome in outcomes:
        if outcome.score is None:
            table.add_row(outcome.record, "failed")
        else:
            table.add_row(outcome.record, *_cells(outcome.score))
    table.add_section()
    table.add_row("gross", *_cells(gross([outcome.score for outcome in outcomes if outcome.score is not None])))
    return table


def _cells(score: RateScore) -> list[str]:
    def shown(value: float | None, times: float, digits: int) -> str:
        return "-" if value is None else f"{times * value:.{digits}f}"

    return [
        str(score.windows),
        shown(score.coverage, 100, 1),
        shown(score.mae_bpm, 1, 2),
        shown(score.bias_bpm, 1, 2),
        shown(score.far_share, 100, 1),
    ]
