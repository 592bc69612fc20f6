"""`vitalkeep-clinic` as a shell has it: exit codes, no traceback, completion."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from sync.clinic.__main__ import app, run
from sync.clinic.cli.options import INTERNAL


def test_what_nobody_has_foreseen_is_told_in_one_line_without_its_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> None:
        raise RuntimeError("72 bpm")

    monkeypatch.setitem(app.commands, "patients", click.Command("patients", callback=broken))
    assert run(["patients"]) == INTERNAL == 70
    assert capsys.readouterr().err == "internal error (RuntimeError); set VITALKEEP_DEBUG=1 to see where\n"
    monkeypatch.setenv("VITALKEEP_DEBUG", "1")
    with pytest.raises(RuntimeError):
        run(["patients"])


def test_a_command_that_is_interrupted_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped() -> None:
        raise KeyboardInterrupt

    monkeypatch.setitem(app.commands, "patients", click.Command("patients", callback=stopped))
    assert run(["patients"]) == 130
    assert capsys.readouterr().err.strip() == "interrupted"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["--help"], 0), (["--version"], 0), (["nothing"], 2), (["init", "--nothing"], 2), (["completion", "csh"], 2)],
)
def test_the_exit_code_says_what_became_of_it(
    arguments: list[str], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == code
    said = capsys.readouterr()
    assert bool(said.out) == (code == 0)
    assert "Traceback" not in said.err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_gets_a_script_that_asks_this_command(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["completion", shell]) == 0
    assert "_VITALKEEP_CLINIC_COMPLETE" in capsys.readouterr().out


def test_commands_are_completed(tmp_path: Path) -> None:
    asked = {"_VITALKEEP_CLINIC_COMPLETE": "bash_complete", "COMP_WORDS": "vitalkeep-clinic pa", "COMP_CWORD": "1"}
    done = subprocess.run(
        [sys.executable, "-c", "from sync.clinic.__main__ import main; main()"],
        env=os.environ | asked,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert {"plain,pair", "plain,patients"} <= set(done.stdout.split())
