"""`analyze --json` prints what docs/analyze.schema.json says; docs/analyze.md names every word that can be in it."""

from __future__ import annotations

import ast
import gzip
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from click.testing import CliRunner

from device_pipeline.alerts.rules import RULES
from device_pipeline.beat import BeatSource
from device_pipeline.intervals import METHOD
from device_pipeline.metrics.registry import METRICS, WINDOW
from device_pipeline.rhythm import RhythmKind
from sensors.files.annotation import write_annotations
from sensors.samples import GapReason
from tests.data import shared_data
from vitalkeep.cli.app import app

ROOT = Path(__file__).resolve().parents[2]
RECORDINGS = ROOT / "fixtures" / "recordings"
SCHEMA: dict[str, Any] = json.loads((ROOT / "docs" / "analyze.schema.json").read_text(encoding="utf-8"))
DEFS: dict[str, Any] = SCHEMA["$defs"]
DOC = (ROOT / "docs" / "analyze.md").read_text(encoding="utf-8")

# Where a verdict on the signal is given a name.
JUDGES = (
    "device_pipeline/pulse_rate.py",
    "device_pipeline/signal/quality_ecg.py",
    "device_pipeline/signal/quality_ppg.py",
    "device_pipeline/signal/pulse_wave.py",
    "device_pipeline/beats/ppg.py",
    "device_pipeline/beats/ecg.py",
)
NO_REASONS = {"sos", "g", "highpass"}  # other words in those files


