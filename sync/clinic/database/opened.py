"""Opens the database that a clinic has: the file in its folder, or the PostgreSQL that it was told of."""

from __future__ import annotations

import os
from pathlib import Path

from sync.clinic.database.database import Database
from sync.clinic.database.sqlite import NAME, SqliteDatabase
from sync.clinic.errors import ClinicError, ClinicStoreError

URL_NAME = "database.url"
_SCHEMES = ("postgresql://", "postgres://")


def open_database(folder: Path, url: str | None = None, *, create: bool = False) -> Database:
    """`url`: None is what `remember` wrote down, or else the file. Raises ClinicError, ClinicStoreError."""
    url = url or _remembered(folder)
    if url is None:
        return SqliteDatabase(folder / NAME, create=create)
    if not url.startswith(_SCHEMES):
        raise ClinicError("a database is named by an address that begins with postgresql://")
    raise ClinicError("this database is not known yet")


def remember(folder: Path, url: str) -> None:
    """For all later commands. Raises ClinicStoreError."""
    path = folder / URL_NAME
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(url + "\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as problem:
        raise ClinicStoreError(f"{path}: {problem.strerror}") from None


def _remembered(folder: Path) -> str | None:
    path = folder / URL_NAME
    try:
        return path.read_text(encoding="utf-8").strip() or None
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as problem:
        raise ClinicStoreError(f"{path}: {getattr(problem, 'strerror', None) or 'no text'}") from None
