"""The command line as its user has it: a process of its own, with a home of its own, on nobody's terminal."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from vitalkeep.cli.app import _explain, app

ROOT = Path(__file__).resolve().parents[2]
RECORDINGS = ROOT / "fixtures" / "recordings"
PROGRAM = (sys.executable, "-m", "vitalkeep")


@dataclass(frozen=True, slots=True)
class Done:
    code: int
    out: str
    err: str

    def rows(self) -> list[dict[str, Any]]:
        """Standard output as one JSON object per line; a NaN is no JSON."""
        return [strict_json(line) for line in self.out.splitlines()]

    def problem(self) -> str:
        """The one line on standard error; fails where it is not one, or shows what only a programmer reads."""
        lines = self.err.splitlines()
        assert len(lines) == 1, self.err
        assert lines[0].startswith("vitalkeep: ")
        assert "Traceback" not in lines[0]
        assert "internal error" not in lines[0]
        return lines[0].removeprefix("vitalkeep: ")


def strict_json(line: str) -> dict[str, Any]:
    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    row = json.loads(line, parse_constant=refuse)
    assert isinstance(row, dict)
    return row


def home(folder: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """An environment whose every place of the wearer's lies in `folder`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "VITALKEEP_"))}
    places = {f"XDG_{kind}_HOME": str(folder / kind.lower()) for kind in ("DATA", "CONFIG", "STATE", "CACHE")}
    return (
        kept
        | places
        | {"HOME": str(folder), "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error", "COLUMNS": "100"}
        | dict(extra or {})
    )


def vitalkeep(
    folder: Path, *arguments: object, extra: Mapping[str, str] | None = None, before: Sequence[str] = ()
) -> Done:
    """One command line, run to its end in a process whose home is `folder`, under the program `before` if any."""
    done = subprocess.run(
        [*before, *PROGRAM, *map(str, arguments)],
        cwd=folder,
        env=home(folder, extra),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def vitalkeep_here(folder: Path, *arguments: object) -> Done:
    """The same without a process of its own, for what is no property of the process: a tenth of the time."""
    result = CliRunner().invoke(app, [*map(str, arguments)], env=home(folder))
    if result.exception is None or isinstance(result.exception, SystemExit):
        return Done(result.exit_code, result.stdout, result.stderr)
    assert isinstance(result.exception, Exception)
    with redirect_stderr(StringIO()) as told:
        code = _explain(result.exception)
    return Done(code, result.stdout, result.stderr + told.getvalue())


def start(folder: Path, *arguments: object, extra: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
    """The same, still running: whoever starts it ends it."""
    return subprocess.Popen(
        [*PROGRAM, *map(str, arguments)],
        cwd=folder,
        env=home(folder, extra),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def end(process: subprocess.Popen[str], number: signal.Signals | None = None, timeout_s: float = 60) -> Done:
    """Sends it a signal, if any, and waits for its end."""
    if number is not None:
        process.send_signal(number)
    try:
        out, err = process.communicate(timeout=timeout_s)
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()
    return Done(process.returncode, out, err)
