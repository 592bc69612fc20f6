"""`vitalkeep evaluate --what hrv`: agreement as Bland and Altman define it, on windows that both sides have."""

from __future__ import annotations

import json
import math
import statistics
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from device_pipeline.evaluation.hrv_agreement import Pair, agreement
from sensors.files.annotation import write_annotations
from tests.data import shared_data
from vitalkeep.cli.app import app


def told(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["evaluate", "--what", "hrv", "--jobs", "1", *map(str, arguments)])


def rows(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def annotated(folder: Path, name: str, late: float = 0.0) -> Path:
    """Eleven minutes of beats at 1000 Hz; the beats found are the reference's, each second one `late` samples later."""
    rng = np.random.default_rng(1)
    beats = np.cumsum(rng.normal(820, 25, 850)).round().astype(int)
    write_annotations(folder, name, 1000, beats.tolist(), ["N"] * 850, extension="atr")
    found = beats + (np.arange(850) % 2 * late).astype(int)
    write_annotations(folder, name, 1000, found.tolist(), ["N"] * 850)
    return folder / name


def test_the_same_beats_agree_wholly(tmp_path: Path) -> None:
    result = told(annotated(tmp_path, "a"), "--beats", "vk", "--json")
    assert result.exit_code == 0
    record, total = rows(result)
    assert (record["record"], record["windows"], record["missed"], record["reason"]) == ("a", 3, 0, None)
    for name in ("mean_hr_bpm", "sdnn_ms", "rmssd_ms"):
        assert record[name] == {"n": 3, "bias": 0.0, "limits_of_agreement": [0.0, 0.0], "median_error_pct": 0.0}
    assert total["gross"]["windows"] == 3


def test_beats_told_late_show_in_rmssd_and_not_in_the_rate(tmp_path: Path) -> None:
    record = rows(told(annotated(tmp_path, "a", late=20), "--beats", "vk", "--json"))[0]
    assert record["rmssd_ms"]["bias"] > 5
    assert abs(record["mean_hr_bpm"]["bias"]) < 0.01


def test_bias_and_limits_are_those_of_bland_and_altman() -> None:
    pairs = [Pair(50, 52), Pair(40, 41), Pair(30, 27), Pair(60, 66)]
    found = agreement(pairs)
    d = [2, 1, -3, 6]
    assert found.bias == pytest.approx(1.5)
    assert found.high == pytest.approx(1.5 + 1.96 * statistics.stdev(d))
    assert found.low == pytest.approx(1.5 - 1.96 * statistics.stdev(d))
    assert found.median_error_pct == pytest.approx(100 * statistics.median([2 / 50, 1 / 40, 3 / 30, 6 / 60]))
    assert agreement([]).bias is None
    assert agreement(pairs[:1]).high is None


def test_rr_text_of_two_devices_is_compared(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    rr_ms = rng.normal(900, 40, 450)
    (tmp_path / "me.rr").write_text("\n".join(f"{ms:.0f}" for ms in rr_ms))
    (tmp_path / "me.txt").write_text("\n".join(f"{ms:.0f}" for ms in rr_ms + rng.normal(0, 8, 450)))
    record, _ = rows(told(tmp_path, "--reference", "rr", "--json"))
    assert record["windows"] == 2
    assert 0 < record["rmssd_ms"]["bias"] < 5
    (tmp_path / "me.csv").write_text("rr_ms\n900\n")
    (row, _) = rows(told(tmp_path, "--reference", "rr", "--json"))
    assert row["error"] == "me: one recording is expected beside me.rr, there is: me.csv, me.txt"


def test_a_window_that_only_the_reference_has_is_missed(tmp_path: Path) -> None:
    record = annotated(tmp_path, "a")
    write_annotations(tmp_path, "a", 1000, list(range(820, 300_000, 820)), ["N"] * len(range(820, 300_000, 820)))
    found = rows(told(record, "--beats", "vk", "--json"))[0]
    assert (found["windows"], found["missed"]) == (3, 2)


def test_the_table_and_a_failure_are_told(tmp_path: Path) -> None:
    annotated(tmp_path, "a")
    b = annotated(tmp_path, "b")
    b.with_suffix(".atr").write_bytes(b"\xff")
    result = told(tmp_path, "--beats", "vk")
    assert result.exit_code == 1
    assert "b.atr" in result.stderr
    assert "gross" in result.stdout


def test_an_option_of_beats_alone_is_refused(tmp_path: Path) -> None:
    assert told(annotated(tmp_path, "a"), "--tolerance-ms", "50").exit_code == 2


def test_hrv_of_our_beats_agrees_with_that_of_the_references() -> None:
    pytest.importorskip("wfdb")
    records = [shared_data("mitdb", f"{name}.hea") for name in ("101", "112", "115", "122")]
    total = rows(told(*records, "--json"))[-1]["gross"]
    assert total["windows"] >= 20
    assert total["missed"] == 0
    assert abs(total["rmssd_ms"]["bias"]) < 0.5
    assert total["rmssd_ms"]["median_error_pct"] < 1.0
    assert math.isclose(total["mean_hr_bpm"]["bias"], 0.0, abs_tol=0.1)
