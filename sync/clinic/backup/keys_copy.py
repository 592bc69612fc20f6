"""A copy of the keys on another disk: always the newest, in the place of the one before, which is overwritten.

The copy before may have keys that were erased since: when the new one has its name, its bytes are overwritten.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from sync.clinic.backup.key_store import KeyStore
from sync.clinic.errors import ClinicError, ClinicStoreError
from sync.clinic.new_file import is_there, new_name, sync_folder


def copy_keys(keys: KeyStore, path: Path) -> None:
    """Raises ClinicError where `path` is no copy of these keys, ClinicStoreError."""
    _require_no_other(keys, path)
    new = new_name(path)
    try:
        os.close(os.open(new, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
        with closing(sqlite3.connect(new, isolation_level=None)) as copy:
            keys.copy_into(copy)
            # no log beside it: the file alone is the copy
            copy.execute("PRAGMA journal_mode = DELETE")
        with new.open("rb") as file:
            os.fsync(file.fileno())
        with _opened(path) as old:
            new.replace(path)
            sync_folder(path.parent)
            if old is not None:
                old.write(bytes(os.fstat(old.fileno()).st_size))
                old.flush()
                os.fsync(old.fileno())
    except sqlite3.Error as problem:
        raise ClinicStoreError(f"{path}: {problem}") from None
    except OSError as problem:
        raise ClinicStoreError(f"{path}: {problem.strerror}") from None
    finally:
        with suppress(OSError):
            new.unlink(missing_ok=True)


def require_room(keys: KeyStore, path: Path) -> None:
    """Before there is a backup to be opened with them: that a copy can be made. Raises as copy_keys."""
    _require_no_other(keys, path)
    new = new_name(path)
    try:
        os.close(os.open(new, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
        new.unlink()
    except OSError as problem:
        raise ClinicStoreError(f"{path}: {problem.strerror}") from None


def _require_no_other(keys: KeyStore, path: Path) -> None:
    if not is_there(path):
        return
    try:
        same = path.samefile(keys.path)
    except OSError as problem:
        raise ClinicStoreError(f"{path}: {problem.strerror}") from None
    if same:
        raise ClinicError(f"{path}: these are the keys themselves; their copy goes elsewhere")
    KeyStore(path, keys.clinic).close()


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO | None]:
    """To be written over; None where there is none."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        yield None
        return
    with os.fdopen(descriptor, "wb") as file:
        yield file
