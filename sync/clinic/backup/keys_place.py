"""Where a clinic's backup keys lie: in its folder, unless it was told to keep them on another disk."""

from __future__ import annotations

from pathlib import Path

from sync.clinic.backup.key_store import NAME, KeyStore
from sync.clinic.errors import ClinicStoreError
from sync.clinic.new_file import new_file

PLACE_NAME = "backup-keys.path"


def remember_place(folder: Path, path: Path) -> None:
    """For all later commands. Raises ClinicError where another one was written down, ClinicStoreError."""
    if remembered_place(folder) == path.absolute():
        return
    with new_file(folder / PLACE_NAME) as file:
        file.write(f"{path.absolute()}\n".encode())


def remembered_place(folder: Path) -> Path | None:
    """Raises ClinicStoreError."""
    path = folder / PLACE_NAME
    try:
        text = path.read_text(encoding="utf-8").removesuffix("\n")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as problem:
        raise ClinicStoreError(f"{path}: {getattr(problem, 'strerror', None) or 'no text'}") from None
    return Path(text) if text else None


def open_keys(folder: Path, clinic: bytes) -> KeyStore:
    """Makes them in the folder where they have their place there and are not there yet. Raises ClinicError."""
    place = remembered_place(folder)
    return KeyStore(folder / NAME, clinic, create=True) if place is None else KeyStore(place, clinic)


def existing_keys(folder: Path, clinic: bytes) -> KeyStore:
    """Raises ClinicError where there are none."""
    return KeyStore(remembered_place(folder) or folder / NAME, clinic)
