"""`vitalkeep evaluate --what heart-rate`: the heart rate of pulse waves against an ECG or given rates beside them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vitalkeep.cli.evaluation_runner import average_mae, counted, records_in, run_evaluation, tabulated
from vitalkeep.cli.failed_record import foreseen

if TYPE_CHECKING:
    from rich.table import Table

    from device_pipeline.evaluation.heart_rate import RateScore
    from vitalkeep.cli.evaluations import Asked

SCHEMA = "vitalkeep.evaluate.heart-rate/1"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one record: its figures, or an error."""

    record: str
    score: RateScore | None = None
    error: str | None = None


def evaluate_heart_rate(asked: Asked) -> int:
    """Prints a line or an object per record, the last one gross; returns the exit code."""
    return run_evaluation(score_record, _find(asked.paths), asked, row=_row, gross_row=_gross_row, table=_table)


def score_record(path: Path) -> Outcome:
    """Scores one record; whatever is wrong with it is in the outcome."""
    from device_pipeline.evaluation.heart_rate import ppg_rates, score_rates
    from device_pipeline.evaluation.rate_records import read_rate_record

    try:
        record = read_rate_record(path)
        told = ppg_rates(record.items, record.ppg, record.second_ppg, record.acc)
        return Outcome(record.name, score_rates(told, record.truth_bpm))
    except Exception as problem:
        if (why := foreseen(problem, path.stem)) is None:
            raise
        return Outcome(path.stem, error=why)


def _find(paths: tuple[Path, ...]) -> list[Path]:
    """The records meant, in order, each once."""
    from device_pipeline.evaluation.rate_records import rate_records_in

    return records_in(
        paths,
        lambda path: rate_records_in(path) if path.is_dir() else [path],
        "no record in it has a PPG with an ECG or heart rates beside it",
    )


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
    return {
        "schema": SCHEMA,
        "gross": _figures(gross(scores)),
        "average": average_mae(score.mae_bpm for score in scores),
    } | counted(outcomes)


def _table(outcomes: list[Outcome]) -> Table:
    from device_pipeline.evaluation.heart_rate import gross

    return tabulated(
        outcomes,
        title="Heart rate of pulse waves, windows of 8 s",
        caption="told: % of the windows with a truth; MAE and bias (told minus truth) in bpm; > 5: % of those told",
        numbers=("windows", "told", "MAE", "bias", "> 5"),
        cells=lambda outcome: None if outcome.score is None else _cells(outcome.score),
        gross=_cells(gross([outcome.score for outcome in outcomes if outcome.score is not None])),
    )


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
