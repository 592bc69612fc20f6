"""`vitalkeep evaluate --what hrv`: HRV from the beats that we find against HRV from reference beats or intervals.

Both sides go through the same pipeline and its windows, so what differs is the beats alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vitalkeep.cli.evaluation_runner import counted, run_evaluation, tabulated
from vitalkeep.cli.failed_record import foreseen

if TYPE_CHECKING:
    from rich.table import Table

    from device_pipeline.evaluation.hrv_agreement import Compared
    from vitalkeep.cli.evaluations import Asked

SCHEMA = "vitalkeep.evaluate.hrv/1"
_WIDE = 110  # columns of a table that no terminal bounds
_READABLE = (".hea", ".csv", ".tsv", ".edf", ".rec", ".jsonl", ".jsonl.gz", ".txt")


@dataclass(frozen=True, slots=True)
class Task:
    """One record to compare; `record` is its path without suffix."""

    record: Path
    reference: str
    beats: str | None
    channel: str | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one record: its windows on both sides, or an error."""

    record: str
    channel: str | None = None
    compared: Compared | None = None
    error: str | None = None


def evaluate_hrv(asked: Asked) -> int:
    """Prints a line or an object per record, the last one gross; returns the exit code."""
    from vitalkeep.cli.evaluate_beats import records_in

    tasks = [
        Task(record, asked.reference, asked.beats, asked.channel) for record in records_in(asked.paths, asked.reference)
    ]
    return run_evaluation(compare_record, tasks, asked, row=_row, gross_row=_gross_row, table=_table, wide=_WIDE)


def compare_record(task: Task) -> Outcome:
    """Compares one record; whatever is wrong with it is in the outcome."""
    from device_pipeline.config import Limits
    from device_pipeline.evaluation.hrv_agreement import compare
    from vitalkeep.analysis import analyze_path

    name = task.record.name
    try:
        reference = analyze_path(task.record.with_name(f"{name}.{task.reference}"), limits=Limits())
        path = _ours(task)
        channel = _lead(path, task.channel)
        ours = analyze_path(path, limits=Limits(), channel=channel)
        return Outcome(name, ours.channel, compare(reference.hrv, ours.hrv))
    except Exception as problem:
        if (why := foreseen(problem, name)) is None:
            raise
        return Outcome(name, error=why)


def _ours(task: Task) -> Path:
    """The file of the record that beats are to be found in. Raises FileFormatError if there is none, or several."""
    from sensors.errors import FileFormatError

    name = task.record.name
    if task.beats is not None:
        return task.record.with_name(f"{name}.{task.beats}")
    found = [
        path
        for suffix in _READABLE
        if suffix != f".{task.reference}" and (path := task.record.with_name(f"{name}{suffix}")).is_file()
    ]
    if len(found) != 1:
        have = ", ".join(path.name for path in found) or "none"
        raise FileFormatError(f"{name}: one recording is expected beside {name}.{task.reference}, there is: {have}")
    return found[0]


def _lead(path: Path, wanted: str | None) -> str | None:
    """MLII where there is one, as for beats; else what the analysis takes."""
    from sensors.files.open import open_source

    if wanted is not None:
        return wanted
    return "MLII" if any(channel.name == "MLII" for channel in open_source(path).channels) else None


def _figures(compared: Compared) -> dict[str, Any]:
    from device_pipeline.evaluation.hrv_agreement import METRICS, agreement

    figures: dict[str, Any] = {"windows": compared.windows, "missed": compared.missed}
    for name in METRICS:
        one = agreement(compared.pairs[name])
        figures[name] = {
            "n": one.n,
            "bias": one.bias,
            "limits_of_agreement": None if one.low is None else [one.low, one.high],
            "median_error_pct": one.median_error_pct,
        }
    return figures


def _row(outcome: Outcome) -> dict[str, Any]:
    row: dict[str, Any] = {"schema": SCHEMA, "record": outcome.record, "channel": outcome.channel}
    if outcome.compared is None:
        return row | {"error": outcome.error}
    reason = None if outcome.compared.windows else "the reference has no window with values"
    return row | _figures(outcome.compared) | {"reason": reason}


def _gross_row(outcomes: list[Outcome]) -> dict[str, Any]:
    return {"schema": SCHEMA, "gross": _figures(_gross(outcomes))} | counted(outcomes)


def _gross(outcomes: list[Outcome]) -> Compared:
    from device_pipeline.evaluation.hrv_agreement import together

    return together(outcome.compared for outcome in outcomes if outcome.compared is not None)


def _table(outcomes: list[Outcome]) -> Table:
    return tabulated(
        outcomes,
        title="HRV, ours minus the reference's",
        caption="bias ± 1.96 SD (limits of agreement), median error in %; missed: windows without a value of ours",
        numbers=("windows", "missed", "mean HR, bpm", "%", "SDNN, ms", "%", "RMSSD, ms", "%"),
        cells=lambda outcome: None if outcome.compared is None else _cells(outcome.compared),
        gross=_cells(_gross(outcomes)),
    )


def _cells(compared: Compared) -> list[str]:
    from device_pipeline.evaluation.hrv_agreement import METRICS, agreement

    cells = [str(compared.windows), str(compared.missed)]
    for name in METRICS:
        one = agreement(compared.pairs[name])
        reach = None if one.bias is None or one.high is None else one.high - one.bias
        cells.append("-" if one.bias is None else f"{one.bias:.1f}" + ("" if reach is None else f" ± {reach:.1f}"))
        cells.append("-" if one.median_error_pct is None else f"{one.median_error_pct:.1f}")
    return cells
