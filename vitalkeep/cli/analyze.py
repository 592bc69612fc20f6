"""`vitalkeep analyze`: files in, findings out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from vitalkeep.cli import exit_codes
from vitalkeep.cli.config_option import config_option


@click.command("analyze")
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
      vitalkeep analyze 04015.qrs --fs 250

    A record that fails prints its error and the others go on; the exit code is then 1.
    """
    from vitalkeep.cli.analysis_json import error_object
    from vitalkeep.cli.analysis_text import print_analysis, print_error
    from vitalkeep.cli.config_option import load
    from vitalkeep.cli.side_by_side import side_by_side

    limits = load(config).limits
    tasks = [(path, channel, fs_hz, limits, annotations) for path in paths]
    failed = False
    for path, (found, problem) in zip(paths, side_by_side(_one, tasks, jobs, "analyzing"), strict=True):
        failed |= problem is not None
        if as_json:
            row = found if found is not None else error_object(path.stem, problem or "")
            click.echo(json.dumps(row, allow_nan=False))
        elif found is not None:
            print_analysis(found)
        else:
            print_error(problem or "")
    ctx.exit(exit_codes.FAILED if failed else exit_codes.OK)


def _one(task: tuple[Path, str | None, float | None, Any, Path | None]) -> tuple[dict[str, Any] | None, str | None]:
    """One record in whatever process: (what was found, None) or (None, why not)."""
    from device_pipeline.errors import PipelineError
    from sensors.errors import SensorError
    from sensors.files.annotation import write_annotations
    from vitalkeep.analysis import analyze_path
    from vitalkeep.cli.analysis_json import analysis_object

    path, channel, fs_hz, limits, annotations = task
    try:
        analysis = analyze_path(path, limits=limits, channel=channel, fs_hz=fs_hz)
        if annotations is not None:
            annotations.mkdir(parents=True, exist_ok=True)
            rate_hz = analysis.annotation_fs_hz
            beats = analysis.beats
            samples = [round((beat.t_ns - analysis.start_ns) * rate_hz / 1e9) for beat in beats]
            write_annotations(annotations, analysis.record, rate_hz, samples, [beat.label.value for beat in beats])
        return analysis_object(analysis), None
    except (SensorError, PipelineError) as problem:
        return None, str(problem)
    except OSError as problem:
        return None, f"{problem.filename or path.name}: {problem.strerror or type(problem).__name__}"
