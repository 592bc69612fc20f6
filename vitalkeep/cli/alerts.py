"""`vitalkeep alerts`: the notices raised so far, newest last. Reads only; works while a run is writing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from device_pipeline.alerts.alert import Grounds
    from device_pipeline.store.derived import StoredAlert

SCHEMA = "vitalkeep.alert/1"
_FIRST_NS = -(1 << 63)  # what the store can tell
_UNITS_S = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}


@click.command(short_help="The alerts in the store.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per alert, one per line.")
@click.option(
    "--since",
    metavar="WHEN",
    help="Only alerts that were not over before WHEN: 30m, 24h, 7d, 2w ago, or a local date or time (2026-03-01, "
    "2026-03-01T22:30).",
)
@click.option(
    "--store",
    "folder",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the store; otherwise $XDG_DATA_HOME/vitalkeep (~/.local/share/vitalkeep).",
)
def alerts(as_json: bool, since: str | None, folder: Path | None) -> None:
    """List the alerts in the store, newest last, in local time.

    An alert is a notice, never a diagnosis: it can be false, and silence does not mean that all is well.

    \b
    Fields of --json (times are ISO 8601 in the local time zone):
      schema       "vitalkeep.alert/1"
      session      id of the session it belongs to, as `vitalkeep status` shows it
      rule         tachycardia, bradycardia, pause, irregular_rhythm, poor_signal, no_data, low_oxygen,
                   fever, ventricular_run or frequent_ventricular
      start, end   of what was seen; end is null while it lasts
      raised       when the rule had held long enough to tell
      duration_s   null while it lasts
      text         what the wearer was told
      grounds      of an alert from a model: start and end of what it saw, beats, score (0 to 1), model,
                   version, strip_start and strip_end (what to look at); else null

    \b
    Exit codes: 0 done, also where there are none; 2 wrong usage; 3 the store cannot be read.

    \b
    Examples:
      vitalkeep alerts --since 24h
      vitalkeep alerts --json | jq -r .rule | sort | uniq -c
    """
    from device_pipeline.store import derived
    from device_pipeline.store.store import open_store
    from vitalkeep import paths
    from vitalkeep.cli.app import NOT_MEDICAL

    store = open_store(folder or paths.data_folder())
    since_ns = None if since is None else _moment_ns(since, store.clock.now_ns())
    if not store.exists:
        if not as_json:
            click.echo(f"There is no store in {store.folder} yet. `make demo` or `vitalkeep run` makes one.")
        return
    with store.reader() as db:
        writing = store.is_being_written
        rows = [_row(stored, writing) for stored in derived.alerts(db, since_ns)]
    if as_json:
        import json

        for row in rows:
            click.echo(json.dumps(row, ensure_ascii=False, allow_nan=False))
        return
    click.echo(_text(rows), nl=False)
    click.echo(NOT_MEDICAL, err=True)


def _moment_ns(since: str, now_ns: int) -> int:
    from datetime import datetime

    if ago := re.fullmatch(r"(\d{1,6})([mhdw])", since):
        return max(now_ns - int(ago[1]) * _UNITS_S[ago[2]] * 1_000_000_000, _FIRST_NS)
    try:
        # a moment without a zone is meant in the local one
        return min(max(round(datetime.fromisoformat(since).timestamp()) * 1_000_000_000, _FIRST_NS), -_FIRST_NS - 1)
    except (ValueError, OverflowError, OSError):
        raise click.BadParameter(
            f"{since!r}, expected a time ago (30m, 24h, 7d, 2w) or a date or time (2026-03-01T22:30)",
            param_hint="--since",
        ) from None


def _row(stored: StoredAlert, writing: bool) -> dict[str, Any]:
    from vitalkeep.cli.moments import local_time

    alert = stored.alert
    if alert.end_ns is None and not writing:
        # its writer died; the next start will end it like this
        alert = alert.ended(max(alert.raised_ns, stored.session_last_ns or 0))
    return {
        "schema": SCHEMA,
        "session": stored.session_id,
        "rule": alert.rule,
        "start": local_time(alert.start_ns),
        "raised": local_time(alert.raised_ns),
        "end": local_time(alert.end_ns),
        "duration_s": None if alert.end_ns is None else round((alert.end_ns - alert.start_ns) / 1e9, 3),
        "text": alert.text,
        "grounds": _grounds(alert.grounds),
    }


def _grounds(grounds: Grounds | None) -> dict[str, Any] | None:
    from vitalkeep.cli.moments import local_time

    if grounds is None:
        return None
    return {
        "start": local_time(grounds.start_ns),
        "end": local_time(grounds.end_ns),
        "beats": [local_time(t_ns) for t_ns in grounds.beats_ns],
        "score": round(grounds.score, 3),
        "model": grounds.model,
        "version": grounds.version,
        "strip_start": local_time(grounds.strip_start_ns),
        "strip_end": local_time(grounds.strip_end_ns),
    }


def _text(rows: list[dict[str, Any]]) -> str:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from vitalkeep.cli.moments import duration_text, short_time

    console = Console()
    table = Table("start", "lasted", "rule", "what", box=None, pad_edge=False)
    for row in rows:
        lasted = "still lasts" if row["duration_s"] is None else duration_text(row["duration_s"])
        table.add_row(short_time(row["start"]), lasted, row["rule"], escape(row["text"]))
        if (grounds := row["grounds"]) is not None:
            first, last = short_time(grounds["strip_start"]), short_time(grounds["strip_end"])
            told = (
                f"look at {first} to {last[11:]}; {len(grounds['beats'])} beats,"
                f" score {grounds['score']:.2f} by {grounds['model']} {grounds['version']}"
            )
            table.add_row("", "", "", f"[dim]{escape(told)}[/]")
    with console.capture() as captured:
        console.print(table if rows else "No alerts.", highlight=False)
    return captured.get()
