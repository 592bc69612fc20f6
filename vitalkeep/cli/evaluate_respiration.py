"""`vitalkeep evaluate --what respiration`: respiration rates against breaths that people marked, or against a channel
that measured breathing itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vitalkeep.cli import evaluation_runner
from vitalkeep.cli.evaluation_runner import average_mae, counted, run_evaluation, tabulated
from vitalkeep.cli.failed_record import foreseen

if TYPE_CHECKING:
    from rich.table import Table

    from device_pipeline.evaluation.respiration import RespirationScore
    from device_pipeline.respiration.respiration import Respiration
    from sensors.files.source import ChannelInfo, FileSource
    from vitalkeep.cli.evaluations import Asked

SCHEMA = "vitalkeep.evaluate/1"


@dataclass(frozen=True, slots=True)
class Task:
    record: Path
    channel: str | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one record: a score, or an error. `truth`: where the reference is from."""

    record: str
    channels: tuple[str, ...] = ()
    truth: str | None = None
    score: RespirationScore | None = None
    error: str | None = None


def evaluate_respiration(asked: Asked) -> int:
    """Prints a line or an object per record, the last one gross; returns the exit code."""
    tasks = [Task(record, asked.channel) for record in records_in(asked.paths)]
    return run_evaluation(score_record, tasks, asked, row=_row, gross_row=_gross_row, table=_table, unscored=_unscored)


def records_in(paths: tuple[Path, ...]) -> list[Path]:
    """The files meant, in order, each once; a folder stands for its records in the form of BIDMC, else for its CSV."""
    from sensors.files.bidmc import BREATHS, SIGNALS

    def meant(path: Path) -> list[Path]:
        if not path.is_dir():
            return [path]
        inside = sorted(path.glob(f"*{SIGNALS}"))
        return inside or sorted(file for file in path.glob("*.csv") if not file.name.endswith(BREATHS))

    return evaluation_runner.records_in(paths, meant, f"no *{SIGNALS} and no other CSV in it")


def score_record(task: Task) -> Outcome:
    """Scores one record; whatever is wrong with it is in the outcome."""
    from device_pipeline.evaluation.respiration import score_respiration
    from sensors.files.bidmc import SIGNALS, BidmcSource
    from sensors.files.open import open_source

    name = task.record.name.removesuffix(SIGNALS) if task.record.name.endswith(SIGNALS) else task.record.stem
    try:
        source = BidmcSource(task.record) if task.record.name.endswith(SIGNALS) else open_source(task.record)
        channels = _channels(source, task.channel)
        told = _told(source, channels)
        truth, true_bpm = _truth(task.record, source, told)
        score = score_respiration([window.rate_bpm for window in told], true_bpm)
    except Exception as problem:
        if (why := foreseen(problem, name)) is None:
            raise
        return Outcome(name, error=why)
    return Outcome(name, tuple(channel.name for channel in channels), truth, score)


def _channels(source: FileSource, name: str | None) -> list[ChannelInfo]:
    """The ECG and the PPG that are read together, or the one that was named, alone."""
    from sensors.errors import FileFormatError
    from sensors.samples import Kind

    usable = [channel for channel in source.channels if channel.kind in (Kind.ECG, Kind.PPG)]
    if name is not None:
        usable = [channel for channel in usable if channel.name == name]
    else:
        leads = [channel for channel in usable if channel.kind is Kind.ECG]
        lead = next((channel for channel in leads if channel.name == "II"), leads[0] if leads else None)
        wave = next((channel for channel in usable if channel.kind is Kind.PPG), None)
        usable = [channel for channel in (lead, wave) if channel is not None]
    if not usable:
        have = ", ".join(channel.name for channel in source.channels) or "none"
        raise FileFormatError(f"{source.name}: no ECG or PPG {'' if name is None else repr(name)}; it has: {have}")
    return usable


def _told(source: FileSource, channels: list[ChannelInfo]) -> list[Respiration]:
    """What the pipeline tells of the record, as `vitalkeep analyze` would."""
    from device_pipeline.config import Limits
    from device_pipeline.respiration.respiration import Respiration
    from device_pipeline.run import Pipeline
    from sensors.files.annotation import AnnotatedBeat
    from sensors.samples import Kind, Samples

    acc = next((c.name for c in source.channels if c.kind is Kind.ACC), None)
    reads_ppg = any(channel.kind is Kind.PPG for channel in channels)
    pipeline = Pipeline(
        Limits(),
        origin_ns=source.started_ns,
        channel=channels[0].name,
        live=False,
        acc_channel=acc if reads_ppg else None,
        beside=channels[1].name if len(channels) > 1 else None,
    )
    pipeline.begin(source.started_ns)
    for channel in channels[:1]:
        if channel.kind is not None and channel.fs_hz is not None:
            pipeline.expect(channel.kind, channel.name, channel.fs_hz)
    wanted = [channel.name for channel in channels] + ([acc] if acc is not None and reads_ppg else [])
    findings: list[Any] = []
    end_ns = source.started_ns
    for item in source.items(wanted):
        if isinstance(item, AnnotatedBeat):
            continue
        findings += pipeline.push(item)
        if isinstance(item, Samples):
            end_ns = max(end_ns, item.end_ns)
    findings += pipeline.flush(end_ns)
    return [finding for finding in findings if isinstance(finding, Respiration)]


