"""`backup` and `restore`: the whole clinic in a file, and back into one that holds nothing, of either kind."""

from __future__ import annotations

import json
from pathlib import Path

import click
from click.core import ParameterSource

from sync.clinic.backup.backup import make_backup
from sync.clinic.backup.key_store import KeyStore
from sync.clinic.backup.keys_copy import copy_keys, require_room
from sync.clinic.backup.keys_place import existing_keys, open_keys
from sync.clinic.backup.restore import Contents, require_keys, verify_backup
from sync.clinic.backup.restore import restore as put_back
from sync.clinic.backup.restored_folder import restored_folder
from sync.clinic.cli.options import as_json_option, data_options, opened, told, who_runs_this
from sync.clinic.clock import SystemClinicClock
from sync.clinic.database.database import Transaction
from sync.clinic.errors import ClinicError
from sync.clinic.new_file import is_there
from sync.clinic.secrets_file import load_secrets
from sync.clinic.tables.audit import Action, Audit

_file = click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
_keys = click.option(
    "--backup-keys",
    "keys_path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The newest copy of the keys of backups; they stay there.  [default: where they are, or in the folder]",
)


@click.command()
@_file
@data_options
@click.option("--verify", is_flag=True, help="Read FILE, all of it, and say what it holds; write nothing.")
@click.option(
    "--keys-to",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also copy the keys of backups there, over the copy made before.",
)
@as_json_option
def backup(
    file: Path, folder: Path, database_url: str | None, verify: bool, keys_to: Path | None, as_json: bool
) -> None:
    """Write all that the clinic has into FILE, each patient's part under that patient's own key.

    Who withdraws later is in no backup any more: the key is erased. So FILE may be kept for years and copied anywhere;
    the keys, backup-keys.db, may be copied once, as the newest only, and never into a backup that keeps old versions.
    The clinic's own keys, clinic.keys, never change: keep a copy of them apart.

    \b
    vitalkeep-clinic backup /mnt/backup/2026-05-01.backup --keys-to /mnt/keys/backup-keys.db
    vitalkeep-clinic backup --verify /mnt/backup/2026-05-01.backup
    """
    if verify:
        if keys_to is not None:
            raise click.UsageError("--verify and --keys-to do not go together")
        with told():
            clinic_id = load_secrets(folder).public.id
            with existing_keys(folder, clinic_id) as keys:
                _say(file, verify_backup(file, clinic_id, keys), as_json)
        return
    with opened(folder, database_url) as clinic:
        clinic_id = clinic.secrets.public.id
        with open_keys(folder, clinic_id) as keys:
            if is_there(file):
                raise ClinicError(f"{file}: is there already, and is not overwritten")
            if keys_to is not None:
                require_room(keys, keys_to)
            # before the file is there: who has it is in the log
            with clinic.database.writing() as tx:
                Audit(tx, clinic.secrets, clinic.clock).add(who_runs_this(), Action.BACKED_UP, None, file.name[:200])
            made = make_backup(clinic, keys, file)
            if keys_to is not None:
                click.echo(f"{file}: made; now its keys", err=True)
                copy_keys(keys, keys_to)
    if as_json:
        told_ = {"file": str(file), "day": made.day.isoformat(), "devices": made.devices, "codes": made.codes}
        click.echo(json.dumps({**told_, "bytes": made.bytes, "keys": None if keys_to is None else str(keys_to)}))
        return
    click.echo(f"{file}: devices: {made.devices}, codes that are out: {made.codes}, bytes: {made.bytes}")
    if keys_to is None:
        click.echo(f"it is opened with the keys in {keys.path}: keep a copy, only ever the newest", err=True)


@click.command()
@_file
@data_options
@_keys
@click.option("--without-missing", is_flag=True, help="Leave out patients whose key is not among the keys.")
@as_json_option
def restore(
    file: Path,
    folder: Path,
    database_url: str | None,
    keys_path: Path | None,
    without_missing: bool,
    as_json: bool,
) -> None:
    """Put FILE back into a folder that has clinic.keys and backup-keys.db, and nothing else of a clinic.

    All of FILE is checked first, and all of it is put back or nothing. Patients who withdrew since are left out. Into a
    file or into PostgreSQL, whatever it came from.

    \b
    mkdir -m 700 /srv/clinic && cp clinic.keys backup-keys.db /srv/clinic
    vitalkeep-clinic restore 2026-05-01.backup --data /srv/clinic
    vitalkeep-clinic restore 2026-05-01.backup --data /srv/clinic --database postgresql:///clinic
    """
    with told():
        secrets = load_secrets(folder)
        clinic_id = secrets.public.id

        def log(tx: Transaction, contents: Contents) -> None:
            audit = Audit(tx, secrets, SystemClinicClock())
            audit.add(who_runs_this(), Action.RESTORED, None, f"the backup of {contents.day.isoformat()}")

        with existing_keys(folder, clinic_id) if keys_path is None else KeyStore(keys_path, clinic_id) as keys:
            contents = verify_backup(file, clinic_id, keys)
            if not without_missing:
                require_keys(contents, keys)
            source = click.get_current_context().get_parameter_source("database_url")
            is_given = source is not ParameterSource.ENVIRONMENT
            with restored_folder(folder, database_url, keys_path, remember_url=is_given) as database:
                put_back(file, clinic_id, keys, database, log)
    _say(file, contents, as_json)


def _say(file: Path, contents: Contents, as_json: bool) -> None:
    devices, answers = contents.rows.get("devices", 0), contents.rows.get("answers", 0)
    if as_json:
        out = {"left_out": contents.left_out, "missing": contents.missing}
        click.echo(json.dumps({"file": str(file), "day": contents.day.isoformat(), "rows": contents.rows, **out}))
        return
    click.echo(f"{file}: of {contents.day.isoformat()}, devices: {devices}, answers: {answers}")
    if contents.left_out:
        click.echo(f"left out, since their key was erased: {contents.left_out}", err=True)
    if contents.missing:
        click.echo(f"left out, since their key is not here: {contents.missing}", err=True)
