"""Every connection to the database is opened here, and every error of the driver leaves as one of ours.

- WAL, so that readers never wait for the writer nor the writer for them.
- synchronous=FULL: in WAL mode NORMAL syncs only at a checkpoint, so a power cut would take every commit since the last
  one, minutes of it, and not the promised 10 s (sqlite.org/pragma.html#pragma_synchronous: "WAL mode does lose
  durability"). A commit every few seconds makes the extra fsync cheap.
- temp_store=MEMORY: temporary files are not encrypted (zetetic.net/sqlcipher/design).
- cipher_memory_security stays off: it locks and wipes SQLCipher's own buffers at half the speed, while the same values
  lie in ordinary memory of this process anyway; swap is the system's to encrypt.
- secure_delete: what retention removes is overwritten, not only unlinked from the tree.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import sqlcipher3.dbapi2 as driver
from sqlite_utils import Database

from device_pipeline.errors import (
    StoreBusyError,
    StoreDamagedError,
    StoreError,
    StoreFullError,
    StoreKeyError,
)
from device_pipeline.store.vault import Key, sync_folder

DATABASE_NAME = "store.db"

# sqlite.org/rescode.html
_BUSY, _LOCKED, _IOERR, _CORRUPT, _FULL, _NOTADB = 5, 6, 10, 11, 13, 26
_IOERR_SHMSIZE = 4874  # the shared-memory file could not grow: the disk is full

_BUSY_TIMEOUT_MS = 5000
_WAL_LIMIT_BYTES = 16 << 20


@contextmanager
def driver_errors(path: Path) -> Iterator[None]:
    """Turns what the driver raises into a StoreError that says what to do."""
    try:
        yield
    except driver.Error as error:
        full_code = getattr(error, "sqlite_errorcode", None) or 0
        code = full_code & 0xFF
        if code == _FULL or full_code == _IOERR_SHMSIZE:
            raise StoreFullError(
                f"disk full: {path} cannot grow; what was committed is safe, what is pending is kept"
            ) from error
        if code == _NOTADB:
            raise StoreKeyError(
                f"{path} does not open with the key beside it: the key is another one, or this is no vitalkeep database"
            ) from error
        if code == _CORRUPT:
            raise StoreDamagedError(f"{path} is damaged: {error}") from error
        if code in (_BUSY, _LOCKED):
            raise StoreBusyError(f"{path} is locked by another process") from error
        if code == _IOERR:
            raise StoreError(f"{path} cannot be read or written: {error}") from error
        raise StoreError(f"{path}: {error}") from error


@contextmanager
def our_errors(path: Path) -> Iterator[None]:
    """As `driver_errors`, and the system's errors too: only around work on the files of the store."""
    try:
        with driver_errors(path):
            yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StoreFullError(f"disk full: {path} cannot grow") from error
        raise StoreError(f"{error.filename or path}: {error.strerror or error}") from error


def connect(path: Path, key: Key, *, read_only: bool) -> Database:
    """A connection that has proved that the key fits. Transactions are explicit (BEGIN … COMMIT)."""
    if not read_only:
        _create_private(path)
    with our_errors(path):
        # A reader too opens the file for writing, and only its statements are held to reading: it may be the first to
        # come after a writer was killed, and then has to roll back or recover what that one left half done.
        connection = driver.connect(
            f"file:{quote(str(path.absolute()))}?mode=rw",
            uri=True,
            isolation_level=None,
            timeout=_BUSY_TIMEOUT_MS / 1000,
        )
        try:
            connection.execute(key.statement())
            # SQLCipher writes to stderr what we raise
            connection.execute("PRAGMA cipher_log_level = NONE")
            connection.execute("PRAGMA temp_store = MEMORY")
            if read_only:
                connection.execute("PRAGMA query_only = ON")
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            if not read_only:
                if connection.execute("PRAGMA page_count").fetchone() == (0,):
                    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # heeded only before the first table
                (journal,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
                if journal != "wal":
                    raise StoreError(
                        f"{path} is in journal mode {journal}, expected wal: is this a network file system?"
                    )
                connection.execute("PRAGMA synchronous = FULL")
                connection.execute("PRAGMA foreign_keys = ON")
                connection.execute("PRAGMA secure_delete = ON")
                connection.execute(f"PRAGMA journal_size_limit = {_WAL_LIMIT_BYTES}")
            return Database(connection)
        except BaseException:
            connection.close()
            raise


def _create_private(path: Path) -> None:
    # SQLite gives -wal and -shm the mode of the database
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        return
    os.close(descriptor)
    sync_folder(path.parent)
