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


@pytest.mark.parametrize("arguments", [["backup", "\udcff.backup"], ["patients", "--data", "\udcff"], ["\udcff"]])
def test_an_argument_that_is_no_text_is_a_usage_error(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["init", "--data", "vitalkeep-clinic"]) == 0
    capsys.readouterr()
    assert run(arguments) == 2
    assert capsys.readouterr().err == "an argument is no UTF-8\n"
    assert [each.name for each in tmp_path.iterdir()] == ["vitalkeep-clinic"]


_WITHOUT = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"argon2", "starlette", "uvicorn", "jinja2", "segno", "psycopg"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Missing())
from sync.clinic.__main__ import run
for line in sys.stdin.read().splitlines():
    try:
        print(run(line.split()), flush=True)
    except SystemExit as end:
        print(end.code, flush=True)
"""


def test_what_needs_no_more_than_the_base_works_without_the_rest(tmp_path: Path) -> None:
    """And what needs it says what to install."""
    works = ("--help", "init", "patients", "staff --help", "staff list", "pair new --url https://a.example", "backup b")
    needs = {
        "staff add reception --generate": "argon2",
        "serve": "uvicorn",
        "pair new --url https://a.example --qr-file a.png": "segno",
        "patients --database postgresql:///a": "psycopg",
    }
    done = subprocess.run(
        [sys.executable, "-c", _WITHOUT],
        env=os.environ | {"PYTHONPATH": str(Path.cwd())},
        cwd=tmp_path,
        input="\n".join([*works, *needs]),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    codes = [line for line in done.stdout.splitlines() if line in {"0", "1", "2", "3", "70"}]
    assert codes == ["0"] * len(works) + ["1"] * len(needs)
    for missing in needs.values():
        assert f"{missing} is not installed: pip install 'vitalkeep[clinic]'\n" in done.stderr
    assert not (tmp_path / "a.png").exists()
