"""`erase`: what a withdrawal does, for a patient whose device cannot ask for it any more."""

from __future__ import annotations

import json
from pathlib import Path

import click

from sync.clinic.backup.erasure import finish_erasing
from sync.clinic.cli.options import as_json_option, data_options, opened, who_runs_this
from sync.clinic.tables.audit import Action, Audit
from sync.clinic.tables.devices import Devices
from sync.clinic.withdrawal import withdraw


@click.command()
@click.argument("pseudonym")
@data_options
@click.option("--yes", is_flag=True, help="Without being asked.")
@as_json_option
def erase(pseudonym: str, folder: Path, database_url: str | None, yes: bool, as_json: bool) -> None:
    """Delete all that the clinic has of a patient, and the key of their backups, as if they had withdrawn.

    The device is refused from then on, and tells its wearer so. It cannot be undone.
    Where a disk is away, what could not be overwritten is told and tried again later; the exit code is 0 all the same.

    \b
    vitalkeep-clinic erase P-7K3QF2M1
    vitalkeep-clinic erase P-7K3QF2M1 --yes --json
    """
    with opened(folder, database_url) as clinic:
        with clinic.database.reading() as tx:
            device = Devices(tx).patient(pseudonym)
        if not yes:
            click.confirm(f"Delete all of {device.pseudonym}, for ever?", abort=True, err=True)
        with clinic.database.writing() as tx:
            tx.lock(device.id)
            # as it is now: a message may have come while somebody thought about it
            device = Devices(tx).patient(pseudonym)
            withdraw(tx, device, device.sequence, clinic.clock.today())
            Audit(tx, clinic.secrets, clinic.clock).add(who_runs_this(), Action.ERASED, device.pseudonym)
        finish_erasing(clinic)
    if as_json:
        click.echo(json.dumps({"pseudonym": device.pseudonym, "erased": True}))
    else:
        click.echo(f"{device.pseudonym}: erased")
