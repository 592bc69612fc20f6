"""`staff`: who may sign in. Passwords are typed or read, never arguments, which others on the machine can see."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from sync.clinic.cli.options import as_json_option, data_options, opened, who_runs_this
from sync.clinic.clinic import Clinic
from sync.clinic.errors import PasswordError
from sync.clinic.tables.audit import Action, Audit
from sync.clinic.tables.staff import Staff, staff_name

_from_stdin = click.option(
    "--password-stdin", "from_stdin", is_flag=True, help="Read it from standard input, one line."
)
_generate = click.option("--generate", "generated", is_flag=True, help="Make one, and print it, this once.")


@click.group()
def staff() -> None:
    """Who may sign in.

    \b
    vitalkeep-clinic staff add reception
    vitalkeep-clinic staff list
    """


@staff.command()
@click.argument("name")
@data_options
@_from_stdin
@_generate
@click.option("--no-password", is_flag=True, help="Signs in through a proxy alone (serve --proxy-header).")
@as_json_option
def add(
    name: str,
    folder: Path,
    database_url: str | None,
    from_stdin: bool,
    generated: bool,
    no_password: bool,
    as_json: bool,
) -> None:
    """Let somebody sign in. The password is asked for twice, without --password-stdin, --generate or --no-password.

    \b
    vitalkeep-clinic staff add reception
    vitalkeep-clinic staff add doctor --generate
    vitalkeep-clinic staff add doctor@clinic.example --no-password
    """
    _require_one_way(from_stdin, generated, no_password)
    with opened(folder, database_url) as clinic:
        name = staff_name(name)
        password = None if no_password else _password(clinic, name, from_stdin, generated)
        hashed = "" if password is None else _hash(password)
        with clinic.database.writing() as tx:
            Staff(tx).add(name, hashed, clinic.clock.today())
            Audit(tx, clinic.secrets, clinic.clock).add(who_runs_this(), Action.STAFF_ADDED, name)
    _tell(name, "may sign in", password if generated else None, as_json)


@staff.command()
@click.argument("name")
@data_options
@_from_stdin
@_generate
@as_json_option
def password(
    name: str, folder: Path, database_url: str | None, from_stdin: bool, generated: bool, as_json: bool
) -> None:
    """Change somebody's password. Whoever is signed in with the old one is out at the next request.

    \b
    vitalkeep-clinic staff password reception
    """
    _require_one_way(from_stdin, generated)
    with opened(folder, database_url) as clinic:
        name = staff_name(name)
        new = _password(clinic, name, from_stdin, generated)
        with clinic.database.writing() as tx:
            Staff(tx).set_password(name, _hash(new))
            Audit(tx, clinic.secrets, clinic.clock).add(who_runs_this(), Action.PASSWORD_CHANGED, name)
    _tell(name, "has another password", new if generated else None, as_json)


@staff.command()
@click.argument("name")
@data_options
@as_json_option
def remove(name: str, folder: Path, database_url: str | None, as_json: bool) -> None:
    """Let somebody sign in no more. Whoever is signed in is out at the next request.

    \b
    vitalkeep-clinic staff remove reception
    """
    with opened(folder, database_url) as clinic:
        name = staff_name(name)
        with clinic.database.writing() as tx:
            Staff(tx).remove(name)
            Audit(tx, clinic.secrets, clinic.clock).add(who_runs_this(), Action.STAFF_REMOVED, name)
    _tell(name, "may sign in no more", None, as_json)


@staff.command(name="list")
@data_options
@as_json_option
def list_(folder: Path, database_url: str | None, as_json: bool) -> None:
    """List who may sign in.

    \b
    vitalkeep-clinic staff list --json
    """
    with opened(folder, database_url) as clinic, clinic.database.reading() as tx:
        rows = [
            {"name": each.name, "added": each.added.isoformat(), "password": bool(each.password)}
            for each in Staff(tx).all()
        ]
    if as_json:
        click.echo(json.dumps({"staff": rows}))
        return
    if not rows:
        click.echo("nobody may sign in; vitalkeep-clinic staff add NAME", err=True)
    for row in rows:
        click.echo(f"{row['name']}  since {row['added']}, {'by password' if row['password'] else 'through the proxy'}")


def _require_one_way(*ways: bool) -> None:
    if sum(ways) > 1:
        raise click.UsageError("one of --password-stdin, --generate and --no-password, or none")


def _hash(password: str) -> str:
    from sync.clinic.desk.passwords import Passwords

    return Passwords().hash(password)


def _password(clinic: Clinic, name: str, from_stdin: bool, generated: bool) -> str:
    """Raises PasswordError."""
    from sync.clinic.desk.passwords import MOST_BYTES, generate, require_good

    if generated:
        return generate()
    if from_stdin:
        line = sys.stdin.buffer.readline(MOST_BYTES + 3)
        try:
            typed = line.decode("utf-8").rstrip("\r\n")
        except UnicodeDecodeError:
            raise PasswordError("a password is text in UTF-8") from None
    else:
        typed = click.prompt("Password", hide_input=True, confirmation_prompt="The same again", err=True)
    require_good(typed, clinic.name, name)
    return typed


def _tell(name: str, what: str, generated: str | None, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"name": name, **({} if generated is None else {"password": generated})}))
        return
    if generated is not None:
        click.echo(generated)
    click.echo(f"{name} {what}", err=True)
