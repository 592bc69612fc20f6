"""A clinic of 10,000 devices with two years of cards: backup, check and restore, on SQLite and on PostgreSQL.

    python -m benchmarks.backups
    python -m benchmarks.backups --devices 1000 --database postgresql:///empty_database

Each in a process of its own, so that the most memory it took is its own.
"""

from __future__ import annotations

import argparse
import hashlib
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sync.clinic.backup.backup import make_backup
from sync.clinic.backup.key_store import NAME, KeyStore
from sync.clinic.backup.restore import restore, verify_backup
from sync.clinic.clinic import Clinic
from sync.clinic.clock import SystemClinicClock
from sync.clinic.database.opened import open_database
from sync.clinic.secrets_file import load_secrets, make_secrets
from sync.pairing import base32

COUNTS, MEDIANS = 26, 8  # windows within two years, with two statistics each
BACKUP = "clinic.backup"


def fill(folder: Path, devices: int, url: str | None) -> int:
    """A new clinic; the number of answers."""
    make_secrets(folder)
    database = open_database(folder, url, create=True)
    windows = [(28, 27 - n, name, 3.0 + n) for n in range(COUNTS) for name in ("af_days", "worn_days")]
    windows += [(84, 9 - n, name, 61.0) for n in range(MEDIANS) for name in ("resting_hr_median", "rmssd_median")]
    for first in range(0, devices, 200):
        ids = [hashlib.sha256(b"%d" % n).digest() for n in range(first, min(first + 200, devices))]
        with database.writing() as tx:
            tx.many(
                "INSERT INTO devices VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL)",
                [
                    (
                        each[:16],
                        each,
                        f"P-{base32(each[:5])}",
                        f"Patient {first + n}",
                        each,
                        len(windows) + 1,
                        '{"af_days": 1, "worn_days": 1, "resting_hr_median": 1, "rmssd_median": 1}',
                        "2024-05-01",
                    )
                    for n, each in enumerate(ids)
                ],
            )
            tx.many(
                "INSERT INTO messages VALUES (?, ?, ?)",
                [
                    (each[:16], hashlib.md5(each + bytes([n])).digest(), hashlib.sha256(each + bytes([n])).digest())
                    for each in ids
                    for n in range(len(windows) + 1)
                ],
            )
            rows = [(each[:16], length, window, name, 1) for each in ids for length, window, name, _ in windows]
            tx.many("INSERT INTO answered VALUES (?, ?, ?, ?, ?)", rows)
            values = [value for _ in ids for *_, value in windows]
            tx.many(
                "INSERT INTO answers VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [(*row, value, 500, "2026-05-01") for row, value in zip(rows, values, strict=True)],
            )
    database.close()
    return devices * len(windows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devices", type=int, default=10_000)
    parser.add_argument("--database", help="an empty PostgreSQL to restore into as well")
    parser.add_argument("--step", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.step:
        _step(given.step, given.folder, given.database)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "clinic"
        answers = fill(folder, given.devices, None)
        print(f"{given.devices} devices, {answers} answers", flush=True)
        for step in ("backup", "verify", "restore"):
            _run(step, folder, None)
        if given.database:
            for step in ("restore", "backup"):
                _run(step, folder, given.database)


def _run(step: str, folder: Path, url: str | None) -> None:
    command = [sys.executable, "-m", "benchmarks.backups", "--step", step, "--folder", str(folder)]
    subprocess.run(command + (["--database", url] if url else []), check=True)


def _step(step: str, folder: Path, url: str | None) -> None:
    secrets = load_secrets(folder)
    clinic = secrets.public.id
    path = folder / BACKUP
    begun_s = time.perf_counter()
    with KeyStore(folder / NAME, clinic, create=True) as keys:
        if step == "backup":
            path.unlink(missing_ok=True)
            where = folder if url is None else folder.with_name("restored")
            opened = Clinic(folder, secrets, open_database(where, url), SystemClinicClock())
            make_backup(opened, keys, path)
        elif step == "verify":
            verify_backup(path, clinic, keys)
        else:
            other = folder.with_name("restored")
            other.mkdir(exist_ok=True)
            restore(path, clinic, keys, open_database(other, url, create=True), lambda *_: None)
    took_s = time.perf_counter() - begun_s
    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu_s, most_mb = used.ru_utime + used.ru_stime, used.ru_maxrss / 1024
    kind = "PostgreSQL" if url else "SQLite"
    size_mb = path.stat().st_size / 1e6
    said = f"{took_s:6.1f} s ({cpu_s:5.1f} s of CPU), {most_mb:4.0f} MB at most, file {size_mb:.0f} MB"
    print(f"{step:<8} {kind:<10} {said}")


if __name__ == "__main__":
    main()
