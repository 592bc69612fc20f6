"""The folder and the database that a backup is put back into: where that fails, nothing of it stays."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sync.clinic.backup.keys_place import PLACE_NAME, remember_place
from sync.clinic.database.database import Database
from sync.clinic.database.opened import URL_NAME, open_database, remember
from sync.clinic.database.sqlite import NAME
from sync.clinic.errors import ClinicError
from sync.clinic.new_file import is_there
from sync.clinic.tables.meta import RESTORING, Meta


@contextmanager
def restored_folder(
    folder: Path, url: str | None, keys_path: Path | None, *, remember_url: bool = True
) -> Iterator[Database]:
    """`url` and `keys_path` are written down for later commands. Raises ClinicError, ClinicStoreError."""
    made = _absent(folder, PLACE_NAME, URL_NAME)
    if _absent(folder, NAME):
        made += [folder / f"{NAME}{suffix}" for suffix in ("", "-wal", "-shm")]
    database: Database | None = None
    # one that was cut short before has left its mark, and that one stays until it is done
    unmarked = False
    try:
        if keys_path is not None:
            remember_place(folder, keys_path)
        if url is not None and remember_url:
            remember(folder, url)
        database = open_database(folder, url, create=True)
        with database.reading() as tx:
            unmarked = Meta(tx).get(RESTORING) is None
        yield database
    except BaseException:
        if database is not None:
            if unmarked:
                with suppress(ClinicError), database.writing() as tx:
                    Meta(tx).take(RESTORING)
            database.close()
        for path in made:
            path.unlink(missing_ok=True)
        raise
    database.close()


def _absent(folder: Path, *names: str) -> list[Path]:
    return [path for name in names if not is_there(path := folder / name)]
