"""A file is whole, as it was or as it is to be, whenever the power goes: written beside, synced, renamed, synced."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from models.errors import SlotError

_NEW = ".new"


def write_atomically(path: Path, data: bytes) -> None:
    """Mode 0600. One writer at a time (see `lock.py`); what an earlier one left unfinished is written over."""
    unfinished = path.with_name(path.name + _NEW)
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(unfinished, flags, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_bounded(path: Path, most_bytes: int) -> bytes:
    """At most `most_bytes` + 1, so that it shows where there is more. Raises OSError; SlotError where it is no file."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise SlotError(f"{path}: no regular file")
        return file.read(most_bytes + 1)


def require_ours(path: Path) -> None:
    """Raises SlotError where somebody else owns it or may write to it: what is trusted stands in it."""
    about = path.stat()
    if about.st_uid != os.geteuid():
        raise SlotError(f"{path} belongs to user {about.st_uid}, expected {os.geteuid()}")
    if about.st_mode & 0o022:
        raise SlotError(
            f"{path} has mode {stat.S_IMODE(about.st_mode):04o}: others may write to it, chmod go-w expected"
        )
