"""`init`: makes a clinic, once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import click
from click.core import ParameterSource

from sync.clinic.backup.key_store import NAME, KeyStore
from sync.clinic.backup.keys_place import PLACE_NAME, remember_place
from sync.clinic.cli.options import as_json_option, data_options, told
from sync.clinic.clinic import require_name
from sync.clinic.database.opened import URL_NAME, open_database, remember, require_no_password
from sync.clinic.database.sqlite import NAME as DATABASE_NAME
from sync.clinic.errors import ClinicError
from sync.clinic.new_file import is_there
from sync.clinic.secrets_file import NAME as SECRETS_NAME
from sync.clinic.secrets_file import make_secrets
from sync.clinic.tables.meta import Meta
from sync.pairing import require_url


@click.command()
@data_options
@click.option("--name", default="clinic", show_default=True, help="What wearers see.")
@click.option("--url", help="The address at which devices reach it; it goes into pairing codes.")
@click.option(
    "--backup-keys",
    "keys_path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the keys of backups are kept: better on another disk.  [default: backup-keys.db in the folder]",
)
@as_json_option
def init(
    folder: Path, database_url: str | None, name: str, url: str | None, keys_path: Path | None, as_json: bool
) -> None:
    """Make a clinic: its keys and an empty database.

    \b
    vitalkeep-clinic init --data /srv/clinic --name 'Heart clinic' --url https://clinic.example
    vitalkeep-clinic init --data /srv/clinic --database postgresql:///clinic
    vitalkeep-clinic init --data /srv/clinic --backup-keys /mnt/keys/backup-keys.db
    """
    with told():
        require_name(name)
        if url is not None:
            url = url.rstrip("/")
            require_url(url)
        source = click.get_current_context().get_parameter_source("database_url")
        if database_url is not None:
            if source is not ParameterSource.ENVIRONMENT:
                require_no_password(database_url)
            _require_room(folder, database_url)
        keys = make_secrets(folder).public
        with _all_or_nothing(folder, keys_path):
            if keys_path is not None:
                remember_place(folder, keys_path)
            KeyStore(keys_path or folder / NAME, keys.id, create=True).close()
            if database_url is not None and source is not ParameterSource.ENVIRONMENT:
                remember(folder, database_url)
            with closing(open_database(folder, database_url, create=True)) as database, database.writing() as tx:
                Meta(tx).put("name", name)
                if url is not None:
                    Meta(tx).put("url", url)
    if as_json:
        click.echo(json.dumps({"name": name, "url": url, "id": keys.id.hex(), "data": str(folder)}))
    else:
        click.echo(f"{name}: made in {folder}; its keys are named {keys.id.hex()}")
    if source is ParameterSource.ENVIRONMENT:
        click.echo(
            "the database's address is not written down: VITALKEEP_CLINIC_DATABASE has to say it again", err=True
        )


@contextmanager
def _all_or_nothing(folder: Path, keys_path: Path | None) -> Iterator[None]:
    """Where it fails within, what this run made is taken away, so that it can be run again.

    Of two at once only the one that made the clinic's keys comes here: no other run's files are among these.
    """
    databases = [folder / NAME, folder / DATABASE_NAME, *([] if keys_path is None else [keys_path])]
    with_logs = [Path(f"{path}{suffix}") for path in databases for suffix in ("", "-wal", "-shm", "-journal")]
    made = [folder / SECRETS_NAME]
    try:
        made += [path for path in (folder / PLACE_NAME, folder / URL_NAME, *with_logs) if not is_there(path)]
        yield
    except BaseException:
        for path in made:
            with suppress(OSError):
                path.unlink(missing_ok=True)
        raise


def _require_room(folder: Path, database_url: str) -> None:
    """Before anything is made: the database can be reached, and no clinic with other keys is in it."""
    with closing(open_database(folder, database_url, create=True)) as database, database.reading() as tx:
        if Meta(tx).get("name") is not None:
            raise ClinicError("there is a clinic in this database already, and devices may have pinned its keys")
