"""The process that sees the wearer loads nothing that can speak to a network; the first answer loads nothing heavy."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.house import ROOT
from tests.architecture.process import NETWORKED, modules_after, modules_after_command

HEAVY = {"asyncio", "numpy", "pandas", "rich", "scipy", "sklearn", "sqlcipher3", "sqlite3", "sqlite_utils", "wfdb"}
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


def test_a_live_run_loads_no_network(tmp_path: Path) -> None:
    loaded = modules_after("__import__('vitalkeep.cli.live') and 0", tmp_path)
    assert {"device_pipeline.run", "sensors.bleak_link", "bleak", "dbus_fast"} <= loaded
    assert not loaded & NETWORKED


def test_status_loads_no_network(tmp_path: Path) -> None:
    modules_after_command(["run", "--replay", str(RECORDING), "--speed", "max"], tmp_path)
    assert not modules_after_command(["status", "--json"], tmp_path) & NETWORKED


@pytest.mark.parametrize("arguments", [["--version"], ["--help"]])
def test_the_first_answer_loads_nothing_heavy(arguments: list[str], tmp_path: Path) -> None:
    loaded = modules_after_command(arguments, tmp_path)
    assert "device_pipeline.no_network" in loaded
    assert not loaded & HEAVY


@pytest.mark.parametrize(
    "command", ["run", "scan", "record", "analyze", "evaluate", "status", "alerts", "baseline", "doctor", "simulate"]
)
def test_help_of_a_command_loads_no_scientific_library(command: str, tmp_path: Path) -> None:
    assert not modules_after_command([command, "--help"], tmp_path) & {"scipy", "pandas", "wfdb", "sqlite_utils"}


def test_a_connection_planted_in_a_replay_is_refused(tmp_path: Path) -> None:
    """In the middle of the pipeline, while it runs, to a server that would answer."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        planted = f"""
import socket, sys
from device_pipeline.beats.ecg import EcgBeats
from vitalkeep.cli.app import run
push = EcgBeats.push
def leak(stage, block):
    print("planted")
    socket.create_connection({server.getsockname()!r}).sendall(b"72")
    return push(stage, block)
EcgBeats.push = leak
sys.exit(run(["run", "--replay", {str(RECORDING)!r}, "--speed", "max"]))
"""
        done = subprocess.run(
            [sys.executable, "-c", planted],
            cwd=ROOT,
            env={"HOME": str(tmp_path), "PYTHONPATH": str(ROOT), "VITALKEEP_DEBUG": "1"},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert "planted" in done.stdout
        assert done.returncode != 0
        assert "NetworkRefusedError" in done.stderr
        with pytest.raises(BlockingIOError):
            server.accept()