def _analyze(*arguments: Path | str) -> list[dict[str, Any]]:
    result = CliRunner().invoke(app, ["analyze", "--json", "--jobs", "1", *map(str, arguments)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return [json.loads(line, parse_constant=pytest.fail) for line in result.stdout.splitlines()]


def _problems(found: dict[str, Any]) -> list[str]:
    validator = jsonschema.Draft202012Validator(SCHEMA)
    return [f"{list(error.absolute_path)}: {error.message[:200]}" for error in validator.iter_errors(found)]


@cache
def _chest_strap() -> dict[str, Any]:
    return _analyze(RECORDINGS / "chest_strap.jsonl.gz")[0]


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("name", ["chest_strap_rest.jsonl.gz", "rr_strap.jsonl.gz", "wrist_ppg.csv"])
def test_findings_of_fixtures_are_as_the_schema_says(name: str) -> None:
    (found,) = _analyze(RECORDINGS / name)
    assert "error" not in found
    assert _problems(found) == []


def test_findings_with_every_kind_of_entry_are_as_the_schema_says() -> None:
    found = _chest_strap()
    assert all(found[kind] for kind in ("gaps", "heart_rate", "hrv", "rhythm", "alerts"))
    assert any(window["reason"] for window in found["heart_rate"])
    assert _problems(found) == []


def test_findings_of_made_files_are_as_the_schema_says(tmp_path: Path) -> None:
    zeros = tmp_path / "zeros.csv"
    zeros.write_text("t_s,ecg_mv\n" + "".join(f"{k / 130:.6f},0\n" for k in range(130 * 30)))
    intervals = tmp_path / "rr.txt"
    intervals.write_text("".join(f"{800 + 40 * (k % 3)}\n" for k in range(400)))
    write_annotations(tmp_path, "beats", 250.0, list(range(200, 200 * 500, 200)), ["N"] * 499)
    (tmp_path / "one.txt").write_text("800\n")
    noise = tmp_path / "noise.csv"
    noise.write_text("t_s,ecg_mv\n" + "".join(f"{k / 130:.6f},{(k * k * 7919) % 997 / 500:.3f}\n" for k in range(9100)))
    absent = tmp_path / "absent.csv"
    absent.write_text("t_s,ppg\n" + "".join(f"{k / 50:.2f},nan\n" for k in range(500)))
    found = _analyze(zeros, intervals, tmp_path / "beats.vk", tmp_path / "one.txt", noise, absent)
    assert [one.get("source") for one in found] == ["ecg", "rr", "annotation", "rr", "ecg", "ppg"]
    assert found[0]["beats"] == {"n": 0, "mean_hr_bpm": None, "reason": "no_data"}
    assert [_problems(one) for one in found] == [[]] * 6
    assert all(window["bpm"] is None for window in found[4]["heart_rate"] + found[5]["heart_rate"])


def test_findings_of_a_recording_that_is_cut_short_are_as_the_schema_says(tmp_path: Path) -> None:
    whole = gzip.decompress((RECORDINGS / "chest_strap_rest.jsonl.gz").read_bytes())
    (tmp_path / "cut.jsonl").write_bytes(whole[: len(whole) // 2])
    (found,) = _analyze(tmp_path / "cut.jsonl")
    assert found["notes"]
    assert _problems(found) == []


def test_failures_are_as_the_schema_says(tmp_path: Path) -> None:
    (tmp_path / "empty.csv").write_bytes(b"")
    (tmp_path / "resp.csv").write_text("t_s,resp\n0,1\n0.1,2\n0.2,3\n")
    found = _analyze(tmp_path / "empty.csv", tmp_path / "resp.csv", tmp_path, tmp_path / "nowhere")
    assert [set(one) for one in found] == [{"schema", "record", "error"}] * 4
    assert [_problems(one) for one in found] == [[]] * 4


@pytest.mark.parametrize("arguments", [("mitdb", "207"), ("afdb", "04015.qrs", "--fs", "250")])
def test_findings_of_real_records_are_as_the_schema_says(arguments: tuple[str, ...]) -> None:
    folder, name, *options = arguments
    (found,) = _analyze(shared_data(folder) / name, *options)
    assert "error" not in found
    assert _problems(found) == []


@pytest.mark.parametrize(
    "break_it",
    [
        lambda found: found.update(extra=1),
        lambda found: found.pop("notes"),
        lambda found: found["heart_rate"][0].update(bpm=None),
        lambda found: found["heart_rate"][0].update(bpm=0),
        lambda found: found["heart_rate"][0].update(reason="noise"),
        lambda found: found["gaps"][0].update(reason="tired"),
        lambda found: found["hrv"][0].update(values=None),
        lambda found: found["hrv"][0]["values"].pop("rmssd_ms"),
        lambda found: found["beats"].update(mean_hr_bpm=None),
        lambda found: found["alerts"][0].update(rule="doom"),
        lambda found: found["rhythm"][0].update(kind="SR"),
        lambda found: found.update(error="both"),
    ],
)
def test_the_schema_refuses_what_is_not_so(break_it: Any) -> None:
    found = json.loads(json.dumps(_chest_strap()))
    break_it(found)
    assert _problems(found)


# -- the words


def _judged() -> set[str]:
    """Every name that a judge of the signal can give: the words among its literals."""
    found: set[str] = set()
    for name in JUDGES:
        for node in ast.walk(ast.parse((ROOT / name).read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found |= {node.value} if re.fullmatch(r"[a-z]+(_[a-z]+)*", node.value) else set()
    return found - NO_REASONS


def _returned(path: str, function: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    (body,) = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == function)
    returns = (node.value for node in ast.walk(body) if isinstance(node, ast.Return))
    return {value.value for value in returns if isinstance(value, ast.Constant) and isinstance(value.value, str)}


def _documented(heading: str) -> set[str]:
    """The names in the first column of the table that follows the line `heading`."""
    assert heading in DOC
    table = DOC.split(heading, 1)[1].lstrip("\n").split("\n\n", 1)[0]
    return {name for row in table.splitlines() for name in re.findall(r"`(\w+)`", row.split("|")[1])}


GAP_HEADING = (
    "In `gaps[].reason`, and in `heart_rate[].reason` where most of what is missing in a window is missing for it:\n"
)
POOR_HEADING = "In `heart_rate[].reason`, where there was a signal and most of it was poor:\n"
HRV_HEADING = "In `hrv[].reason`:\n"


def test_every_reason_of_a_gap_is_in_the_schema_and_the_document() -> None:
    assert set(DEFS["gapReason"]["enum"]) == {reason.value for reason in GapReason} == _documented(GAP_HEADING)


def test_every_reason_of_a_poor_signal_is_in_the_schema_and_the_document() -> None:
    assert set(DEFS["qualityReason"]["enum"]) == _judged() | {"poor_signal"}
    assert _documented(POOR_HEADING) == _judged() | {"poor_signal", "too_few_beats"}


def test_every_reason_of_an_hrv_window_is_in_the_schema_and_the_document() -> None:
    can_be = _returned("device_pipeline/hrv.py", "_reason")
    assert set(DEFS["hrvReason"]["enum"]) == can_be == _documented(HRV_HEADING)


def test_every_metric_rule_rhythm_source_and_method_is_in_the_schema_and_the_document() -> None:
    findings = DEFS["findings"]["properties"]
    metrics = {metric.name for metric in WINDOW}
    values = findings["hrv"]["items"]["oneOf"][0]["properties"]["values"]
    assert (
        set(values["properties"])
        == set(values["required"])
        == metrics
        == _documented(
            "difference is formed across it. The definitions are those of the Task Force of ESC and NASPE 1996,"
            " *Circulation* 93:1043, Table 1.\n"
        )
    )
    assert set(findings["alerts"]["items"]["properties"]["rule"]["enum"]) == {rule.name for rule in RULES}
    assert set(findings["rhythm"]["items"]["properties"]["kind"]["enum"]) == {kind.value for kind in RhythmKind}
    assert _documented("### `rhythm[].kind`\n") == {kind.value for kind in RhythmKind}
    assert set(findings["source"]["enum"]) == {source.value for source in BeatSource} | {None}
    assert all(f"`{source.value}`" in DOC for source in BeatSource)
    assert f"`{METHOD}`" in DOC


def test_every_reason_of_a_metric_is_in_the_schema_and_the_document() -> None:
    can_be = _returned("device_pipeline/hrv.py", "_why") | {metric.absent for metric in METRICS}
    assert set(DEFS["metricReason"]["enum"]) == can_be
    assert all(f"`{reason}`" in DOC for reason in can_be)


def test_every_reason_has_its_words_in_the_live_view() -> None:
    from vitalkeep.cli.live_state import _WORDS  # the words themselves: `words` would make some up

    reasons = {*DEFS["gapReason"]["enum"], *DEFS["qualityReason"]["enum"], *DEFS["hrvReason"]["enum"]}
    beside = _documented("In `spo2[].reason` and `temperature[].reason`, beside those of `gaps[].reason`:\n")
    beside |= _documented("In `activity[].reason`, beside those of `gaps[].reason`:\n")
    assert set(_WORDS) == reasons | beside


def _fields(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for name, inner in node.get("properties", {}).items():
            yield name
            yield from _fields(inner)
        for key in ("items", "oneOf", "anyOf"):
            yield from _fields(node.get(key))
    elif isinstance(node, list):
        for inner in node:
            yield from _fields(inner)


def test_every_field_is_in_the_document() -> None:
    named = set(re.findall(r"\w+", " ".join(re.findall(r"`([^`\n]+)`", DOC))))
    assert (set(_fields(DEFS["findings"])) | set(_fields(DEFS["failure"]))) - named == set()
