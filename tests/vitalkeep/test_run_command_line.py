"""The command line itself: its help, its completion, its configuration, and that it answers at once."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from device_pipeline.config import BOUNDS
from device_pipeline.errors import ConfigError
from tests.vitalkeep.command import PROGRAM, RECORDINGS, ROOT, home, vitalkeep, vitalkeep_here
from vitalkeep.cli import exit_codes
from vitalkeep.cli.app import app

REST = RECORDINGS / "chest_strap_rest.jsonl.gz"
COMMANDS = ("run", "scan", "record", "pair", "analyze", "hrv", "evaluate", "status", "alerts", "completion")


@pytest.mark.parametrize("command", [(), *((name,) for name in COMMANDS)], ids=" ".join)
def test_every_help_says_what_it_does_with_examples_and_exit_codes(command: tuple[str, ...]) -> None:
    result = CliRunner().invoke(app, [*command, "--help"], env={"COLUMNS": "100"})
    assert result.exit_code == 0
    text = result.stdout
    assert text == CliRunner().invoke(app, [*command, "-h"], env={"COLUMNS": "100"}).stdout
    assert "Examples:" in text
    assert "Exit codes:" in text
    examples = [line.strip() for line in text.splitlines() if line.strip().startswith("vitalkeep ")]
    assert len(examples) >= 2
    assert all(line.split()[1] in COMMANDS for line in examples)
    assert max(map(len, text.splitlines())) <= 120
    if command:
        assert all(line.split()[1] == command[0] for line in examples)
    else:
        assert all(name in text for name in COMMANDS)
        assert "Not a medical device" in text


def test_the_help_names_every_exit_code() -> None:
    told = CliRunner().invoke(app, ["--help"]).stdout
    codes = {value for name, value in vars(exit_codes).items() if name.isupper()}
    for code in codes:
        assert f" {code} " in " ".join(told[told.index("Exit codes:") :].split())


def test_every_option_says_what_it_is_for() -> None:
    for name in COMMANDS:
        command = app.get_command(None, name)  # type: ignore[arg-type]
        assert command is not None
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert parameter.help, f"{name} {parameter.name}"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_completion_script_is_one_that_the_shell_reads(shell: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["completion", shell])
    assert result.exit_code == 0
    assert "_VITALKEEP_COMPLETE" in result.stdout
    program = shutil.which(shell)
    if program is not None:
        (tmp_path / "script").write_text(result.stdout)
        done = subprocess.run([program, "-n", tmp_path / "script"], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")


def test_completion_knows_the_commands(tmp_path: Path) -> None:
    words = {"_VITALKEEP_COMPLETE": "bash_complete", "COMP_WORDS": "vitalkeep a", "COMP_CWORD": "1"}
    done = subprocess.run(
        # the name that the shell calls it by decides the variable
        [sys.executable, "-c", "import sys; sys.argv[0] = 'vitalkeep'; from vitalkeep.__main__ import main; main()"],
        cwd=ROOT,
        env=home(tmp_path, words),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert done.stdout.split() == ["plain,analyze", "plain,alerts"]
    assert done.stderr == ""


def test_an_unknown_command_is_wrong_usage(tmp_path: Path) -> None:
    done = vitalkeep(tmp_path, "walk")
    assert done.code == 2
    assert "No such command 'walk'" in done.err
    assert "Traceback" not in done.err


# -- configuration


def said(folder: Path, content: str, *command: str) -> str:
    """The one line on a wrong configuration file; nothing has been made."""
    (folder / "config" / "vitalkeep").mkdir(parents=True, exist_ok=True)
    path = folder / "config" / "vitalkeep" / "config.toml"
    path.write_text(content)
    done = vitalkeep_here(folder, *(command or ("run", "--replay", str(REST), "--speed", "max")))
    assert done.code == 4
    assert done.out == ""
    assert not (folder / "data").exists()
    problem = done.problem()
    assert problem.startswith(f"{path}: ")
    return problem.removeprefix(f"{path}: ")


def test_the_configuration_of_the_wearer_is_read_where_xdg_says(tmp_path: Path) -> None:
    assert "must be a number from 60 to 250, found '300'" in said(tmp_path, "[alerts]\ntachycardia_bpm = 300\n")
    line = said(tmp_path, "[alerts]\ntachycardia_bmp = 130\n", "analyze", str(REST))
    assert "unknown key 'alerts.tachycardia_bmp', expected one of tachycardia_bpm" in line


@pytest.mark.parametrize("key", BOUNDS)
def test_every_bound_is_told_with_file_key_and_both_sides(
    key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Through the same function that a process ends in, but not in one of its own: there are many."""
    from vitalkeep.cli.app import _explain
    from vitalkeep.cli.config_option import load

    low, high = BOUNDS[key]
    path = tmp_path / "mine.toml"
    for value in (low - 0.5, high + 0.5, -1, "'word'", "true", "nan"):
        path.write_text(f"{key} = {value}\n" if key == "keep_raw_days" else f"[alerts]\n{key} = {value}\n")
        with pytest.raises(ConfigError) as raised:
            load(path)
        assert _explain(raised.value) == exit_codes.CONFIG
        line = capsys.readouterr().err
        assert line.startswith(f"vitalkeep: {path}: ")
        assert line.count("\n") == 1
        assert f"{key} must be a number from {low:g} to {high:g}, found" in line
    path.write_text(f"{key} = {low}\n" if key == "keep_raw_days" else f"[alerts]\n{key} = {(low + high) / 2}\n")
    try:
        load(path)
    except ConfigError as problem:
        # one limit alone may contradict the default of its pair
        assert "must not lie" in str(problem) or "must lie" in str(problem)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("alarms = 1\n", "unknown key 'alarms', expected one of alerts, governor, keep_raw_days"),
        ("alerts = 1\n", "must be a table"),
        ("[alerts\n", "not a TOML file"),
        ("[alerts]\ntachycardia_clear_bpm = 130\n", "must not lie above"),
        ("[alerts]\nbradycardia_clear_bpm = 30\n", "must not lie below"),
    ],
)
def test_what_cannot_be_is_told(content: str, expected: str, tmp_path: Path) -> None:
    assert expected in said(tmp_path, content, "analyze", str(REST))


