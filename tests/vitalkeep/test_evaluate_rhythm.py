"""`vitalkeep evaluate --what rhythm`: annotations alone and an ECG are scored alike."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from numpy.typing import NDArray

from sensors.files.annotation import write_annotations
from tests.data import shared_data
from vitalkeep.cli.app import app

FS_HZ = 250


def told(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["evaluate", "--what", "rhythm", *(str(a) for a in arguments), "--jobs", "1"])


def rows(*arguments: str | Path) -> list[dict[str, Any]]:
    result = told(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def steady(n: int) -> NDArray[np.float64]:
    return np.random.default_rng(0).normal(0.8, 0.02, n)


def fibrillating(n: int) -> NDArray[np.float64]:
    return np.random.default_rng(1).gamma(20.0, 0.7 / 20.0, n).clip(0.3, 1.8)


def samples_of(rr_s: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.round((1 + np.cumsum(np.concatenate([[0.0], rr_s]))) * FS_HZ).astype(np.int64)


def with_rhythm(folder: Path, name: str, rr_s: NDArray[np.float64], rhythm: str, fs_hz: int | None = FS_HZ) -> None:
    """Beats in NAME.qrs, and one rhythm from the first sample on in NAME.atr, which has no beat."""
    beats = samples_of(rr_s)
    write_annotations(folder, name, fs_hz, beats, ["N"] * len(beats), extension="qrs")
    write_annotations(folder, name, fs_hz, [0], ["+"], aux=[rhythm], extension="atr")


def test_beats_of_one_file_are_held_to_the_rhythms_of_another(tmp_path: Path) -> None:
    with_rhythm(tmp_path, "a", fibrillating(500), "(AFIB")
    with_rhythm(tmp_path, "b", steady(500), "(N")
    with_rhythm(tmp_path, "c", fibrillating(500), "(N")
    with_rhythm(tmp_path, "d", fibrillating(500), "(AFL")
    a, b, c, d, total = rows(tmp_path, "--learning-s", "0")
    # the record ends with its last beat, which nothing follows
    assert a["beats"] == {"tp": 500, "fn": 0, "fp": 0, "tn": 0, "unknown": 0}
    assert b["beats"] == {"tp": 0, "fn": 0, "fp": 0, "tn": 500, "unknown": 0}
    assert c["beats"] == {"tp": 0, "fn": 0, "fp": 500, "tn": 0, "unknown": 0}
    assert d["flutter"] == {"beats": 500, "told": 500}
    assert d["reason"] is not None
    assert a["episodes"] == {"annotated": 1, "found": 1, "told": 1, "told_true": 1}
    assert (a["sensitivity"], a["specificity"]) == (1.0, None)
    assert (c["sensitivity"], c["specificity"], c["episode_positive_predictivity"]) == (None, 0.0, 0.0)
    assert a["beats_from"] == "qrs"
    assert total["gross"]["positive_predictivity"] == 0.5
    assert total["average"]["specificity"] == {"mean": 0.5, "records": 2}
    assert (total["records"], total["failed"]) == (4, 0)


def test_a_reference_with_beats_and_no_rhythm_has_no_fibrillation(tmp_path: Path) -> None:
    beats = samples_of(fibrillating(500))
    write_annotations(tmp_path, "a", FS_HZ, beats, ["N"] * len(beats), extension="atr")
    row, _ = rows(tmp_path / "a", "--learning-s", "0")
    assert row["beats_from"] == "atr"
    assert row["rhythm_annotated"] is False
    assert row["beats"]["fp"] == 500
    assert row["false_episodes_per_day"] > 0


def test_a_header_without_its_signals_gives_the_rate(tmp_path: Path) -> None:
    with_rhythm(tmp_path, "a", fibrillating(500), "(AFIB", fs_hz=None)
    (tmp_path / "a.hea").write_text("a 2 250 200000\na.dat 212 200 12 0 0 0 0 ECG1\na.dat 212 200 12 0 0 0 0 ECG2\n")
    assert rows(tmp_path, "--learning-s", "0")[0]["beats"]["tp"] == 500


def test_a_rate_that_nothing_tells_is_asked_for(tmp_path: Path) -> None:
    with_rhythm(tmp_path, "a", fibrillating(500), "(AFIB", fs_hz=None)
    failed = told(tmp_path)
    assert failed.exit_code == 1
    assert "--fs" in failed.stderr
    assert rows(tmp_path, "--fs", "250", "--learning-s", "0")[0]["beats"]["tp"] == 500


def test_the_first_five_minutes_are_not_scored_unless_asked(tmp_path: Path) -> None:
    with_rhythm(tmp_path, "a", np.full(500, 1.0), "(N")
    assert rows(tmp_path)[0]["beats"]["tn"] == 201
    assert rows(tmp_path)[0]["duration_s"]["scored"] == 201.0


def test_a_record_that_fails_stops_no_other(tmp_path: Path) -> None:
    with_rhythm(tmp_path, "a", steady(500), "(N")
    with_rhythm(tmp_path, "b", steady(500), "(N")
    (tmp_path / "a.qrs").write_bytes(b"\xff")
    result = told(tmp_path, "--json")
    assert result.exit_code == 1
    first, second, total = [json.loads(line) for line in result.stdout.splitlines()]
    assert first["error"].startswith("a.qrs: ")
    assert second["specificity"] == 1.0
    assert total["failed"] == 1
    table = told(tmp_path)
    assert "vitalkeep: a.qrs: " in table.stderr
    assert "100.0" in table.stdout


def test_options_of_other_kinds_are_refused(tmp_path: Path) -> None:
    with_rhythm(tmp_path, "a", steady(500), "(N")
    refused = told(tmp_path, "--tolerance-ms", "100")
    assert refused.exit_code == 2
    refused = CliRunner().invoke(app, ["evaluate", "--fs", "250", str(tmp_path)])
    assert refused.exit_code == 2
    assert "--fs means nothing to --what beats" in refused.stderr


@pytest.mark.parametrize("record", ["203"])
def test_an_ecg_is_read_by_our_own_detector(record: str) -> None:
    header = shared_data("mitdb", f"{record}.hea")
    row, _ = rows(header)
    assert row["beats_from"] == "MLII"
    assert row["sensitivity"] > 0.9
