"""A file that is there whole or not at all, readable by its owner alone, and never in the place of another one."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from sync.clinic.errors import ClinicError, ClinicStoreError

# What a file system without links says (FAT on a stick).
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK)


@contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """What is written within becomes `path` where all went well. Raises ClinicError where that is there already.

    A process that is killed leaves a file of that name with something at random and ".new" behind it.
    """
    new = new_name(path)
    if is_there(path):
        raise _exists(path)
    try:
        descriptor = os.open(new, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as problem:
        raise ClinicStoreError(f"{path}: {problem.strerror}") from None
    try:
        with os.fdopen(descriptor, "w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        _named(new, path)
        try:
            sync_folder(path.parent)
        except OSError:
            path.unlink(missing_ok=True)
            raise
    except OSError as problem:
        raise ClinicStoreError(f"{path}: {problem.strerror}") from None
    finally:
        with suppress(OSError):
            new.unlink(missing_ok=True)


def new_name(path: Path) -> Path:
    """Beside it, of nobody else's: what it is called until it is whole."""
    return path.with_name(f"{path.name}.{secrets.token_hex(6)}.new")


def is_there(path: Path) -> bool:
    """Raises ClinicStoreError where nobody can say."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as problem:
        raise ClinicStoreError(f"{path}: {problem.strerror}") from None
    return True


def sync_folder(folder: Path) -> None:
    """Names made in the folder outlast a power cut. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _named(new: Path, path: Path) -> None:
    """A link, unlike a rename, never replaces what is there."""
    try:
        os.link(new, path)
    except FileExistsError:
        raise _exists(path) from None
    except OSError as problem:
        if problem.errno not in _NO_LINKS:
            raise
        if os.path.lexists(path):
            raise _exists(path) from None
        new.rename(path)


def _exists(path: Path) -> ClinicError:
    return ClinicError(f"{path}: is there already, and is not overwritten")
