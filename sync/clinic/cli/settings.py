"""`settings`: what wearers see the clinic called, and the address at which devices reach it."""

from __future__ import annotations

import json
from pathlib import Path

import click

from sync.clinic.cli.options import as_json_option, data_options, opened, who_runs_this
from sync.clinic.clinic import require_name
from sync.clinic.tables.audit import Action, Audit
from sync.clinic.tables.meta import Meta
from sync.pairing import require_url


@click.command()
@data_options
@click.option("--name", help="What wearers see from now on.")
@click.option("--url", help="The address at which devices reach it; it goes into the next pairing codes.")
@as_json_option
def settings(folder: Path, database_url: str | None, name: str | None, url: str | None, as_json: bool) -> None:
    """Show or change the name and the address that `init` was told. A server that runs has to be started again.

    Devices that are paired keep the address they were paired with: see that the old one still leads here.

    \b
    vitalkeep-clinic settings
    vitalkeep-clinic settings --url https://clinic.example --name 'Heart clinic'
    """
    changed = {key: value for key, value in (("name", name), ("url", url and url.rstrip("/"))) if value}
    with opened(folder, database_url) as clinic:
        if name is not None:
            require_name(name)
        if "url" in changed:
            require_url(changed["url"])
        if changed:
            with clinic.database.writing() as tx:
                for key, value in changed.items():
                    Meta(tx).put(key, value)
                audit = Audit(tx, clinic.secrets, clinic.clock)
                audit.add(who_runs_this(), Action.SETTINGS_CHANGED, None, ", ".join(changed))
        found = {"name": clinic.name, "url": clinic.url, **changed, "id": clinic.secrets.public.id.hex()}
    if as_json:
        click.echo(json.dumps(found))
        return
    click.echo(f"{found['name']}, at {found['url'] or 'no address yet'}; its keys are named {found['id']}")
