"""One writer at a time. The lock is the kernel's: it dies with its process, so a killed writer locks nobody out.

flock(2) and not POSIX record locks: those are dropped when any other descriptor of the same file is closed.
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

from device_pipeline.errors import StoreBusyError

LOCK_NAME = "writer.lock"
_PATIENCE_NS = 1_000_000_000  # somebody may be looking whether there is a writer, or a writer may just be leaving
_RETRY_S = 0.02


class WriterLock:
    """Held from construction to `release`. Raises StoreBusyError if another process holds it."""

    def __init__(self, folder: Path) -> None:
        path = folder / LOCK_NAME
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        give_up_ns = time.monotonic_ns() + _PATIENCE_NS
        while True:
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic_ns() < give_up_ns:
                    time.sleep(_RETRY_S)
                    continue
                holder = os.pread(self._descriptor, 20, 0).decode("ascii", "replace").strip()
                os.close(self._descriptor)
                raise StoreBusyError(
                    f"the store in {folder} is being written by process {holder or 'unknown'}: one writer at a time"
                ) from None
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def is_locked(folder: Path) -> bool:
    """Whether a writer is at work on the store in `folder`."""
    try:
        descriptor = os.open(folder / LOCK_NAME, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
