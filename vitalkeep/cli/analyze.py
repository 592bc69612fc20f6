"""`vitalkeep analyze`: files in, findings out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vitalkeep.cli import exit_codes
from vitalkeep.cli.config_option import config_option
from vitalkeep.cli.failed_record import failure

if TYPE_CHECKING:
    from vitalkeep.analysis import Analysis

_RECORD = "{record}"
# What was found or None, why not or "", exit code.
_Outcome = tuple[dict[str, Any] | None, str, int]


@click.command("analyze", short_help="Recorded files in, findings out.")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH...")
@click.option(
    "--channel", metavar="NAME", help="The ECG or PPG channel to read. Default: the first ECG, else the first PPG."
)
@click.option("--fs", "fs_hz", type=float, metavar="HZ", help="Sampling rate, for files that do not tell it.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per record and line (docs/analyze.md).")
@click.option(
    "--annotations",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write each record's beats to DIR/<record>.vk, a WFDB annotation file.",
)
@click.option(
    "--plot",
    metavar="OUT",
    help="Draw each record into OUT, .png or .html; {record} in it stands for its name. Needs the extra [plot].",
)
@click.option(
    "--jobs", type=click.IntRange(min=1), metavar="N", help="Records read at the same time. Default: the cores at hand."
)
@config_option
@click.pass_context
def analyze(
    ctx: click.Context,
    paths: tuple[Path, ...],
    channel: str | None,
    fs_hz: float | None,
    as_json: bool,
    annotations: Path | None,
    plot: str | None,
    jobs: int | None,
    config: Path | None,
) -> None:
    """Beats, heart rate, HRV, rhythm and alerts of recorded files.

    PATH is a recording (.jsonl, .jsonl.gz), a WFDB record (101 or 101.hea), an EDF file, a CSV file whose header names
    its channels (t_s ecg_mv ppg ppg_2 ppg_red ppg_ir acc_x acc_y acc_z resp spo2_pct rr_ms), a text file of RR
    intervals in ms, or a WFDB annotation file alone (16265.atr). WFDB and EDF need the extra [files].

    \b
    Examples:
      vitalkeep analyze fixtures/recordings/chest_strap.jsonl.gz
      vitalkeep analyze --json mitdb/101 mitdb/106 > findings.jsonl
      vitalkeep analyze night.edf --channel "ECG II" --annotations beats/
      vitalkeep analyze strap.csv --fs 130
      vitalkeep analyze night.edf --plot night.html
      vitalkeep analyze --plot 'plots/{record}.png' mitdb/101 mitdb/106
      vitalkeep analyze 04015.qrs --fs 250

    A record that fails prints its error and the others go on.

    \b
    Exit codes: 0 done, also where nothing could be read in a signal; 1 a record failed, or its picture
    could not be drawn; 2 wrong usage;
    4 the configuration is wrong; 70 an internal error; 130 interrupted.
    """
    from vitalkeep.cli.analysis_json import error_object
    from vitalkeep.cli.analysis_text import print_analysis
    from vitalkeep.cli.config_option import load
    from vitalkeep.cli.say import say
    from vitalkeep.cli.side_by_side import side_by_side

    if annotations is not None:
        _require_own_names(paths, "their beats", f"{_RECORD}.vk")
    if plot is not None:
        from vitalkeep.plot.library import require

        _require_picture(plot, paths)
        require()
    limits = load(config).limits
    tasks = [(path, channel, fs_hz, limits, annotations, plot) for path in paths]
    worst = exit_codes.OK
    died: _Outcome = (None, "its process was ended by the system; was there enough memory?", exit_codes.FAILED)
    for path, (found, problem, code) in zip(paths, side_by_side(_one, tasks, jobs, "analyzing", died), strict=True):
        worst = max(worst, code)
        if as_json:
            row = found if found is not None else error_object(_record(path), problem)
            click.echo(json.dumps(row, allow_nan=False))
        elif found is not None:
            print_analysis(found)
        if problem and not (as_json and found is None):
            say(problem)
    ctx.exit(worst)


def _record(path: Path) -> str:
    """The record's name where nothing could be opened."""
    return path.name.removesuffix(".gz").removesuffix(".jsonl") if ".jsonl" in path.suffixes else path.stem or str(path)


def _require_own_names(paths: tuple[Path, ...], what: str, out: str) -> None:
    seen: dict[str, Path] = {}
    for path in paths:
        before = seen.setdefault(_record(path), path)
        if before is not path:
            name = out.replace(_RECORD, _record(path))
            raise click.UsageError(f"{before} and {path} would both write {what} to {name}: name one")


def _require_picture(out: str, paths: tuple[Path, ...]) -> None:
    from vitalkeep.plot.library import SUFFIXES

    suffix = Path(out).suffix
    if suffix.lower() not in SUFFIXES:
        raise click.UsageError(f"--plot {out}: {f'a {suffix} file' if suffix else 'no suffix'}, .png or .html expected")
    if len(paths) > 1 and _RECORD not in out:
        raise click.UsageError(f"--plot {out}: one file for {len(paths)} records, {_RECORD} expected in its name")
    _require_own_names(paths, "their picture", out)


def _one(task: tuple[Path, str | None, float | None, Any, Path | None, str | None]) -> _Outcome:
    """One record in whatever process: (what was found, "", 0), or (None, why not, exit code).

    What was found and why not: the record was read, and its picture could not be drawn.
    """
    from vitalkeep.analysis import analyze_path
    from vitalkeep.cli.analysis_json import analysis_object

    path, channel, fs_hz, limits, annotations, plot = task
    found: dict[str, Any] | None = None
    try:
        trace = None
        if plot is not None:
            from vitalkeep.plot.trace import Trace

            trace = Trace()
        analysis = analyze_path(path, limits=limits, channel=channel, fs_hz=fs_hz, watcher=trace)
        if annotations is not None:
            _annotate(analysis, annotations)
        found = analysis_object(analysis)
        if plot is not None and trace is not None:
            from vitalkeep.plot.plot_record import plot_record

            plot_record(Path(plot.replace(_RECORD, analysis.record)), path, fs_hz, analysis, trace)
        return found, "", exit_codes.OK
    except Exception as problem:
        return found, *failure(problem, path.name)


def _annotate(analysis: Analysis, folder: Path) -> None:
    """Beats of an ECG by what they are, Q where that cannot be told (EC57: unclassifiable)."""
    from device_pipeline.beat import BeatLabel, BeatSource
    from sensors.files.annotation import write_annotations

    folder.mkdir(parents=True, exist_ok=True)
    rate_hz = analysis.annotation_fs_hz
    if analysis.source is BeatSource.ECG:
        symbols = [BeatLabel.Q if label is None else label for label in analysis.labels()]
    else:
        symbols = [
            beat.label for beat in analysis.beats
        ]  # pulses and intervals have no kind: N marks that there is one
    marks = [
        (round((beat.t_ns - analysis.start_ns) * rate_hz / 1e9), symbol.value)
        for beat, symbol in zip(analysis.beats, symbols, strict=True)
        if beat.t_ns >= analysis.start_ns  # an interval may reach back to before the record
    ]
    write_annotations(
        folder, analysis.record, rate_hz, [sample for sample, _ in marks], [symbol for _, symbol in marks]
    )
