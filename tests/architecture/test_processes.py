"""The process that sees the wearer loads nothing that can speak to a network; the first answer loads nothing heavy."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.architecture.house import ROOT
from tests.architecture.process import NETWORKED, modules_after, modules_after_command

HEAVY = {"asyncio", "numpy", "pandas", "rich", "scipy", "sqlcipher3", "sqlite3", "sqlite_utils", "wfdb"}
RECORDING = ROOT / "fixtures" / "recordings" / "chest_strap_rest.jsonl.gz"


@pytest.mark.parametrize("module", sorted(NETWORKED - {"starlette", "uvicorn", "httpx"}))
def test_a_planted_module_is_seen(module: str, tmp_path: Path) -> None:
    assert module in modules_after(f"__import__('importlib').import_module({module!r}) and 0", tmp_path)


def test_the_pipeline_loads_no_network(tmp_path: Path) -> None:
    loaded = modules_after("__import__('device_pipeline.run') and 0", tmp_path)
    assert "device_pipeline.run" in loaded
    assert not loaded & NETWORKED


def test_a_replay_loads_no_network(tmp_path: Path) -> None:
    loaded = modules_after_command(["run", "--replay", str(RECORDING), "--speed", "max"], tmp_path)
    assert {"device_pipeline.run", "sensors.replay_link"} <= loaded
    assert not loaded & NETWORKED


def test_status_loads_no_network(tmp_path: Path) -> None:
    modules_after_command(["run", "--replay", str(RECORDING), "--speed", "max"], tmp_path)
    assert not modules_after_command(["status", "--json"], tmp_path) & NETWORKED


@pytest.mark.parametrize("arguments", [["--version"], ["--help"]])
def test_the_first_answer_loads_nothing_heavy(arguments: list[str], tmp_path: Path) -> None:
    loaded = modules_after_command(arguments, tmp_path)
    assert "device_pipeline.no_network" in loaded
    assert not loaded & HEAVY


@pytest.mark.parametrize("command", ["run", "analyze", "evaluate", "status", "alerts"])
def test_help_of_a_command_loads_no_scientific_library(command: str, tmp_path: Path) -> None:
    assert not modules_after_command([command, "--help"], tmp_path) & {"scipy", "pandas", "wfdb", "sqlite_utils"}
