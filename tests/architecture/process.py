"""Runs something in a process of its own and tells what it had loaded at the end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.architecture.house import ROOT

# What can speak to a network, or belongs to who may. asyncio loads socket and ssl by itself: they are not told apart.
NETWORKED = {
    "aiohttp",
    "bumble",
    "ftplib",
    "http.client",
    "http.server",
    "httpx",
    "requests",
    "smtplib",
    "starlette",
    "sync.clinic",
    "sync.outbox",
    "sync.release",
    "sync.uplink",
    "urllib.request",
    "urllib3",
    "uvicorn",
    "wfdb",
}

_SCRIPT = """
import json, sys
code = {code}
with open({out!r}, "w") as file:
    json.dump(sorted(sys.modules), file)
sys.exit(code)
"""


def modules_after(expression: str, folder: Path) -> set[str]:
    """The modules that a process had loaded when it had worked out `expression`, which must come to 0 or None.

    Its home is `folder`, so that it neither finds nor leaves anything of the wearer's.
    """
    out = folder / "modules.json"
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT.format(code=expression, out=str(out))],
        cwd=ROOT,
        env=_homeless() | {"HOME": str(folder), "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return set(json.loads(out.read_text()))


def modules_after_command(arguments: Sequence[str], folder: Path) -> set[str]:
    """The same for a command line of vitalkeep."""
    return modules_after(f"__import__('vitalkeep.cli.app').cli.app.run({list(arguments)!r})", folder)


def _homeless() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "VITALKEEP_"))}
