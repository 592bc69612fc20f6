"""`vitalkeep evaluate --what respiration`: against marks or a belt, per record and gross; the belt is no estimate."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from device_pipeline.evaluation.breath_reference import reference_rate_bpm
from fixtures.chance import Array
from tests.device_pipeline.breathing import ecg
from vitalkeep.cli.app import app

FS_HZ = 125.0
BREATH_BPM = 14.0
STEADY_BREATHS = np.arange(1.0, 150.0, 60 / BREATH_BPM)


def told(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["evaluate", "--what", "respiration", "--jobs", "1", *(str(a) for a in arguments)])


def rows(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def belt(bpm: float, n: int) -> Array:
    return np.asarray(np.sin(2 * np.pi * bpm / 60 * np.arange(n) / FS_HZ), dtype=np.float64)


def written(path: Path, columns: dict[str, Array]) -> Path:
    values = np.stack(list(columns.values()), axis=1)
    lines = [",".join(columns), *(",".join(f"{value:.8g}" for value in row) for row in values.tolist())]
    path.write_text("\n".join(lines) + "\n", encoding="ascii")
    return path


def marked(path: Path, *annotators: Array) -> Path:
    most = max(len(marks) for marks in annotators)
    lines = [",".join(f"ann{k + 1} [signal sample no]" for k in range(len(annotators)))]
    for k in range(most):
        lines.append(",".join(f"{marks[k] * FS_HZ:.0f}" if k < len(marks) else "" for marks in annotators))
    path.write_text("\n".join(lines) + "\n", encoding="ascii")
    return path


@pytest.fixture(scope="module")
def wave() -> Array:
    return ecg(BREATH_BPM, FS_HZ).values


def test_marks_are_the_truth_of_the_monitor_s_form(tmp_path: Path, wave: Array) -> None:
    t_s = np.arange(len(wave)) / FS_HZ
    written(tmp_path / "bidmc_98_Signals.csv", {"Time [s]": t_s, "RESP": belt(30, len(wave)), "II": wave})
    marked(tmp_path / "bidmc_98_Breaths.csv", STEADY_BREATHS, STEADY_BREATHS + 0.1)
    result = told("--json", tmp_path)
    assert result.exit_code == 0, result.output
    record, total = rows(result)
    assert (record["record"], record["channels"], record["truth"]) == ("bidmc_98", ["II"], "breaths")
    assert record["windows"] == 15
    assert record["coverage"] >= 0.8
    assert record["mae_bpm"] < 1.5
    assert total["gross"]["mae_bpm"] == record["mae_bpm"]
    assert total["average"]["records"] == 1


def test_annotators_who_differ_leave_no_truth(tmp_path: Path, wave: Array) -> None:
    written(tmp_path / "a_Signals.csv", {"Time [s]": np.arange(len(wave)) / FS_HZ, "II": wave})
    marked(tmp_path / "a_Breaths.csv", STEADY_BREATHS, np.arange(1.0, 150.0, 3.0))
    record, total = rows(told("--json", tmp_path / "a_Signals.csv"))
    assert (record["windows"], record["without_truth"], record["mae_bpm"]) == (0, 15, None)
    assert record["reason"] == "no window has a truth"
    assert total["average"]["mae_bpm"] is None


def test_a_belt_is_a_truth_and_never_an_estimate(tmp_path: Path, wave: Array) -> None:
    """The belt tells another rate than the ECG, and all that changes with it is the error."""
    t_s = np.arange(len(wave)) / FS_HZ
    found = {}
    for bpm in (14.0, 22.0):
        path = written(tmp_path / f"belt{bpm:.0f}.csv", {"t_s": t_s, "ecg_mv": wave, "resp": belt(bpm, len(wave))})
        found[bpm] = rows(told("--json", path))[0]
    assert {row["truth"] for row in found.values()} == {"resp"}
    assert found[14.0]["told"] == found[22.0]["told"] > 0
    assert found[14.0]["bias_bpm"] - found[22.0]["bias_bpm"] == pytest.approx(8.0, abs=0.2)


def test_without_any_truth_the_record_fails_and_the_others_go_on(tmp_path: Path, wave: Array) -> None:
    t_s = np.arange(len(wave)) / FS_HZ
    bare = written(tmp_path / "bare.csv", {"t_s": t_s, "ecg_mv": wave})
    good = written(tmp_path / "good.csv", {"t_s": t_s, "ecg_mv": wave, "resp": belt(14.0, len(wave))})
    result = told("--json", bare, good)
    assert result.exit_code == 1
    failed, fine, total = rows(result)
    assert "bare_Breaths.csv" in failed["error"]
    assert fine["windows"] > 0
    assert (total["records"], total["failed"]) == (2, 1)
    assert "good" in told(good).stdout


def test_one_channel_can_be_read_alone(tmp_path: Path, wave: Array) -> None:
    columns = {"t_s": np.arange(len(wave)) / FS_HZ, "ecg_mv": wave, "ppg": wave, "resp": belt(14.0, len(wave))}
    path = written(tmp_path / "two.csv", columns)
    assert rows(told("--json", path))[0]["channels"] == ["ecg_mv", "ppg"]
    assert rows(told("--json", path, "--channel", "ecg_mv"))[0]["channels"] == ["ecg_mv"]
    assert told("--json", path, "--channel", "none").exit_code == 1


def test_a_channel_that_does_not_breathe_is_no_truth() -> None:
    n = round(32 * FS_HZ)
    assert reference_rate_bpm(belt(14.0, n), FS_HZ) == pytest.approx(14.0, abs=0.1)
    assert reference_rate_bpm(np.zeros(n), FS_HZ) is None
    assert reference_rate_bpm(belt(14.0, n)[: n // 4], FS_HZ) is None
    rng = np.random.default_rng(4)
    noise = [reference_rate_bpm(rng.standard_normal(n), FS_HZ) for _ in range(20)]
    assert sum(rate is None for rate in noise) >= 12
