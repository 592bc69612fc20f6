"""`audit`: what was done, by whom and when, and whether the log is as it was written."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path

import click

from sync.clinic.cli.options import FAILED, as_json_option, data_options, opened
from sync.clinic.tables.audit import PAGE, Audit, Entry


@click.command()
@data_options
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), metavar="DAY", help="From this day on, the oldest first.")
@click.option("--verify", is_flag=True, help="Whether an entry was changed or is missing; exit code 1 where so.")
@as_json_option
def audit(folder: Path, database_url: str | None, since: datetime | None, verify: bool, as_json: bool) -> None:
    """Show what was done, by whom and when: the newest hundred, or all --since a day. Times are UTC.

    \b
    vitalkeep-clinic audit
    vitalkeep-clinic audit --since 2026-05-01 --json
    vitalkeep-clinic audit --verify
    """
    if verify and since is not None:
        raise click.UsageError("--verify looks at all of the log: without --since")
    with opened(folder, database_url) as clinic, clinic.database.reading() as tx:
        log = Audit(tx, clinic.secrets, clinic.clock)
        if verify:
            found = log.verify()
        else:
            entries = log.since(_day(since)) if since is not None else log.page()
    if not verify:
        _show(entries, as_json)
        if since is None and len(entries) == PAGE and not as_json:
            click.echo("older ones: --since DAY", err=True)
        return
    if as_json:
        click.echo(json.dumps({"entries": found.entries, "faults": found.faults}))
    elif not found.faults:
        click.echo(f"{found.entries} entries, each as it was written, none missing")
    for fault in found.faults:
        click.echo(fault, err=True)
    if found.faults:
        sys.exit(FAILED)


def _show(entries: list[Entry], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"entries": [asdict(entry) for entry in entries]}))
        return
    if not entries:
        click.echo("nothing is written down", err=True)
    for entry in entries:
        about = " ".join(each for each in (entry.subject, entry.detail) if each)
        click.echo(f"{entry.number:>6}  {entry.moment:<20}  {entry.who}  {entry.action}{f'  {about}' if about else ''}")


def _day(moment: datetime) -> date:
    return moment.date()
