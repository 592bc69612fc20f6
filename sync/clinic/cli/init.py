"""`init`: makes a clinic, once."""

from __future__ import annotations

import json
from pathlib import Path

import click

from sync.clinic.cli.options import as_json_option, data_options, told
from sync.clinic.database.opened import open_database, remember
from sync.clinic.secrets_file import make_secrets
from sync.clinic.tables.meta import Meta
from sync.pairing import require_url


@click.command()
@data_options
@click.option("--name", default="clinic", show_default=True, help="What wearers see.")
@click.option("--url", help="The address at which devices reach it; it goes into pairing codes.")
@as_json_option
def init(folder: Path, database_url: str | None, name: str, url: str | None, as_json: bool) -> None:
    """Make a clinic: its keys and an empty database.

    \b
    vitalkeep-clinic init --data /srv/clinic --name 'Heart clinic' --url https://clinic.example
    vitalkeep-clinic init --data /srv/clinic --database postgresql:///clinic
    """
    with told():
        if url is not None:
            url = url.rstrip("/")
            require_url(url)
        keys = make_secrets(folder).public
        if database_url is not None:
            remember(folder, database_url)
        database = open_database(folder, create=True)
        try:
            with database.writing() as tx:
                Meta(tx).put("name", name)
                if url is not None:
                    Meta(tx).put("url", url)
        finally:
            database.close()
    if as_json:
        click.echo(json.dumps({"name": name, "url": url, "id": keys.id.hex(), "data": str(folder)}))
    else:
        click.echo(f"{name}: made in {folder}; its keys are named {keys.id.hex()}")
