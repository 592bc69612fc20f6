"""A copy of the keys on another disk: always the newest, in the place of the one before, which is overwritten.

The copy before may have keys that were erased since. Its bytes are overwritten before its name is taken.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from sync.clinic.backup.key_store import KeyStore
from sync.clinic.errors import ClinicError, ClinicStoreError
from sync.clinic.new_file import sync_folder


def copy_keys(keys: KeyStore, path: Path) -> None:
    """Raises ClinicError where `path` is no copy of these keys, ClinicStoreError."""
    if path.exists():
        if path.samefile(keys.path):
            raise ClinicError(f"{path}: these are the keys themselves; their copy goes elsewhere")
        KeyStore(path, keys.clinic).close()
    new = path.with_name(f"{path.name}.new")
    try:
        new.unlink(missing_ok=True)
        os.close(os.open(new, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
        with closing(sqlite3.connect(new, isolation_level=None)) as copy:
            keys.copy_into(copy)
            # no log beside it: the file alone is the copy
            copy.execute("PRAGMA journal_mode = DELETE")
        with new.open("rb") as file:
            os.fsync(file.fileno())
        _overwrite(path)
        new.replace(path)
        sync_folder(path.parent)
    except sqlite3.Error as problem:
        raise ClinicStoreError(f"{path}: {problem}") from None
    except OSError as problem:
        raise ClinicStoreError(f"{path}: {problem.strerror}") from None
    finally:
        new.unlink(missing_ok=True)


def _overwrite(path: Path) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return
    with os.fdopen(descriptor, "wb") as file:
        file.write(bytes(path.stat().st_size))
        file.flush()
        os.fsync(file.fileno())