def test_a_named_configuration_must_be_there(tmp_path: Path) -> None:
    done = vitalkeep_here(tmp_path, "analyze", "--config", "none.toml", REST)
    assert done.code == 4
    assert done.problem() == "none.toml: no such file"


def test_the_limits_of_the_wearer_are_those_that_count(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("[alerts]\ntachycardia_bpm = 62\ntachycardia_clear_bpm = 60\n")
    (row,) = vitalkeep_here(tmp_path, "analyze", "--json", "--config", tmp_path / "mine.toml", REST).rows()
    (alert,) = row["alerts"]
    assert alert["rule"] == "tachycardia"
    assert "your limit of 62 bpm" in alert["text"]


# -- nothing heavy


def test_help_and_version_load_nothing_heavy(tmp_path: Path) -> None:
    heavy = {"numpy", "scipy", "rich", "sqlcipher3", "sqlite_utils", "wfdb", "edfio", "pandas", "asyncio"}
    script = (
        "import sys\nfrom vitalkeep.cli.app import run\n"
        "code = run(sys.argv[1:])\n"
        f"print(sorted({heavy!r} & set(sys.modules)), file=sys.stderr)\nsys.exit(code)"
    )
    for arguments in (["--version"], ["--help"], ["run", "--help"], ["completion", "bash"]):
        done = subprocess.run(
            [sys.executable, "-c", script, *arguments],
            cwd=ROOT,
            env=home(tmp_path),
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "[]\n"), arguments


def test_an_internal_error_shows_its_type_and_no_value(tmp_path: Path) -> None:
    script = (
        "import sys\nimport vitalkeep.analysis\nimport vitalkeep.cli.config_option as option\n"
        "def load(path): raise ZeroDivisionError('the rate was 71.5 bpm')\n"
        "option.load = load\n"
        "from vitalkeep.cli.app import run\nsys.exit(run(sys.argv[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "analyze", str(REST)],
        cwd=ROOT,
        env=home(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 70
    assert done.stderr == ("vitalkeep: internal error (ZeroDivisionError); set VITALKEEP_DEBUG=1 to see where\n")
    assert os.environ.get("VITALKEEP_DEBUG") is None
    assert PROGRAM[0] == sys.executable
