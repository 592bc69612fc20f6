"""`vitalkeep hrv`: what is asked for is what comes out, on the page, as JSON and in files that other programs read."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from device_pipeline.metrics.registry import METRICS, WINDOW
from vitalkeep.cli.app import app
from vitalkeep.cli.hrv_text import NAMES

STRAP = Path(__file__).resolve().parents[2] / "fixtures" / "recordings" / "chest_strap.jsonl.gz"


def told(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["hrv", "--jobs", "1", *map(str, arguments)])


def rows(result: Result) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.fixture
def morning(tmp_path: Path) -> Path:
    """Eleven minutes of RR intervals, one early beat among them."""
    rng = np.random.default_rng(4)
    rr_ms = np.round(900 + 40 * np.sin(np.arange(740) * 2 * np.pi / 4.3) + rng.normal(0, 15, 740))
    rr_ms[100:102] = 550, 1250
    path = tmp_path / "morning.txt"
    path.write_text("\n".join(f"{ms:.0f}" for ms in rr_ms) + "\n")
    return path


def test_every_window_has_every_metric_and_says_what_it_stands_for(morning: Path) -> None:
    (found,) = rows(told("--json", morning))
    assert (found["schema"], found["record"], found["source"]) == ("vitalkeep.hrv/1", "morning", "rr")
    assert [window["start_s"] for window in found["windows"]] == [0.0, 300.0, 600.0]
    first = found["windows"][0]
    assert list(first["values"]) == [metric.name for metric in WINDOW]
    assert first["corrected_pct"] == pytest.approx(100 * 2 / 333, abs=0.1)
    assert first["values"]["mean_nn_ms"] == pytest.approx(900, abs=5)
    assert first["values"]["hf_peak_hz"] == pytest.approx(1 / (4.3 * 0.9), abs=0.01)


def test_the_windows_are_those_of_analyze(morning: Path) -> None:
    (table,) = rows(told("--json", morning))
    analysed = json.loads(CliRunner().invoke(app, ["analyze", "--json", str(morning)]).stdout)
    assert [window["values"]["rmssd_ms"] for window in table["windows"] if window["values"]] == pytest.approx(
        [window["values"]["rmssd_ms"] for window in analysed["hrv"] if window["values"]], abs=1e-3
    )


def test_start_end_and_window_cut_what_is_read(morning: Path) -> None:
    (found,) = rows(told("--json", morning, "--start", "1:00", "--end", "0:05:00", "--window", "120"))
    assert [(window["start_s"], window["length_s"]) for window in found["windows"]] == [(60, 120), (180, 120)]
    assert "vlf_ms2" in found["windows"][0]["absent"]
    assert found["windows"][0]["absent"]["vlf_ms2"] == "too_short"


def test_the_whole_is_one_window_with_the_metrics_of_long_recordings(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    path = tmp_path / "night.txt"
    slow = 60 * np.sin(np.arange(5000) * 2 * np.pi / 3000)
    path.write_text("\n".join(f"{ms:.0f}" for ms in 1000 + slow + rng.normal(0, 30, 5000)))
    (found,) = rows(told("--json", "--whole", path))
    (window,) = found["windows"]
    assert list(window["values"]) == [metric.name for metric in METRICS]
    assert window["values"]["sdann_ms"] == pytest.approx(60 / np.sqrt(2), rel=0.15)
    assert window["values"]["sdnn_index_ms"] == pytest.approx(31, rel=0.15)
    assert window["values"]["hrv_triangular_index"] > 5
    assert "SDANN" in told("--whole", path).stdout


def test_rr_text_comes_back_as_the_same_intervals(morning: Path, tmp_path: Path) -> None:
    every, normal = tmp_path / "rr.txt", tmp_path / "nn.txt"
    rows(told("--json", morning, "--export-rr", every))
    rows(told("--json", morning, "--export-rr", normal, "--nn"))
    assert every.read_text() == morning.read_text()
    expected = morning.read_text().splitlines()
    assert normal.read_text().splitlines() == expected[:100] + expected[102:]
    (again,) = rows(told("--json", every))
    (first,) = rows(told("--json", morning))
    assert again["windows"] == first["windows"]


def test_the_csv_has_the_columns_of_hrv4training_and_the_moments_of_its_windows(morning: Path, tmp_path: Path) -> None:
    path = tmp_path / "hrv.csv"
    (found,) = rows(told("--json", morning, "--export-csv", path, "--began", "2026-05-01 06:30"))
    read = list(csv.DictReader(path.read_text().splitlines()))
    assert list(read[0]) == ["timestamp_measurement", "HR", "AVNN", "SDNN", "rMSSD", "pNN50", "LF", "HF"]
    assert [row["timestamp_measurement"] for row in read] == [
        "2026-05-01 06:30:00",
        "2026-05-01 06:35:00",
        "2026-05-01 06:40:00",
    ]
    for row, window in zip(read, found["windows"], strict=True):
        assert float(row["rMSSD"]) == pytest.approx(window["values"]["rmssd_ms"])
    assert read[-1]["LF"] == ""  # a minute holds no LF
    undated = tmp_path / "undated.csv"
    told(morning, "--export-csv", undated)
    assert {row["timestamp_measurement"] for row in csv.DictReader(undated.read_text().splitlines())} == {""}


def test_a_recording_of_a_strap_knows_its_date(tmp_path: Path) -> None:
    path = tmp_path / "hrv.csv"
    assert told(STRAP, "--export-csv", path, "--end", "300").exit_code == 0
    (row,) = csv.DictReader(path.read_text().splitlines())
    assert row["timestamp_measurement"].startswith("20")


def test_a_doubtful_value_is_marked(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rr_ms = rng.normal(800, 12, 370)
    rr_ms[99:102] = 800, 684, 800  # early by more than the usual rule allows, by less than the lenient one
    path = tmp_path / "doubt.txt"
    path.write_text("\n".join(f"{ms:.0f}" for ms in rr_ms))
    result = told(path, "--end", "290")
    (line,) = [line for line in result.stdout.splitlines() if "RMSSD" in line]
    assert line.rstrip().endswith("?")
    assert "may be off by more than 5 %" in result.stdout


def test_many_windows_are_told_as_median_and_range(morning: Path) -> None:
    result = told(morning, "--window", "60")
    assert "median" in result.stdout
    assert "lowest" in result.stdout


def test_every_metric_has_its_name_on_the_page() -> None:
    assert list(NAMES) == [metric.name for metric in METRICS]


def test_wrong_usage_is_told(morning: Path, tmp_path: Path) -> None:
    for arguments in (
        (morning, morning, "--export-rr", tmp_path / "x"),
        (morning, "--nn"),
        (morning, "--start", "5:00", "--end", "1:00"),
        (morning, "--window", "30"),
        (morning, "--start", "soon"),
        (morning, morning, "--began", "2026-05-01 06:30"),
    ):
        assert told(*arguments).exit_code == 2


def test_a_record_that_fails_is_told_and_the_others_go_on(morning: Path, tmp_path: Path) -> None:
    result = told("--json", tmp_path / "none.txt", morning)
    assert result.exit_code == 1
    first, second = [json.loads(line) for line in result.stdout.splitlines()]
    assert "no such file" in first["error"]
    assert second["windows"]
    late = told("--json", morning, "--start", "2:00:00")
    assert late.exit_code == 1
    assert "lasts" in json.loads(late.stdout)["error"]
