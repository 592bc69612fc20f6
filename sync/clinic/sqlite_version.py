"""Whether a file is a database that was made, asked without writing to it: SQLite takes an empty file for one."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from sync.clinic.errors import ClinicStoreError

_PATIENCE_S = 30.0


def sqlite_version(path: Path) -> int | None:
    """What its maker numbered it; 0: nobody did; None: there is no such file. Raises ClinicStoreError."""
    try:
        path.stat()
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", timeout=_PATIENCE_S, uri=True)) as found:
            (version,) = found.execute("PRAGMA user_version").fetchone()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as problem:
        raise ClinicStoreError(f"{path}: {problem.strerror}") from None
    except sqlite3.Error as problem:
        raise ClinicStoreError(f"{path}: {problem}") from None
    return int(version)
