"""`vitalkeep evaluate --what rhythm`: atrial fibrillation that we tell against the rhythms that somebody annotated.

A record goes through the pipeline of `analyze`: its ECG where it has one, else its beats from an annotation file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vitalkeep.cli.evaluation_runner import counted, run_evaluation, tabulated
from vitalkeep.cli.failed_record import foreseen

if TYPE_CHECKING:
    from rich.table import Table

    from device_pipeline.evaluation.af import AfScore
    from sensors.files.annotation import AnnotationFile
    from vitalkeep.analysis import Analysis
    from vitalkeep.cli.evaluations import Asked

SCHEMA = "vitalkeep.evaluate.rhythm/1"
_DETECTED = "qrs"  # extension of beats that a detector left beside a record without a waveform
_WIDE = 110


@dataclass(frozen=True, slots=True)
class Task:
    """One record to score; `record` is its path without suffix."""

    record: Path
    reference: str
    beats: str | None
    channel: str | None
    fs_hz: float | None
    learning_s: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one record: a score, or an error. `beats` names the channel or file that its beats came from."""

    record: str
    beats: str | None = None
    annotated: bool = False
    score: AfScore | None = None
    error: str | None = None


def evaluate_rhythm(asked: Asked) -> int:
    """Prints a line or an object per record, the last one gross; returns the exit code."""
    from vitalkeep.cli.evaluate_beats import records_in

    tasks = [
        Task(record, asked.reference, asked.beats, asked.channel, asked.fs_hz, asked.learning_s)
        for record in records_in(asked.paths, asked.reference)
    ]
    return run_evaluation(
        score_record,
        tasks,
        asked,
        row=_row,
        gross_row=_gross_row,
        table=_table,
        unscored=lambda outcome: None if outcome.score is None else outcome.score.reason,
        wide=_WIDE,
    )


def score_record(task: Task) -> Outcome:
    """Scores one record; whatever is wrong with it is in the outcome."""
    import numpy as np

    from device_pipeline.evaluation.af import score_af, truth_of
    from device_pipeline.rhythm import RhythmKind
    from sensors.errors import FileFormatError
    from sensors.files.annotation import header_rate, read_annotations

    name = task.record.name
    try:
        truth_file = read_annotations(task.record.with_name(f"{name}.{task.reference}"))
        found, source = _analysed(task)
        header = header_rate(task.record.with_name(f"{name}.hea"))
        fs_hz = truth_file.fs_hz or (header[0] if header else None) or task.fs_hz
        if fs_hz is None:
            raise FileFormatError(f"{name}: neither its annotations nor a header tell the sampling rate: --fs")
        end_ns = found.end_ns - found.start_ns
        times_ns = np.round(truth_file.samples * (1e9 / fs_hz)).astype(np.int64)
        truth = truth_of(times_ns.tolist(), truth_file.aux, end_ns)
        known = [(span.start_ns - found.start_ns, span.end_ns - found.start_ns, span.kind) for span in found.rhythm]
        score = score_af(
            _beats_ns(truth_file, fs_hz, found),
            truth,
            [(start, end) for start, end, kind in known if kind is RhythmKind.AFIB],
            [(start, end) for start, end, _ in known],
            end_ns,
            learning_ns=round(task.learning_s * 1e9),
        )
        return Outcome(name, source, truth.annotated, score)
    except Exception as problem:
        if (why := foreseen(problem, name)) is None:
            raise
        return Outcome(name, error=why)


def _analysed(task: Task) -> tuple[Analysis, str]:
    """(what the pipeline finds, the channel or file that its beats came from)."""
    from device_pipeline.config import Limits
    from vitalkeep.analysis import analyze_path

    record, name = task.record, task.record.name
    if task.beats is None and _has_signals(record):
        header = record.with_name(f"{name}.hea")
        found = analyze_path(header, limits=Limits(), channel=_lead(header, task.channel))
        return found, found.channel or ""
    for extension in (task.beats,) if task.beats is not None else (_DETECTED, task.reference):
        path = record.with_name(f"{name}.{extension}")
        if path.is_file() or extension in (task.beats, task.reference):
            return analyze_path(path, limits=Limits(), fs_hz=task.fs_hz), extension
    raise AssertionError("the reference is the last of them")


def _has_signals(record: Path) -> bool:
    """Whether a file that its header names is there: sets of annotations alone have headers too."""
    try:
        text = record.with_name(f"{record.name}.hea").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return any(record.with_name(file).is_file() for file in _named(text, record.name))


