"""Opens the database that a clinic has: the file in its folder, or the PostgreSQL that it was told of."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import parse_qsl

from sync.clinic.database.database import Database
from sync.clinic.database.sqlite import NAME, SqliteDatabase
from sync.clinic.errors import ClinicError, ClinicStoreError

URL_NAME = "database.url"
_SCHEMES = ("postgresql://", "postgres://")
UNREADABLE = (
    "the address of the database has an @ too many, or a port that is none: in a name or a password, @ is written %40,"
    " / is %2F, : is %3A, ? is %3F and # is %23"
)
_PORT = re.compile("[0-9]*")
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
    # As libpq reads it, to whom # is a sign like others, and to whom a name ends at the first @ or /.
    rest = url.partition("://")[2]
    who, at, behind = rest.partition("@")
    if not at or "/" in who:
        who, behind = "", rest
    where, _, query = behind.partition("?")
    servers = where.partition("/")[0].split(",")
    if "@" in where or not all(_PORT.fullmatch(server.rpartition("]")[2].partition(":")[2]) for server in servers):
        raise ClinicError(UNREADABLE)
    named = [name for name, _ in parse_qsl(query, keep_blank_values=True)]
    if ":" in who or any(name.lower() in _SECRETS for name in named):
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
