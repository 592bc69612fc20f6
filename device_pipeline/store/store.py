"""A store is a folder: the encrypted database, its key and the writer's lock. One may write while many read."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlite_utils import Database

from device_pipeline.clock import Clock, SystemClock
from device_pipeline.errors import StoreMissingError, StoreVersionError
from device_pipeline.store import schema
from device_pipeline.store.connection import DATABASE_NAME, connect, driver_errors, our_errors
from device_pipeline.store.lock import WriterLock, is_locked
from device_pipeline.store.vault import KEY_NAME, create_key, load_key, require_private_folder
from device_pipeline.store.writer import StoreWriter, close_killed_sessions


class Store:
    """Opens nothing until it is asked to."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self.folder = folder
        self.path = folder / DATABASE_NAME
        self.clock = clock

    @property
    def exists(self) -> bool:
        return self.path.exists()

    @property
    def is_being_written(self) -> bool:
        return is_locked(self.folder)

    @property
    def size_bytes(self) -> int:
        """The database with what is still in its log."""
        files = (self.path, self.path.with_name(DATABASE_NAME + "-wal"))
        return sum(file.stat().st_size for file in files if file.exists())

    def writer(self) -> StoreWriter:
        """The one writer; makes the store where there is none, and closes the sessions of a writer that was killed.

        Raises StoreBusyError if another process writes, StoreKeyError, StoreVersionError, StoreFullError, StoreError.
        """
        with our_errors(self.path):
            _make_private(self.folder)
            lock = WriterLock(self.folder)
            try:
                made = self.exists or (self.folder / KEY_NAME).exists()
                key = load_key(self.folder) if made else create_key(self.folder)
                db = connect(self.path, key, read_only=False)
                try:
                    schema.migrate(db, self.clock.now_ns())
                    db.conn.execute("BEGIN IMMEDIATE")
                    close_killed_sessions(db)
                    db.conn.execute("COMMIT")
                except BaseException:
                    db.conn.close()
                    raise
            except BaseException:
                lock.release()
                raise
            return StoreWriter(db, self.path, lock, self.clock)

    @contextmanager
    def reader(self) -> Iterator[Database]:
        """A read-only connection, also while a writer is at work; changes nothing.

        Raises StoreMissingError, StoreKeyError, StoreVersionError, StoreError.
        """
        with our_errors(self.path):
            db = self._open_read_only()
        try:
            with driver_errors(self.path):
                yield db
        finally:
            db.conn.close()

    def _open_read_only(self) -> Database:
        if not self.exists:
            raise StoreMissingError(f"there is no store in {self.folder}")
        db = connect(self.path, load_key(self.folder), read_only=True)
        try:
            found, known = schema.version(db), len(schema.MIGRATIONS)
            if found == 0:
                raise StoreMissingError(f"the store in {self.folder} was never finished: there is nothing in it")
            schema.require_not_newer(found, known)
            if found < known:
                raise StoreVersionError(
                    f"the database has schema version {found}, this program reads {known}:"
                    " the next `vitalkeep run` brings it up to date"
                )
        except BaseException:
            db.conn.close()
            raise
        return db


def open_store(folder: Path, clock: Clock | None = None) -> Store:
    """The store in `folder`, which need not exist yet."""
    return Store(folder, clock if clock is not None else SystemClock())


def _make_private(folder: Path) -> None:
    """Makes the folder with mode 0700. An empty one that is more open is closed; a full one is left alone."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if stat.S_IMODE(folder.stat().st_mode) & 0o077 and not any(folder.iterdir()):
        folder.chmod(0o700)
    require_private_folder(folder)
