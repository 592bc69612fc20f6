"""The key of what waits for one clinic: a file of its own beside the outbox, so that erasing 32 bytes erases it all.

A key is whole on the disk before anything is encrypted with it, and overwritten there before its file goes. Whoever
changes one holds the outbox's write lock. Kept nowhere else: it is read again for every use.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

ID_BYTES = 16
KEY_BYTES = 32


@dataclass(frozen=True, slots=True, repr=False)
class OutboxKey:
    """`id` names the key, at random; what was encrypted with another one is erased."""

    id: bytes
    key: bytes


def load_key(folder: Path, clinic: bytes) -> OutboxKey | None:
    """None where there is none, or its destruction was cut short."""
    try:
        data = _path(folder, clinic).read_bytes()
    except FileNotFoundError:
        return None
    if len(data) != ID_BYTES + KEY_BYTES or not any(data[ID_BYTES:]):
        return None
    return OutboxKey(data[:ID_BYTES], data[ID_BYTES:])


def require_key(folder: Path, clinic: bytes) -> OutboxKey:
    """Makes one where there is none. Raises OSError."""
    if (found := load_key(folder, clinic)) is not None:
        return found
    made = OutboxKey(secrets.token_bytes(ID_BYTES), secrets.token_bytes(KEY_BYTES))
    path = _path(folder, clinic)
    new = path.with_suffix(".new")
    # left by a process killed here before: never used, since a key is used under its own name only
    new.unlink(missing_ok=True)
    _write(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600), made.id + made.key)
    new.replace(path)
    _sync_folder(folder)
    return made


def destroy_key(folder: Path, clinic: bytes) -> None:
    """Overwritten in place, on the disk, then unlinked; may be called again. Raises OSError."""
    path = _path(folder, clinic)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return
    _write(descriptor, bytes(ID_BYTES + KEY_BYTES))
    path.unlink()
    _sync_folder(folder)


def _path(folder: Path, clinic: bytes) -> Path:
    return folder / f"outbox.{clinic.hex()}.key"


def _write(descriptor: int, data: bytes) -> None:
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
