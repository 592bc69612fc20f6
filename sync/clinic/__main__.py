"""`vitalkeep-clinic`: what a clinic does at its own desk. Data to standard output, all else to standard error."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from sync.clinic.cli.audit import audit
from sync.clinic.cli.backup import backup, restore
from sync.clinic.cli.card import card
from sync.clinic.cli.completion import completion
from sync.clinic.cli.erase import erase
from sync.clinic.cli.export import export
from sync.clinic.cli.init import init
from sync.clinic.cli.options import FAILED, INTERNAL, INTERRUPTED, USAGE
from sync.clinic.cli.pair import pair
from sync.clinic.cli.patients import patients
from sync.clinic.cli.serve import serve
from sync.clinic.cli.settings import settings
from sync.clinic.cli.staff import staff
from sync.clinic.cli.token import token


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="vitalkeep", message="vitalkeep-clinic %(version)s")
def app() -> None:
    """The clinic's side: receives noisy cards of people who opted in, and shows them with their error.

    \b
    vitalkeep-clinic init --name 'Heart clinic' --url https://clinic.example
    vitalkeep-clinic serve --host 127.0.0.1 --port 8443
    vitalkeep-clinic pair new --for 'Patient 17'
    vitalkeep-clinic patients
    vitalkeep-clinic card P-7K3QF2M1
    vitalkeep-clinic export > cards.csv
    """


for command in (init, serve, settings, staff, pair, patients, card, erase, audit, export, token, backup, restore):
    app.add_command(command)
app.add_command(completion)


def run(arguments: Sequence[str]) -> int:
    """Runs one command line; returns the exit code. Nobody is shown a traceback who did not ask for one."""
    try:
        for each in arguments:
            each.encode("utf-8")
    except UnicodeEncodeError:
        # it would be the name of a file that no output, no log and no database can hold
        click.echo("an argument is no UTF-8", err=True)
        return USAGE
    try:
        code = app.main(args=list(arguments), prog_name="vitalkeep-clinic", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.ClickException as problem:
        problem.show()
        return problem.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return INTERRUPTED
    except OSError as problem:
        where = f"{problem.filename}: " if problem.filename else ""
        click.echo(f"{where}{problem.strerror or type(problem).__name__}", err=True)
        return FAILED
    except Exception as problem:
        if os.environ.get("VITALKEEP_DEBUG"):
            raise
        # The message of an unforeseen error may carry a figure, so only its type is told.
        click.echo(f"internal error ({type(problem).__name__}); set VITALKEEP_DEBUG=1 to see where", err=True)
        return INTERNAL


def main() -> None:
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
