"""The key of the store: made once, never overwritten, never shown.

32 random bytes in a file of mode 0600 that belongs to us, in a folder of mode 0700. It is SQLCipher's raw key, so no
key derivation stands between it and the pages (SQLCipher API, "PRAGMA key", raw key data). No message holds a key.
"""

from __future__ import annotations

import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path

from device_pipeline.errors import StoreKeyError

KEY_BYTES = 32
KEY_NAME = "store.key"


@dataclass(frozen=True, slots=True, repr=False)
class Key:
    raw: bytes

    def __repr__(self) -> str:
        return "<Key>"

    def statement(self) -> str:
        """The one statement that may hold the key; never logged, never part of an error."""
        return f"PRAGMA key = \"x'{self.raw.hex()}'\""


def require_private_folder(folder: Path) -> None:
    """Raises StoreKeyError if others may enter the folder."""
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode & 0o077:
        raise StoreKeyError(f"the folder {folder} has mode {mode:04o}, expected 0700: chmod 700 it")


def load_key(folder: Path) -> Key:
    """The key in `folder`. Raises StoreKeyError if it is missing, open to others, not ours or of the wrong length."""
    path = folder / KEY_NAME
    require_private_folder(folder)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        raise StoreKeyError(f"the key file {path} is missing: the database beside it cannot be read without") from None
    except OSError as error:
        raise StoreKeyError(f"the key file {path} cannot be opened: {error.strerror}") from None
    try:
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode):
            raise StoreKeyError(f"the key {path} is not a regular file")
        if about.st_uid != os.geteuid():
            raise StoreKeyError(f"the key file {path} belongs to user {about.st_uid}, expected {os.geteuid()}")
        mode = stat.S_IMODE(about.st_mode)
        if mode & 0o077:
            raise StoreKeyError(f"the key file {path} has mode {mode:04o}, expected 0600: chmod 600 it")
        raw = os.read(descriptor, KEY_BYTES + 1)
    finally:
        os.close(descriptor)
    if len(raw) != KEY_BYTES:
        raise StoreKeyError(f"the key file {path} has {about.st_size} bytes, expected {KEY_BYTES}")
    return Key(raw)


def create_key(folder: Path) -> Key:
    """Makes the key of a store that has no database yet; only under the writer's lock.

    The name appears together with all its bytes, on the disk: a power cut leaves a whole key or none.
    """
    path = folder / KEY_NAME
    unfinished = folder / f"{KEY_NAME}.new"
    require_private_folder(folder)
    unfinished.unlink(missing_ok=True)  # of a creation that was cut short: nothing was ever encrypted with it
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(secrets.token_bytes(KEY_BYTES))
        file.flush()
        os.fsync(descriptor)
    try:
        os.link(unfinished, path)  # fails where a key already is
    except FileExistsError:
        raise StoreKeyError(f"the key file {path} already exists and is never overwritten") from None
    finally:
        unfinished.unlink()
    sync_folder(folder)
    return load_key(folder)


def sync_folder(folder: Path) -> None:
    """Names made in the folder outlast a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
