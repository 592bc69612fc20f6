"""`vitalkeep evaluate --what beats`: how well beats are found, by ANSI/AAMI EC57 against reference annotations."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vitalkeep.cli import evaluation_runner
from vitalkeep.cli.beat_tables import class_figures, class_table, gross_class_figures
from vitalkeep.cli.evaluation_runner import counted, run_evaluation, tabulated
from vitalkeep.cli.failed_record import foreseen

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray
    from rich.console import RenderableType

    from device_pipeline.beat import BeatLabel
    from device_pipeline.evaluation.beat_table import BeatTable
    from device_pipeline.evaluation.ec57 import BeatScore
    from vitalkeep.cli.evaluations import Asked

SCHEMA = "vitalkeep.evaluate/1"
BLOCK_S = 240.0  # read at a time


@dataclass(frozen=True, slots=True)
class Task:
    """One record to score; `record` is its path without suffix."""

    record: Path
    reference: str
    beats: str | None
    channel: str | None
    window_s: float
    learning_s: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one record: a score, or an error."""

    record: str
    channel: str | None = None
    fs_hz: float | None = None
    score: BeatScore | None = None
    table: BeatTable | None = None
    error: str | None = None


def evaluate_beats(asked: Asked) -> int:
    """Prints a line or an object per record, the last one gross; returns the exit code."""
    tasks = [
        Task(record, asked.reference, asked.beats, asked.channel, asked.tolerance_s, asked.learning_s)
        for record in records_in(asked.paths, asked.reference)
    ]
    return run_evaluation(score_record, tasks, asked, row=_row, gross_row=_gross_row, table=_table, unscored=_unscored)


def score_record(task: Task) -> Outcome:
    """Scores one record; whatever is wrong with it is in the outcome."""
    from device_pipeline.beats.annotated import AAMI_LABEL
    from device_pipeline.evaluation.beat_table import beat_table
    from device_pipeline.evaluation.ec57 import beat_score, compare_beats, flutter_segments
    from sensors.errors import FileFormatError
    from sensors.files.annotation import header_rate, read_annotations

    name = task.record.name
    try:
        truth = read_annotations(task.record.with_name(f"{name}.{task.reference}"))
        header = header_rate(task.record.with_name(f"{name}.hea"))
        fs_hz = truth.fs_hz or (header[0] if header else None)
        end = header[1] if header else None
        channel: str | None = None
        unread: list[tuple[int, int]] = []
        labels: Sequence[BeatLabel | None]
        if task.beats is not None:
            test_file = read_annotations(task.record.with_name(f"{name}.{task.beats}"))
            test, symbols = test_file.labelled_beats()
            labels = [AAMI_LABEL[symbol] for symbol in symbols]
            unread = test_file.unreadable(end)
            fs_hz = fs_hz or test_file.fs_hz
            if fs_hz is not None and test_file.fs_hz is not None and test_file.fs_hz != fs_hz:
                raise FileFormatError(
                    f"{name}.{task.beats}: counts samples at {test_file.fs_hz:g} Hz, the reference at {fs_hz:g} Hz"
                )
        else:
            channel, fs_hz, test, labels = _detect(task, fs_hz)
        if fs_hz is None:
            raise FileFormatError(f"{name}: neither its annotations nor a header tell the sampling rate")
        reference, reference_symbols = truth.labelled_beats()
        found = compare_beats(
            reference,
            test,
            fs_hz,
            window_s=task.window_s,
            learning_s=task.learning_s,
            end_sample=end,
            excluded=flutter_segments(truth.samples, truth.symbols, truth.aux, end),
        )
        score = beat_score(reference, test, found, fs_hz)
        table = beat_table(
            reference,
            [AAMI_LABEL[symbol] for symbol in reference_symbols],
            test,
            labels,
            found,
            unreadable=truth.unreadable(end),
            unread=unread,
        )
    except Exception as problem:
        if (why := foreseen(problem, name)) is None:
            raise
        return Outcome(name, error=why)
    return Outcome(name, channel, fs_hz, score, table)


def _detect(task: Task, fs_hz: float | None) -> tuple[str, float, NDArray[np.int64], list[BeatLabel | None]]:
    """(lead, rate that sample numbers count in, sample numbers of the beats that our detector finds, what they are)."""
    import numpy as np

    from device_pipeline.beat import Beat
    from device_pipeline.beats.typed_ecg import TypedEcgBeats
    from sensors.errors import FileFormatError
    from sensors.files.wfdb import WfdbSource
    from sensors.samples import Gap, Kind, Samples
    from vitalkeep.beat_typer import beat_typer

    source = WfdbSource(task.record)
    leads = [c for c in source.channels if c.kind is Kind.ECG]
    wanted = task.channel if task.channel is not None else "MLII"
    lead = next((c for c in leads if c.name == wanted), None)
    if lead is None and task.channel is not None:
        have = ", ".join(c.name for c in leads) or "none"
        raise FileFormatError(f"{source.name}: no ECG channel {task.channel!r}; it has: {have}")
    lead = lead or (leads[0] if leads else None)
    if lead is None or lead.fs_hz is None or source.fs_hz is None:
        raise FileFormatError(f"{source.name}: no ECG; it has: {', '.join(c.name for c in source.channels)}")
    try:
        stage = TypedEcgBeats(lead.fs_hz, lead.name, beat_typer)
    except ValueError as error:
        raise FileFormatError(f"{source.name}: {error}") from error
    found: list[int] = []
    kinds: dict[int, BeatLabel | None] = {}
    for item in source.items([lead.name], BLOCK_S):
        if isinstance(item, Samples | Gap):
            found += [out.t_ns for out in stage.push(item) if isinstance(out, Beat)]
            kinds |= {told.t_ns: told.label for told in stage.types.release(stage.final_ns)}
    found += [out.t_ns for out in stage.flush() if isinstance(out, Beat)]
    stage.types.flush()
    kinds |= {told.t_ns: told.label for told in stage.types.release()}
    rate_hz = fs_hz or source.fs_hz
    samples = np.round(np.array(found, dtype=np.int64) * (rate_hz / 1e9)).astype(np.int64)
    return lead.name, rate_hz, samples, [kinds.get(t_ns) for t_ns in found]


