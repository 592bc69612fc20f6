"""A record that fails says why in one line that holds nothing of the wearer's, whichever command reads it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from device_pipeline.errors import SignalError
from models.errors import CardMismatchError
from sensors.errors import FileFormatError
from sensors.files.annotation import write_annotations
from vitalkeep.cli import exit_codes
from vitalkeep.cli.app import app
from vitalkeep.cli.failed_record import failure, foreseen


@pytest.mark.parametrize("kind", [SignalError, CardMismatchError, FileFormatError])
def test_what_we_say_ourselves_is_told_as_it_is(kind: type[Exception]) -> None:
    assert failure(kind("both sides"), "night") == ("both sides", exit_codes.FAILED)


def test_what_the_system_says_is_told_with_the_file() -> None:
    assert foreseen(PermissionError(13, "Permission denied", "/there"), "night") == "/there: Permission denied"
    assert foreseen(TimeoutError(), "night") == "night: TimeoutError"
    assert foreseen(MemoryError(), "night") == "night: not enough memory"


def test_of_what_nobody_has_foreseen_only_the_type_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = KeyError("72 bpm")
    assert foreseen(problem, "night") is None
    assert failure(problem, "night") == ("night: internal error (KeyError)", exit_codes.INTERNAL)
    monkeypatch.setenv("VITALKEEP_DEBUG", "1")
    with pytest.raises(KeyError):
        failure(problem, "night")


@pytest.mark.parametrize("what", ["beats", "hrv"])
def test_a_rate_that_no_detector_takes_stops_no_other_record(what: str, tmp_path: Path) -> None:
    for name, fs_hz in (("slow", 50), ("quick", 250)):
        n = 400 * fs_hz
        (tmp_path / f"{name}.hea").write_text(f"{name} 1 {fs_hz} {n}\n{name}.dat 16 200 16 0 0 0 0 ECG\n")
        (tmp_path / f"{name}.dat").write_bytes(bytes(2 * n))
        beats = list(range(fs_hz, n, fs_hz))
        write_annotations(tmp_path, name, fs_hz, beats, ["N"] * len(beats))
        (tmp_path / f"{name}.vk").rename(tmp_path / f"{name}.atr")
    records = [str(tmp_path / name) for name in ("slow", "quick")]
    done = CliRunner().invoke(app, ["evaluate", "--json", "--jobs", "1", "--what", what, *records])
    assert done.exit_code == exit_codes.FAILED
    slow, quick, _ = map(json.loads, done.stdout.splitlines())
    assert "50 Hz" in slow["error"]
    assert "error" not in quick or quick["error"] is None
