"""A copy of the packages to plant violations in, and the checks run over it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("sensors", "models", "device_pipeline", "sync", "vitalkeep")

_VERDICT = re.compile(r"^(\w[\w ]*): .* (KEPT|BROKEN)\b", re.MULTILINE)


def copy_house(folder: Path) -> Path:
    """The five packages and the configuration of the checks, in `folder`."""
    for package in PACKAGES:
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__", "weights"))
    for name in ("pyproject.toml", ".importlinter"):
        shutil.copy(ROOT / name, folder / name)
    return folder


def plant(house: Path, module: str, code: str) -> Path:
    """Adds `code` to the end of `module`, which is made where it is missing; returns its file."""
    path = house.joinpath(*module.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    before = path.read_text() if path.exists() else ""
    path.write_text(f"{before}\n{code}\n")
    return path


def verdicts(house: Path) -> dict[str, str]:
    """What import-linter says of each contract: its short name to KEPT or BROKEN."""
    command = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    environment = os.environ | {"PYTHONPATH": str(house), "COLUMNS": "200", "NO_COLOR": "1"}
    done = subprocess.run(
        [sys.executable, "-c", command, "--no-cache", "--no-logo"],
        cwd=house,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    found = dict(_VERDICT.findall(done.stdout))
    if not found:
        raise AssertionError(f"import-linter came to no verdict: {done.stdout[-2000:]} {done.stderr[-2000:]}")
    if (done.returncode == 0) != (set(found.values()) == {"KEPT"}):
        raise AssertionError(f"exit code {done.returncode} contradicts {found}")
    return found


def banned(path: Path) -> list[str]:
    """What ruff's banned-api finds in `path`, one line each."""
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--no-cache", "--select", "TID251", "--output-format", "concise", path],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return [line for line in done.stdout.splitlines() if "TID251" in line]