def _truth(path: Path, source: FileSource, told: list[Respiration]) -> tuple[str, list[float | None]]:
    """(where it is from, breaths a minute of each window, None where there is no truth)."""
    from device_pipeline.evaluation.respiration import agreed_rate_bpm, true_rate_bpm
    from sensors.errors import FileFormatError
    from sensors.files.bidmc import BREATHS, SIGNALS, read_breaths_s
    from sensors.samples import Kind

    breaths = path.with_name(path.name.removesuffix(SIGNALS if path.name.endswith(SIGNALS) else path.suffix) + BREATHS)
    windows_s = [(window.start_ns / 1e9, window.length_ns / 1e9) for window in told]
    if breaths.exists():
        if source.fs_hz is None:
            raise FileFormatError(f"{breaths.name}: counts samples, and {source.name} has no sampling rate")
        marks = read_breaths_s(breaths, source.fs_hz)
        return "breaths", [agreed_rate_bpm([true_rate_bpm(m, *window) for m in marks]) for window in windows_s]
    belt = next((channel for channel in source.channels if channel.kind is Kind.RESP), None)
    if belt is None or belt.fs_hz is None:
        raise FileFormatError(f"{source.name}: no {breaths.name} beside it and no respiration channel in it")
    return belt.name, _belt_bpm(source, belt.name, belt.fs_hz, windows_s)


def _belt_bpm(
    source: FileSource, channel: str, fs_hz: float, windows_s: list[tuple[float, float]]
) -> list[float | None]:
    import numpy as np

    from device_pipeline.evaluation.breath_reference import reference_rate_bpm
    from sensors.samples import Samples

    blocks = [item for item in source.items([channel]) if isinstance(item, Samples) and item.channel == channel]
    t_s = np.concatenate([np.empty(0), *(block.start_ns / 1e9 + np.arange(len(block)) / fs_hz for block in blocks)])
    x = np.concatenate([np.empty(0), *(block.values for block in blocks)])
    rates: list[float | None] = []
    for start_s, length_s in windows_s:
        low, high = np.searchsorted(t_s, (start_s, start_s + length_s)).tolist()
        whole = high - low >= 0.98 * length_s * fs_hz
        rates.append(reference_rate_bpm(x[low:high], fs_hz) if whole else None)
    return rates


def _unscored(outcome: Outcome) -> str | None:
    return None if outcome.score is None else outcome.score.reason


def _figures(score: RespirationScore | None, error: str | None) -> dict[str, Any]:
    return {
        "windows": None if score is None else score.windows,
        "told": None if score is None else score.told,
        "without_truth": None if score is None else score.without_truth,
        "coverage": None if score is None else score.coverage,
        "mae_bpm": None if score is None else score.mae_bpm,
        "bias_bpm": None if score is None else score.bias_bpm,
        "within_2_bpm": None if score is None or not score.told else score.within_2_bpm / score.told,
        "reason": error if score is None else score.reason,
    }


def _row(outcome: Outcome) -> dict[str, Any]:
    row: dict[str, Any] = {
        "schema": SCHEMA,
        "what": "respiration",
        "record": outcome.record,
        "channels": list(outcome.channels),
        "truth": outcome.truth,
    }
    row |= _figures(outcome.score, outcome.error)
    return row if outcome.error is None else row | {"error": outcome.error}


def _gross_row(outcomes: list[Outcome]) -> dict[str, Any]:
    from device_pipeline.evaluation.respiration import gross

    scores = [outcome.score for outcome in outcomes if outcome.score is not None]
    average = average_mae(score.mae_bpm for score in scores)
    return {
        "schema": SCHEMA,
        "what": "respiration",
        "gross": _figures(gross(scores), None),
        "average": average | {"reason": None if average["records"] else "no record has anything to score"},
    } | counted(outcomes)


def _table(outcomes: list[Outcome]) -> Table:
    from device_pipeline.evaluation.respiration import gross

    scores = [outcome.score for outcome in outcomes if outcome.score is not None]
    return tabulated(
        outcomes,
        title="Respiration rate, windows of 32 s every 8 s",
        caption="told minus truth in breaths/min; coverage: windows with a truth that were told",
        words=("read from", "truth"),
        numbers=("windows", "coverage %", "MAE", "bias", "within 2 %"),
        cells=lambda outcome: (
            None if outcome.score is None else ("+".join(outcome.channels), outcome.truth, *_cells(outcome.score))
        ),
        gross=_cells(gross(scores)) if scores else None,
    )


def _cells(score: RespirationScore) -> list[str]:
    return [
        str(score.windows),
        "-" if score.coverage is None else f"{100 * score.coverage:.1f}",
        "-" if score.mae_bpm is None else f"{score.mae_bpm:.2f}",
        "-" if score.bias_bpm is None else f"{score.bias_bpm:+.2f}",
        "-" if not score.told else f"{100 * score.within_2_bpm / score.told:.1f}",
    ]
