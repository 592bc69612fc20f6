"""`token`: by which other programs read here."""

from __future__ import annotations

import json
from pathlib import Path

import click

from sync.clinic.cli.options import as_json_option, data_options, opened, who_runs_this
from sync.clinic.errors import ClinicError
from sync.clinic.tables.audit import Action, Audit
from sync.clinic.tables.tokens import SCOPES, Tokens


@click.group()
def token() -> None:
    """Tokens for other programs: FHIR, CSV and metrics."""


@token.command()
@click.argument("name")
@data_options
@click.option(
    "--scope", type=click.Choice(SCOPES), required=True, help="read: figures, by FHIR and CSV; metrics: counts."
)
@as_json_option
def add(name: str, folder: Path, database_url: str | None, scope: str, as_json: bool) -> None:
    """Make a token. It is shown here, once, and kept nowhere.

    \b
    vitalkeep-clinic token add records --scope read
    curl -H 'Authorization: Bearer TOKEN' https://clinic.example/fhir/R4/Patient
    """
    with opened(folder, database_url) as clinic, clinic.database.writing() as tx:
        made = Tokens(tx).add(name, scope, clinic.clock.today())
        Audit(tx, clinic.secrets, clinic.clock).add(who_runs_this(), Action.TOKEN_ADDED, name, scope)
    if as_json:
        click.echo(json.dumps({"name": name, "scope": scope, "token": made}))
        return
    click.echo(made)
    click.echo(f"{name}: reads {'figures' if scope == 'read' else 'counts'}, until token remove {name}", err=True)


@token.command("list")
@data_options
@as_json_option
def list_(folder: Path, database_url: str | None, as_json: bool) -> None:
    """List tokens by name. What they are is kept nowhere.

    \b
    vitalkeep-clinic token list
    """
    with opened(folder, database_url) as clinic, clinic.database.reading() as tx:
        holders = Tokens(tx).all()
    if as_json:
        rows = [{"name": each.name, "scope": each.scope, "added": each.added.isoformat()} for each in holders]
        click.echo(json.dumps({"tokens": rows}))
        return
    if not holders:
        click.echo("there are no tokens", err=True)
    for each in holders:
        click.echo(f"{each.name}  {each.scope}  added {each.added.isoformat()}")


@token.command()
@click.argument("name")
@data_options
@as_json_option
def remove(name: str, folder: Path, database_url: str | None, as_json: bool) -> None:
    """Take a token back: from now on it opens nothing.

    \b
    vitalkeep-clinic token remove records
    """
    with opened(folder, database_url) as clinic, clinic.database.writing() as tx:
        if not Tokens(tx).remove(name):
            raise ClinicError("there is no token of this name; vitalkeep-clinic token list tells all")
        Audit(tx, clinic.secrets, clinic.clock).add(who_runs_this(), Action.TOKEN_REMOVED, name)
    if as_json:
        click.echo(json.dumps({"name": name, "removed": True}))
    else:
        click.echo(f"{name}: removed", err=True)
