"""Clock, disk, store and libraries."""

from __future__ import annotations

import os
import shutil
import stat
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from device_pipeline.clock import Clock
from vitalkeep.doctor.check import Check, ok, problem, warning

LIBRARIES = ("numpy", "scipy", "sqlite-utils", "sqlcipher3", "click", "rich")
RADIO_LIBRARIES = ("bleak", "dbus-fast")
OLDEST_PYTHON = (3, 11)

# A strap with ECG, intervals and everything found in them, compressed and encrypted: measured over a day.
DAY_BYTES = 60_000_000
_LEAST_DAYS, _FEW_DAYS = 1, 14


def check_clock(clock: Clock) -> Check:
    if clock.is_synchronised():
        return ok("clock", "synchronised")
    return warning(
        "clock",
        "not synchronised: what is recorded is tagged, and joins no calendar day until it is",
        "sudo timedatectl set-ntp true, and a network for a moment; or a clock chip (RTC)",
    )


def check_disk(folder: Path, free_bytes: int | None = None) -> Check:
    """`folder` need not exist yet. `free_bytes`: None asks the disk."""
    there = next(parent for parent in (folder, *folder.absolute().parents) if parent.is_dir())
    free = shutil.disk_usage(there).free if free_bytes is None else free_bytes
    days = free // DAY_BYTES
    text = f"{free / 1e9:.1f} GB free: about {days} days of a chest strap"
    remedy = "delete something, or keep less: keep_raw_days in the configuration"
    if days < _LEAST_DAYS:
        return problem("disk", f"{free / 1e6:.0f} MB free: less than a day of a chest strap", remedy)
    return warning("disk", text, remedy) if days < _FEW_DAYS else ok("disk", text)


def check_store(folder: Path) -> Check:
    """Whether the store is the wearer's alone and opens with its key."""
    from device_pipeline.errors import StoreError
    from device_pipeline.store.store import open_store

    if not folder.exists():
        return ok("store", f"none in {folder} yet: `vitalkeep run` makes one")
    if not folder.is_dir():
        return problem("store", f"{folder} is not a folder", f"mv {folder} {folder}.old")
    about = folder.stat()
    if about.st_uid != os.geteuid():
        return problem("store", f"{folder} belongs to user {about.st_uid}, not {os.geteuid()}", "run as that user")
    if stat.S_IMODE(about.st_mode) & 0o077:
        mode = stat.S_IMODE(about.st_mode)
        return problem("store", f"{folder} is open to others (mode {mode:04o})", f"chmod 700 {folder}")
    if not os.access(folder, os.W_OK | os.X_OK):
        return problem("store", f"{folder} cannot be written", f"chmod 700 {folder}")
    store = open_store(folder)
    if not store.exists:
        return ok("store", f"{folder} is private and empty")
    try:
        with store.reader():
            pass
    except StoreError as error:
        return problem("store", str(error), "restore the folder from a backup, or begin another: --store")
    return ok("store", f"{folder} is private and opens with its key")


def check_python(found: tuple[int, ...] = sys.version_info[:3]) -> Check:
    text = "Python " + ".".join(map(str, found))
    if found[:2] < OLDEST_PYTHON:
        return problem("python", f"{text}, needed is 3.11 or newer", "sudo apt install python3 python3-venv")
    return ok("python", text)


def check_libraries(names: tuple[str, ...] = LIBRARIES, name: str = "libraries") -> Check:
    found, missing = [], []
    for library in names:
        try:
            found.append(f"{library} {version(library)}")
        except PackageNotFoundError:
            missing.append(library)
    if missing:
        return problem(name, f"not installed: {', '.join(missing)}", f"pip install {' '.join(missing)}")
    return ok(name, ", ".join(found))
