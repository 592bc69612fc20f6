"""Opens the database that a clinic has: the file in its folder, or the PostgreSQL that it was told of."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from sync.clinic.database.database import Database
from sync.clinic.database.sqlite import NAME, SqliteDatabase
from sync.clinic.errors import ClinicError, ClinicStoreError

URL_NAME = "database.url"
_SCHEMES = ("postgresql://", "postgres://")
_SECRETS = ("password", "sslpassword")


def open_database(folder: Path, url: str | None = None, *, create: bool = False) -> Database:
    """`url`: None is what `remember` wrote down, or else the file. Raises ClinicError, ClinicStoreError."""
    url = url or _remembered(folder)
    if url is None:
        return SqliteDatabase(folder / NAME, create=create)
    _require_postgres(url)
    try:
        from sync.clinic.database.postgres import PostgresDatabase
    except ImportError as missing:
        raise ClinicError(f"{missing.name} is not installed: pip install 'vitalkeep[clinic]'") from None
    return PostgresDatabase(url, create=create)


def require_no_password(url: str) -> None:
    """Of what is to be written down. Raises ClinicError, which does not say it again."""
    _require_postgres(url)
    try:
        parts = urlsplit(url)
        named = [name for name, _ in parse_qsl(parts.query, keep_blank_values=True)]
    except ValueError:
        raise ClinicError("no address of a PostgreSQL database; postgresql://USER@HOST/DATABASE is one") from None
    if parts.password is not None or any(name.lower() in _SECRETS for name in named):
        raise ClinicError(
            "a password in the address would be written down: leave it out, and have it in a file that PGPASSFILE"
            " names, or give the whole address in VITALKEEP_CLINIC_DATABASE, or let PostgreSQL know its user (peer)"
        )


def _require_postgres(url: str) -> None:
    if not url.startswith(_SCHEMES):
        raise ClinicError("a database is named by an address that begins with postgresql://")


def remember(folder: Path, url: str) -> None:
    """For all later commands. Raises ClinicError where there is a password in it, ClinicStoreError."""
    require_no_password(url)
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
