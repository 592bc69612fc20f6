"""`vitalkeep-clinic`: what a clinic does at its own desk. Data to standard output, all else to standard error."""

from __future__ import annotations

import click

from sync.clinic.cli.audit import audit
from sync.clinic.cli.card import card
from sync.clinic.cli.init import init
from sync.clinic.cli.pair import pair
from sync.clinic.cli.patients import patients
from sync.clinic.cli.serve import serve
from sync.clinic.cli.staff import staff


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def app() -> None:
    """The clinic's side: receives noisy cards of people who opted in, and shows them with their error.

    \b
    vitalkeep-clinic init --name 'Heart clinic' --url https://clinic.example
    vitalkeep-clinic serve --host 127.0.0.1 --port 8443
    vitalkeep-clinic pair new --for 'Patient 17'
    vitalkeep-clinic patients
    vitalkeep-clinic card P-7K3QF2M1
    """


for command in (init, serve, pair, patients, card, staff, audit):
    app.add_command(command)


def main() -> None:
    app(prog_name="vitalkeep-clinic")


if __name__ == "__main__":
    main()
