"""One process changes the slots at a time; the lock is the kernel's and dies with its process (flock)."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from models.errors import SlotError

_PATIENCE_NS = 5_000_000_000
_RETRY_S = 0.02


@contextmanager
def changing(folder: Path) -> Iterator[None]:
    """Makes the folder, and those above it, for us alone. Raises SlotError where another process holds on to it."""
    for missing in [one for one in (*reversed(folder.parents), folder) if not one.exists()]:
        missing.mkdir(mode=0o700, exist_ok=True)  # the wearer's store may come to lie above it
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        give_up_ns = time.monotonic_ns() + _PATIENCE_NS
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic_ns() > give_up_ns:
                    raise SlotError(f"{folder}: another process is changing the models, try again") from None
                time.sleep(_RETRY_S)
        yield
    finally:
        os.close(descriptor)
