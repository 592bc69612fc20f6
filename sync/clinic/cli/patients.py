"""`patients`: who is enrolled, by pseudonym."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from sync.clinic.cli.options import as_json_option, data_options, opened
from sync.clinic.tables.answers import Answers, Newest
from sync.clinic.tables.devices import Device, Devices


@click.command()
@data_options
@as_json_option
def patients(folder: Path, database_url: str | None, as_json: bool) -> None:
    """List who is enrolled, by pseudonym."""
    with opened(folder, database_url) as clinic, clinic.database.reading() as tx:
        newest = Answers(tx).newest()
        rows = [_patient(device, newest.get(device.id)) for device in Devices(tx).all()]
    if as_json:
        click.echo(json.dumps({"patients": rows}))
        return
    if not rows:
        click.echo("nobody is enrolled", err=True)
    for row in rows:
        until = f"newest period until {row['newest_day']}" if row["newest_day"] else "no card yet"
        click.echo(f"{row['pseudonym']}  {row['label'] or '-'}  enrolled {row['enrolled']}, {until}")


def _patient(device: Device, newest: Newest | None) -> dict[str, Any]:
    return {
        "pseudonym": device.pseudonym,
        "label": device.label,
        "enrolled": device.enrolled.isoformat(),
        "answers": 0 if newest is None else newest.answers,
        "newest_day": None if newest is None else newest.last_day.isoformat(),
    }
