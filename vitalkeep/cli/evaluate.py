"""`vitalkeep evaluate`: our figures against what somebody else measured on the same records."""

from __future__ import annotations

from pathlib import Path

import click
from click.core import ParameterSource

from vitalkeep.cli.evaluations import DEFAULT, TAKES, Asked, kind


@click.command("evaluate", short_help="How right we are, against references.")
@click.argument("records", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="DIR|RECORDS...")
@click.option("--what", type=click.Choice(tuple(TAKES)), default=DEFAULT, show_default=True, help="What to measure.")
@click.option(
    "--reference", default="atr", show_default=True, metavar="EXT", help="Extension of the reference annotations."
)
@click.option("--beats", metavar="EXT", help="Score the beats of this annotation file instead of running our detector.")
@click.option(
    "--tolerance-ms",
    type=click.FloatRange(min=0),
    default=150.0,
    show_default=True,
    metavar="MS",
    help="Match window to either side.",
)
@click.option(
    "--learning-s",
    type=click.FloatRange(min=0),
    default=300.0,
    show_default=True,
    metavar="S",
    help="Learning period at the start, not scored.",
)
@click.option("--channel", metavar="NAME", help="The lead to read. Default: MLII, else the first ECG.")
@click.option("--fs", "fs_hz", type=float, metavar="HZ", help="Sampling rate, for annotations that do not tell it.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per record and line, the last one gross.")
@click.option(
    "--jobs", type=click.IntRange(min=1), metavar="N", help="Records read at the same time. Default: the cores at hand."
)
@click.pass_context
def evaluate(
    ctx: click.Context,
    records: tuple[Path, ...],
    what: str,
    reference: str,
    beats: str | None,
    tolerance_ms: float,
    learning_s: float,
    channel: str | None,
    fs_hz: float | None,
    as_json: bool,
    jobs: int | None,
) -> None:
    """Figures of recorded files against references: beats, or what --what names (docs/evaluate.md).

    Beats are scored as ANSI/AAMI EC57 says: a beat matches inside the tolerance, each at most once; the learning period
    and ventricular flutter or fibrillation are left out. Gross figures sum the beats of all records, average ones take
    the mean of the records. A DIR stands for all its records that have a reference. Reading signals needs the extra
    [files]; scoring annotation files (--beats) needs nothing.

    \b
    Examples:
      vitalkeep evaluate mitdb/
      vitalkeep evaluate mitdb/101 mitdb/106 --channel V1
      vitalkeep evaluate mitdb/ --beats vk --json > figures.jsonl
      vitalkeep evaluate short/ --learning-s 0 --tolerance-ms 100
      vitalkeep evaluate --what hrv mitdb/
      vitalkeep evaluate --what rhythm afdb/ --fs 250

    A record that fails prints its error and the others go on. A record that leaves nothing to score says why, and is
    no failure.

    \b
    Exit codes: 0 done; 1 a record failed; 2 wrong usage; 70 an internal error; 130 interrupted.
    """
    for option in frozenset().union(*TAKES.values()) - TAKES[what]:
        if ctx.get_parameter_source(option) is ParameterSource.COMMANDLINE:
            name = option.removesuffix("_hz").replace("_", "-")
            raise click.UsageError(f"--{name} means nothing to --what {what}")
    asked = Asked(
        paths=records,
        reference=reference.lstrip("."),
        beats=beats and beats.lstrip("."),
        channel=channel,
        tolerance_s=tolerance_ms / 1e3,
        learning_s=learning_s,
        fs_hz=fs_hz,
        as_json=as_json,
        jobs=jobs,
    )
    ctx.exit(kind(what)(asked))
