"""A file that holds no beat at all is analysed for what it does hold, and its object is as the schema says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from click.testing import CliRunner

from vitalkeep.cli.app import app

ROOT = Path(__file__).resolve().parents[2]
RECORDINGS = ROOT / "fixtures" / "recordings"
SCHEMA: dict[str, Any] = json.loads((ROOT / "docs" / "analyze.schema.json").read_text(encoding="utf-8"))


def analyzed(path: Path, *arguments: str) -> dict[str, Any]:
    result = CliRunner().invoke(app, ["analyze", "--json", "--jobs", "1", *arguments, str(path)])
    assert result.exit_code == 0, result.output
    (line,) = result.stdout.splitlines()
    found: dict[str, Any] = json.loads(line, parse_constant=pytest.fail)
    jsonschema.Draft202012Validator(SCHEMA).validate(found)
    return found


def written(tmp_path: Path, header: str, rows: list[str]) -> Path:
    path = tmp_path / "made.csv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="ascii")
    return path


def test_a_night_of_an_oximeter_alone_is_analysed() -> None:
    found = analyzed(RECORDINGS / "oximeter_night.csv")
    assert found["source"] is None
    assert found["beats"] == {"n": 0, "mean_hr_bpm": None, "reason": "no_data"}
    assert found["duration_s"] == 3599
    assert len(found["spo2"]) == 360
    assert len(found["desaturations"]) == 9
    oximetry = found["oximetry"]
    assert oximetry["odi3_per_h"] == pytest.approx(9 / oximetry["valid_s"] * 3600, abs=0.01)
    assert oximetry["odi4_per_h"] == pytest.approx(8 / oximetry["valid_s"] * 3600, abs=0.01)
    assert {alert["rule"] for alert in found["alerts"]} == {"low_oxygen", "no_data", "poor_signal"}


def test_a_file_of_one_column_of_saturation_is_analysed(tmp_path: Path) -> None:
    found = analyzed(written(tmp_path, "t_s,spo2_pct", [f"{k},{0 if 30 <= k < 60 else 96}" for k in range(120)]))
    assert [window["spo2_pct"] for window in found["spo2"][:3]] == [96.0, 96.0, 96.0]
    assert [window["reason"] for window in found["spo2"][4:6]] == ["missing", "missing"]
    assert found["desaturations"] == []
    assert found["oximetry"]["odi3_per_h"] is None
    assert found["oximetry"]["reason"] == "too_short"


def test_a_probe_that_was_never_on_has_no_saturation(tmp_path: Path) -> None:
    path = written(tmp_path, "t_s,spo2_pct", ["0,96", *(f"{k},0" for k in range(1, 1200))])
    found = analyzed(path)
    assert found["desaturations"] == []
    assert found["oximetry"]["odi3_per_h"] is None


def test_a_thermometer_alone_is_analysed() -> None:
    found = analyzed(RECORDINGS / "fever.csv")
    assert len(found["temperature"]) == 180
    assert [alert["rule"] for alert in found["alerts"]] == ["fever"]
    assert found["oximetry"] is None


def test_an_accelerometer_alone_is_analysed() -> None:
    found = analyzed(RECORDINGS / "chest_motion.csv")
    assert found["fs_hz"] == 10
    assert len(found["activity"]) == 21
    assert sum(window["steps"] or 0 for window in found["activity"]) == pytest.approx(216 + 156, abs=6)
    assert {window["reason"] for window in found["activity"][10:]} == {"off_body"}
    assert {window["posture"] for window in found["activity"]} == {None}  # nobody says that it is on a chest


def test_skin_and_body_of_one_file_are_told_apart(tmp_path: Path) -> None:
    rows = [f"{k * 10},36.8,33.{k % 10}" for k in range(60)]
    found = analyzed(written(tmp_path, "t_s,temperature_c,skin_temperature_c", rows))
    by_site = {site: [w for w in found["temperature"] if w["site"] == site] for site in ("body", "skin")}
    assert {w["temperature_c"] for w in by_site["body"]} == {36.8}
    assert all(33 <= w["temperature_c"] < 34 for w in by_site["skin"])


def test_two_colours_say_that_they_are_uncalibrated() -> None:
    found = analyzed(RECORDINGS / "two_colours.csv")
    assert len(found["spo2"]) == 15
    assert all(window["method"].endswith("/uncalibrated") for window in found["spo2"])
    assert found["source"] == "ppg"
    assert found["oximetry"] is None
    assert found["desaturations"] == []


@pytest.mark.parametrize("leading", ["ppg_red", "ppg_ir"])
def test_the_channel_that_leads_does_not_take_the_other_colour_away(leading: str) -> None:
    found = analyzed(RECORDINGS / "two_colours.csv", "--channel", leading)
    assert found["channel"] == leading
    assert [window["spo2_pct"] for window in found["spo2"]][:4] == pytest.approx([97, 97, 97, 97], abs=0.6)


@pytest.mark.parametrize(
    ("header", "row", "says"),
    [
        ("t_s,temperature_c", "1,370", "temperature_c outside -50 to 100"),
        ("t_s,spo2_pct,perfusion_pct", "1,97,250", "perfusion_pct outside 0 to 100"),
        ("t_s,pulse_rate_bpm,spo2_pct", "1,-4,97", "pulse_rate_bpm outside 0 to 1000"),
    ],
)
def test_a_reading_that_nothing_can_have_is_refused_with_its_line(
    header: str, row: str, says: str, tmp_path: Path
) -> None:
    path = written(tmp_path, header, [row])
    result = CliRunner().invoke(app, ["analyze", "--json", str(path)])
    assert result.exit_code == 1
    assert says in json.loads(result.stdout)["error"]
    assert "line 2" in json.loads(result.stdout)["error"]