def _named(header: str, name: str) -> Iterator[str]:
    """The signal files, or the headers of segments, that a WFDB header names; header(5)."""
    lines = [line.split() for line in header.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    segmented = bool(lines) and "/" in lines[0][0]
    for fields in lines[1:]:
        file = fields[0]
        if file == "~" or Path(file).name != file:
            continue
        yield f"{file}.hea" if segmented else file


def _lead(path: Path, wanted: str | None) -> str | None:
    """MLII where there is one, as for beats; else what the analysis takes."""
    from sensors.files.open import open_source

    if wanted is not None:
        return wanted
    return "MLII" if any(channel.name == "MLII" for channel in open_source(path).channels) else None


def _beats_ns(truth: AnnotationFile, fs_hz: float, found: Analysis) -> Any:
    """The beats that are counted: those of the reference; where it has rhythms alone, those that we went by."""
    import numpy as np

    beats = truth.beats()
    if len(beats):
        return np.round(beats * (1e9 / fs_hz)).astype(np.int64)
    return np.array([beat.t_ns - found.start_ns for beat in found.beats], dtype=np.int64)


def _figures(score: AfScore) -> dict[str, Any]:
    from device_pipeline.evaluation.af import FIGURES

    counts = {
        "beats": {"tp": score.tp, "fn": score.fn, "fp": score.fp, "tn": score.tn, "unknown": score.unknown},
        "episodes": {
            "annotated": score.episodes,
            "found": score.episodes_found,
            "told": score.told,
            "told_true": score.told_true,
        },
        "duration_s": {
            "scored": score.scored_ns / 1e9,
            "annotated": score.af_ns / 1e9,
            "told": score.told_ns / 1e9,
            "both": score.both_ns / 1e9,
        },
        "flutter": {"beats": score.flutter_beats, "told": score.flutter_told},
    }
    return counts | {figure: getattr(score, figure) for figure in FIGURES}


def _row(outcome: Outcome) -> dict[str, Any]:
    row: dict[str, Any] = {"schema": SCHEMA, "record": outcome.record, "beats_from": outcome.beats}
    if outcome.score is None:
        return row | {"reason": outcome.error, "error": outcome.error}
    row["rhythm_annotated"] = outcome.annotated
    return row | _figures(outcome.score) | {"reason": outcome.score.reason}


def _gross_row(outcomes: list[Outcome]) -> dict[str, Any]:
    from device_pipeline.evaluation.af import FIGURES, average, gross, interval

    scores = [outcome.score for outcome in outcomes if outcome.score is not None]
    means = {figure: average(scores, figure) for figure in FIGURES}
    return {
        "schema": SCHEMA,
        "gross": _figures(gross(scores)),
        "average": {figure: {"mean": mean, "records": n} for figure, (mean, n) in means.items()},
        "interval_95": {figure: interval(scores, figure) for figure in FIGURES},
    } | counted(outcomes)


def _table(outcomes: list[Outcome]) -> Table:
    from device_pipeline.evaluation.af import average, gross, interval

    scores = [outcome.score for outcome in outcomes if outcome.score is not None]
    table = tabulated(
        outcomes,
        title="Atrial fibrillation, told against annotated",
        caption=(
            "%: of beats (Se, Sp, +P), of duration (t), of episodes (e); n: beats, episodes annotated; false: episodes"
            " told a day where none was; AFL: beats in flutter, which do not count, and % of them told"
        ),
        words=("from",),
        numbers=("n", "Se", "Sp", "+P", "t Se", "t +P", "n", "e Se", "e +P", "false", "AFL", "told"),
        cells=lambda outcome: None if outcome.score is None else (outcome.beats or "", *_cells(outcome.score)),
        gross=_cells(gross(scores)) if scores else None,
    )
    if scores:
        per_beat = ("sensitivity", "specificity", "positive_predictivity")
        table.add_row("average", "", "", *(_percent(average(scores, figure)[0]) for figure in per_beat))
        spread = [interval(scores, figure) for figure in per_beat]
        table.add_row("95 % from", "", "", *(_percent(None if s is None else s[0]) for s in spread))
        table.add_row("to", "", "", *(_percent(None if s is None else s[1]) for s in spread))
    return table


def _cells(score: AfScore) -> list[str]:
    false = score.false_episodes_per_day
    return [
        str(score.tp + score.fn),
        *(_percent(value) for value in (score.sensitivity, score.specificity, score.positive_predictivity)),
        *(_percent(value) for value in (score.duration_sensitivity, score.duration_positive_predictivity)),
        str(score.episodes),
        *(_percent(value) for value in (score.episode_sensitivity, score.episode_positive_predictivity)),
        "-" if false is None else f"{false:.1f}",
        str(score.flutter_beats),
        _percent(score.flutter_told / score.flutter_beats if score.flutter_beats else None),
    ]


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f}"
