"""`vitalkeep hrv`: the table that people who work with heart rate variability expect."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vitalkeep.cli import exit_codes
from vitalkeep.cli.config_option import config_option
from vitalkeep.cli.failed_record import failure

if TYPE_CHECKING:
    from vitalkeep.hrv_table import Asked, HrvTable

# What was found or None, why not or "", exit code.
_Outcome = tuple["HrvTable | None", str, int]
_LEAST_WINDOW_S = 60.0


class _Moment(click.ParamType[float]):
    """A moment of the record: seconds, or hours:minutes:seconds, or minutes:seconds."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        if not re.fullmatch(r"(\d+:){0,2}\d+(\.\d+)?", value):
            self.fail(f"{value!r} is no time: seconds, mm:ss or hh:mm:ss are expected", param, ctx)
        seconds = 0.0
        for part in value.split(":"):
            seconds = 60 * seconds + float(part)
        return seconds


@click.command("hrv", short_help="The table of heart rate variability.")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH...")
@click.option(
    "--window",
    "window_s",
    type=click.FloatRange(min=_LEAST_WINDOW_S),
    default=300.0,
    show_default=True,
    metavar="S",
    help="Length of the windows, from 60 s on.",
)
@click.option("--whole", is_flag=True, help="The whole as one window, with what is told of long recordings only.")
@click.option("--start", "start_s", type=_Moment(), default=0.0, metavar="TIME", help="Leave out what is before.")
@click.option("--end", "end_s", type=_Moment(), metavar="TIME", help="Leave out what is after.")
@click.option(
    "--channel", metavar="NAME", help="The ECG or PPG channel to read. Default: the first ECG, else the first PPG."
)
@click.option("--fs", "fs_hz", type=float, metavar="HZ", help="Sampling rate, for files that do not tell it.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per record and line (docs/hrv.md).")
@click.option(
    "--export-rr",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the RR intervals of the one record to FILE, in ms, one on a line.",
)
@click.option("--nn", is_flag=True, help="Export normal-to-normal intervals only.")
@click.option(
    "--export-csv",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the windows that have values to FILE, in the columns of HRV4Training.",
)
@click.option(
    "--began",
    type=click.DateTime(["%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S"]),
    help="When the record began, for files that do not tell it; only the CSV has dates.",
)
@click.option(
    "--jobs", type=click.IntRange(min=1), metavar="N", help="Records read at the same time. Default: the cores at hand."
)
@config_option
@click.pass_context
def hrv(
    ctx: click.Context,
    paths: tuple[Path, ...],
    window_s: float,
    whole: bool,
    start_s: float,
    end_s: float | None,
    channel: str | None,
    fs_hz: float | None,
    as_json: bool,
    export_rr: Path | None,
    nn: bool,
    export_csv: Path | None,
    began: Any,
    jobs: int | None,
    config: Path | None,
) -> None:
    """Time, frequency and nonlinear measures of heart rate variability, per window.

    PATH is whatever `vitalkeep analyze` reads: a recording, a WFDB record, EDF, CSV, a text file of RR intervals in ms,
    an annotation file. Every value is over normal-to-normal intervals; docs/hrv.md says how each is worked out. A value
    marked ? may be off by more than 5 % because of what was left out, or could have been. Of more than six windows
    the page shows the median, the lowest and the highest; --json has them all.

    \b
    Examples:
      vitalkeep hrv morning.txt
      vitalkeep hrv strap.jsonl.gz --start 2:00 --end 7:00
      vitalkeep hrv 16265.atr --whole
      vitalkeep hrv --json --window 120 night.edf > hrv.jsonl
      vitalkeep hrv morning.csv --export-rr morning.txt --nn
      vitalkeep hrv morning.txt --export-csv hrv.csv --began "2026-05-01 06:30"

    A record that fails prints its error and the others go on.

    \b
    Exit codes: 0 done, also where no window has a value; 1 a record failed; 2 wrong usage;
    4 the configuration is wrong; 70 an internal error; 130 interrupted.
    """
    from vitalkeep.cli.config_option import load
    from vitalkeep.cli.hrv_export import rr_text, table_csv
    from vitalkeep.cli.hrv_json import error_object, table_object
    from vitalkeep.cli.hrv_text import print_table
    from vitalkeep.cli.say import say
    from vitalkeep.cli.side_by_side import side_by_side
    from vitalkeep.hrv_table import Asked

    if export_rr is not None and len(paths) > 1:
        raise click.UsageError("--export-rr writes one file: name one PATH")
    if nn and export_rr is None:
        raise click.UsageError("--nn says what --export-rr writes: give that too")
    if began is not None and len(paths) > 1:
        raise click.UsageError("--began is about one record: name one PATH")
    if end_s is not None and end_s <= start_s:
        raise click.UsageError(f"--end ({end_s:g} s) must be after --start ({start_s:g} s)")
    limits = load(config).limits
    asked = Asked(start_s=start_s, end_s=end_s, window_s=window_s, whole=whole)
    tasks = [(path, asked, channel, fs_hz, limits) for path in paths]
    worst = exit_codes.OK
    tables: list[HrvTable] = []
    died: _Outcome = (None, "its process was ended by the system; was there enough memory?", exit_codes.FAILED)
    for path, (found, problem, code) in zip(paths, side_by_side(_one, tasks, jobs, "reading", died), strict=True):
        worst = max(worst, code)
        if found is not None:
            tables.append(found)
            if as_json:
                click.echo(json.dumps(table_object(found), allow_nan=False))
            else:
                print_table(found)
        elif as_json:
            click.echo(json.dumps(error_object(path.name, problem), allow_nan=False))
        else:
            say(problem)
    if export_rr is not None and tables:
        export_rr.write_text(rr_text(tables[0], nn_only=nn), encoding="ascii")
    if export_csv is not None and tables:
        export_csv.write_text(table_csv(tables, began), encoding="utf-8", newline="")
    ctx.exit(worst)


def _one(task: tuple[Path, Asked, str | None, float | None, Any]) -> _Outcome:
    """One record in whatever process: (what was found, "", 0) or (None, why not, exit code)."""
    from vitalkeep.hrv_table import hrv_table

    path, asked, channel, fs_hz, limits = task
    try:
        return hrv_table(path, asked, limits=limits, channel=channel, fs_hz=fs_hz), "", exit_codes.OK
    except Exception as problem:
        return None, *failure(problem, path.name)
