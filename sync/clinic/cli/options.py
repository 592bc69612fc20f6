"""What all commands have in common: where the clinic is, how they print, and what their exit codes mean."""

from __future__ import annotations

import os
import pwd
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from sync.clinic.clinic import Clinic, open_clinic
from sync.clinic.clock import SystemClinicClock
from sync.clinic.errors import ClinicError, ClinicStoreError
from sync.pairing import PairingCodeError

# What only `pip install 'vitalkeep[clinic]'` brings: imported by what needs it, so that all else works without.
_EXTRA = ("argon2", "jinja2", "psycopg", "segno", "starlette", "uvicorn")
FAILED = 1
USAGE = 2
STORE = 3
INTERNAL = 70
INTERRUPTED = 130
NOT_MEDICAL = (
    "Not a medical device: figures with noise in them, of what a wearable sensor saw. They decide nothing alone."
)
_Command = TypeVar("_Command", bound=Callable[..., Any])

as_json_option = click.option("--json", "as_json", is_flag=True, help="As JSON, on standard output.")


def data_options(command: _Command) -> _Command:
    """`folder` and `database_url`."""
    command = click.option(
        "--database",
        "database_url",
        envvar="VITALKEEP_CLINIC_DATABASE",
        help="A PostgreSQL, as postgresql://...  [default: what init was told, or a file in the folder]",
    )(command)
    return click.option(
        "--data",
        "folder",
        type=click.Path(file_okay=False, path_type=Path),
        default=Path("vitalkeep-clinic"),
        show_default=True,
        help="Where the clinic keeps its keys and its database.",
    )(command)


@contextmanager
def told() -> Iterator[None]:
    """What goes wrong within ends the command with a line and its exit code."""
    try:
        yield
    except (ClinicError, PairingCodeError) as problem:
        click.echo(str(problem), err=True)
        sys.exit(STORE if isinstance(problem, ClinicStoreError) else FAILED)
    except ModuleNotFoundError as missing:
        package = (missing.name or "").partition(".")[0]
        if package not in _EXTRA:
            raise
        click.echo(f"{package} is not installed: pip install 'vitalkeep[clinic]'", err=True)
        sys.exit(FAILED)


@contextmanager
def opened(folder: Path, database_url: str | None) -> Iterator[Clinic]:
    """The clinic, with `told` around it."""
    with told(), open_clinic(folder, SystemClinicClock(), database_url) as clinic:
        yield clinic


def who_runs_this() -> str:
    """As the audit log has it: by the account, whatever the environment says."""
    number = os.getuid()
    try:
        return f"cli:{pwd.getpwuid(number).pw_name}"
    except KeyError:
        return f"cli:{number}"
