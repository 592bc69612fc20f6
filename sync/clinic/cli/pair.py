"""`pair`: codes that pair one device each, once."""

from __future__ import annotations

import json
from pathlib import Path

import click

from sync.clinic.cli.options import as_json_option, data_options, opened, who_runs_this
from sync.clinic.errors import ClinicError
from sync.clinic.tables.audit import Action, Audit
from sync.clinic.tables.pairings import Pairings
from sync.pairing import PairingCode, require_url


@click.group()
def pair() -> None:
    """Pairing codes."""


@pair.command()
@data_options
@click.option("--for", "label", help="What the clinic calls the patient; it stays at the clinic.")
@click.option("--url", help="The address at which this device reaches the clinic.  [default: that of init]")
@click.option(
    "--days", type=click.IntRange(1, 365), default=14, show_default=True, help="How long the code can be used."
)
@as_json_option
def new(folder: Path, database_url: str | None, label: str | None, url: str | None, days: int, as_json: bool) -> None:
    """Give out a code that pairs one device, once. It is shown here and kept nowhere.

    \b
    vitalkeep-clinic pair new --for 'Patient 17'
    """
    with opened(folder, database_url) as clinic:
        url = url or clinic.url
        if url is None:
            raise ClinicError("where do devices reach this clinic? --url, here or with init")
        url = url.rstrip("/")
        require_url(url)
        with clinic.database.writing() as tx:
            token, pairing = Pairings(tx).new(label, clinic.clock.today(), days)
            Audit(tx, clinic.secrets, clinic.clock).add(who_runs_this(), Action.PAIRING_MADE, pairing.pseudonym)
        code = PairingCode(url, token, clinic.secrets.public.id).encode()
    last_day = pairing.last_day.isoformat()
    if as_json:
        click.echo(json.dumps({"code": code, "pseudonym": pairing.pseudonym, "label": label, "last_day": last_day}))
        return
    click.echo(code)
    click.echo(f"for {pairing.pseudonym}{f' ({label})' if label else ''}, once, until {last_day}", err=True)