def records_in(paths: tuple[Path, ...], reference: str) -> list[Path]:
    """The records meant, without suffix, in order, each once."""

    def meant(path: Path) -> list[Path]:
        if path.is_dir():
            return sorted(file.with_suffix("") for file in path.glob(f"*.{reference}") if file.is_file())
        known = path.suffix in {".hea", ".dat", ".mat", f".{reference}"}
        return [path.with_suffix("") if known else path]

    return evaluation_runner.records_in(paths, meant, f"no record in it has reference annotations (.{reference})")


def _unscored(outcome: Outcome) -> str | None:
    return None if outcome.score is None else outcome.score.reason


def _figures(score: BeatScore | None, error: str | None) -> dict[str, Any]:
    return {
        "tp": None if score is None else score.tp,
        "fn": None if score is None else score.fn,
        "fp": None if score is None else score.fp,
        "sensitivity": None if score is None else score.sensitivity,
        "positive_predictivity": None if score is None else score.positive_predictivity,
        "f1": None if score is None else score.f1,
        "mean_error_ms": None if score is None else score.mean_error_ms,
        "sd_error_ms": None if score is None else score.sd_error_ms,
        "rms_error_ms": None if score is None else score.rms_error_ms,
        "reason": error if score is None else score.reason,
    }


def _row(outcome: Outcome) -> dict[str, Any]:
    row = {"schema": SCHEMA, "record": outcome.record, "fs_hz": outcome.fs_hz, "channel": outcome.channel}
    row |= _figures(outcome.score, outcome.error)
    row |= class_figures(_table_of(outcome), outcome.error if outcome.score is None else outcome.score.reason)
    return row if outcome.error is None else row | {"error": outcome.error}


def _gross_row(outcomes: list[Outcome]) -> dict[str, Any]:
    from device_pipeline.evaluation.ec57 import average, gross

    scores = [outcome.score for outcome in outcomes if outcome.score is not None]
    mean = average(scores)
    gross_classes, mean_classes = gross_class_figures([table for _, table in _tables(outcomes)])
    return {
        "schema": SCHEMA,
        "gross": _figures(gross(scores), None) | gross_classes,
        "average": {
            "records": mean.records,
            "sensitivity": mean.sensitivity,
            "positive_predictivity": mean.positive_predictivity,
            "f1": mean.f1,
            "reason": None if mean.records else "no record has anything to score",
        }
        | mean_classes,
    } | counted(outcomes)


def _table_of(outcome: Outcome) -> BeatTable | None:
    """None where nothing counts in it."""
    return None if outcome.score is None or outcome.score.reason is not None else outcome.table


def _tables(outcomes: list[Outcome]) -> list[tuple[str, BeatTable]]:
    return [(outcome.record, table) for outcome in outcomes if (table := _table_of(outcome)) is not None]


def _table(outcomes: list[Outcome]) -> RenderableType:
    from rich.console import Group

    from device_pipeline.evaluation.ec57 import average, gross

    scores = [outcome.score for outcome in outcomes if outcome.score is not None]
    table = tabulated(
        outcomes,
        title="Beat by beat, ANSI/AAMI EC57",
        caption="Se, +P, F1 in %; time of the beat found minus the reference in ms",
        words=("lead",),
        numbers=("TP", "FN", "FP", "Se", "+P", "F1", "mean", "SD", "RMS"),
        cells=lambda outcome: None if outcome.score is None else (outcome.channel or "", *_cells(outcome.score)),
        gross=_cells(gross(scores)) if scores else None,
    )
    if scores:
        mean = average(scores)
        means = (mean.sensitivity, mean.positive_predictivity, mean.f1)
        table.add_row("average", "", "", "", "", *(_percent(value) for value in means))
    return Group(table, *class_table(_tables(outcomes)))


def _cells(score: BeatScore) -> list[str]:
    if score.reason is not None:
        return ["-"] * 9
    return [
        *(str(n) for n in (score.tp, score.fn, score.fp)),
        *(_percent(value) for value in (score.sensitivity, score.positive_predictivity, score.f1)),
        *(
            "-" if value is None else f"{value:.1f}"
            for value in (score.mean_error_ms, score.sd_error_ms, score.rms_error_ms)
        ),
    ]


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.2f}"
