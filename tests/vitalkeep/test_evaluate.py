"""`vitalkeep evaluate`: figures a machine can read, a record that fails stops no other, and the promised F1."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from sensors.errors import FileFormatError
from sensors.files.annotation import write_annotations
from tests.data import shared_data
from vitalkeep.cli.app import app
from vitalkeep.cli.evaluate import evaluate
from vitalkeep.cli.evaluations import TAKES, kind


def told(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["evaluate", *(str(a) for a in arguments)])


def rows(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def annotated(folder: Path, name: str, n: int = 600, missed: int = 0) -> Path:
    """One beat a second at 250 Hz; the last `missed` are not found."""
    beats = np.arange(1, n + 1) * 250
    write_annotations(folder, name, 250, beats, ["N"] * n, extension="atr")
    write_annotations(folder, name, 250, beats[: n - missed] + 5, ["N"] * (n - missed))
    return folder / name


def test_annotation_files_are_scored_without_any_signal(tmp_path: Path) -> None:
    result = told(annotated(tmp_path, "a", missed=3), "--beats", "vk", "--json", "--jobs", "1")
    assert result.exit_code == 0
    record, total = rows(result)
    assert (record["record"], record["tp"], record["fn"], record["fp"]) == ("a", 298, 3, 0)
    assert record["mean_error_ms"] == pytest.approx(20.0)
    assert record["reason"] is None
    assert total["gross"]["sensitivity"] == pytest.approx(298 / 301)


def test_gross_sums_the_beats_and_average_takes_the_mean(tmp_path: Path) -> None:
    annotated(tmp_path, "a", n=1301, missed=0)
    annotated(tmp_path, "b", n=399, missed=50)
    result = told(tmp_path, "--beats", "vk", "--json", "--jobs", "1")
    total = rows(result)[-1]
    assert total["records"] == 2
    assert total["gross"]["sensitivity"] == pytest.approx((1002 + 50) / 1102)
    assert total["average"]["sensitivity"] == pytest.approx((1 + 0.5) / 2)


def test_a_record_that_fails_is_told_and_the_others_go_on(tmp_path: Path) -> None:
    a, b = annotated(tmp_path, "a"), annotated(tmp_path, "b")
    b.with_suffix(".atr").write_bytes(b"\xff")
    result = told(b, a, tmp_path / "none", "--beats", "vk", "--json", "--jobs", "1")
    assert result.exit_code == 1
    first, second, third, total = rows(result)
    assert first["error"].startswith("b.atr: ")
    assert first["tp"] is None
    assert second["tp"] == 301
    assert third["error"].startswith("none.atr: cannot be read")
    assert total["failed"] == 2
    table = told(b, a, "--beats", "vk", "--jobs", "1")
    assert table.exit_code == 1
    assert "vitalkeep: b.atr: " in table.stderr
    assert "301" in table.stdout


def test_a_record_shorter_than_the_learning_period_has_null_and_a_reason(tmp_path: Path) -> None:
    result = told(annotated(tmp_path, "a", n=60), "--beats", "vk", "--json", "--jobs", "1")
    assert result.exit_code == 0
    record, total = rows(result)
    assert record["f1"] is None
    assert record["reason"] == "the record lasts 60 s, the learning period alone 300 s"
    assert total["gross"]["f1"] is None
    assert total["gross"]["reason"] == "no record has anything to score"
    assert "nothing to score" in told(tmp_path / "a", "--beats", "vk", "--jobs", "1").stdout


def test_tolerance_and_learning_period_are_what_is_asked_for(tmp_path: Path) -> None:
    record = annotated(tmp_path, "a")
    assert rows(told(record, "--beats", "vk", "--json", "--learning-s", "0", "--jobs", "1"))[0]["tp"] == 600
    assert rows(told(record, "--beats", "vk", "--json", "--tolerance-ms", "19", "--jobs", "1"))[0]["tp"] == 0
    assert rows(told(record, "--beats", "vk", "--json", "--tolerance-ms", "20", "--jobs", "1"))[0]["tp"] == 301


def test_beats_counted_at_another_rate_are_refused(tmp_path: Path) -> None:
    record = annotated(tmp_path, "a")
    write_annotations(tmp_path, "a", 360, [1], ["N"])
    (row, _) = rows(told(record, "--beats", "vk", "--json", "--jobs", "1"))
    assert row["error"] == "a.vk: counts samples at 360 Hz, the reference at 250 Hz"


def test_a_folder_without_references_is_one_clear_error(tmp_path: Path) -> None:
    result = told(tmp_path)
    assert isinstance(result.exception, FileFormatError)
    assert "no record in it has reference annotations (.atr)" in str(result.exception)


def test_a_record_may_be_named_by_any_of_its_files_and_counts_once(tmp_path: Path) -> None:
    annotated(tmp_path, "a")
    result = told(
        tmp_path / "a", tmp_path / "a.atr", tmp_path / "a.hea", tmp_path, "--beats", "vk", "--json", "--jobs", "1"
    )
    assert len(rows(result)) == 2


def test_the_detector_reads_mlii_where_there_is_one_else_the_first_ecg() -> None:
    pytest.importorskip("wfdb")
    result = told(shared_data("mitdb", "114.hea"), shared_data("mitdb", "102.hea"), "--json", "--jobs", "1")
    assert [row.get("channel") for row in rows(result)[:2]] == ["MLII", "V5"]
    missing = rows(told(shared_data("mitdb", "102.hea"), "--channel", "MLII", "--json", "--jobs", "1"))
    assert missing[0]["error"] == "102: no ECG channel 'MLII'; it has: V5, V2"


def test_gross_f1_on_the_real_records_is_at_least_99_5_percent() -> None:
    pytest.importorskip("wfdb")
    total = rows(told(shared_data("mitdb"), "--json", "--jobs", "1"))[-1]
    assert total["records"] == 26
    assert total["failed"] == 0
    assert total["gross"]["f1"] >= 0.995


def test_help_shows_examples() -> None:
    assert "vitalkeep evaluate mitdb/" in told("--help").stdout


def test_what_is_not_said_means_beats(tmp_path: Path) -> None:
    record = annotated(tmp_path, "a")
    asked = (record, "--beats", "vk", "--json", "--jobs", "1")
    assert told(*asked).stdout == told(*asked, "--what", "beats").stdout


def test_an_option_that_a_kind_does_not_read_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(TAKES, "beats", frozenset({"reference", "beats"}))
    monkeypatch.setitem(TAKES, "other", frozenset({"channel"}))
    result = told(annotated(tmp_path, "a"), "--beats", "vk", "--channel", "II")
    assert result.exit_code == 2
    assert "--channel means nothing to --what beats" in result.stderr
    assert told(tmp_path / "a", "--beats", "vk", "--jobs", "1").exit_code == 0


@pytest.mark.parametrize("what", TAKES)
def test_every_kind_is_found_and_reads_options_that_there_are(what: str) -> None:
    assert callable(kind(what))
    assert TAKES[what] <= {option.name for option in evaluate.params}


def test_heart_rate_is_scored_per_record_and_in_all_and_one_that_fails_stops_no_other(tmp_path: Path) -> None:
    asked = ("--what", "heart-rate", "--json", "--jobs", "1")
    (tmp_path / "broken.csv").write_text("t_s,ecg_mv,ppg\n0,0,1\n0.02,x,2\n")
    good = shared_data("ieee_spc_2015", "DATA_09_TYPE02.mat")
    result = told(good, tmp_path / "broken.csv", *asked)
    assert result.exit_code == 1
    record, broken, total = rows(result)
    assert record["record"] == "DATA_09_TYPE02"
    assert record["windows"] == 149
    assert record["coverage"] >= 0.9
    assert record["mae_bpm"] <= 1.0
    assert "broken.csv" in broken["error"]
    assert (total["records"], total["failed"]) == (2, 1)
    assert total["gross"]["mae_bpm"] == total["average"]["mae_bpm"] == record["mae_bpm"]
    table = told(good, "--what", "heart-rate", "--jobs", "1")
    assert table.exit_code == 0
    assert "gross" in table.stdout


def test_a_folder_without_a_heart_rate_to_score_says_so(tmp_path: Path) -> None:
    result = told(tmp_path, "--what", "heart-rate")
    assert isinstance(result.exception, FileFormatError)
    assert "no record in it has a PPG" in str(result.exception)


def test_labels_are_scored_by_class_and_false_v_as_ec57_counts_them(tmp_path: Path) -> None:
    at = np.arange(1, 11) * 250
    write_annotations(tmp_path, "a", 250, at, list("NLRAVE/FNN"), extension="atr")
    write_annotations(tmp_path, "a", 250, at, list("NVNSVNVVNN"))
    asked = (tmp_path / "a", "--beats", "vk", "--learning-s", "0", "--jobs", "1")
    record, total = rows(told(*asked, "--json"))
    veb, sveb = record["veb"], record["sveb"]
    assert (veb["tp"], veb["fn"], veb["fp"]) == (1, 1, 1)  # paced and fusion beats called V are no false V
    assert veb["false_positive_rate"] == pytest.approx(1 / 6)
    assert (sveb["sensitivity"], sveb["positive_predictivity"], sveb["reason"]) == (1.0, 1.0, None)
    assert record["table"]["F"]["v"] == record["table"]["Q"]["v"] == 1
    assert total["gross"]["veb"]["sensitivity"] == total["average"]["veb"]["sensitivity"] == 0.5
    assert total["gross"]["veb"]["sensitivity_95"] is None
    table = told(*asked).stdout
    assert "Ventricular (V)" in table
    assert "rows the reference" in table


def test_a_record_without_v_beats_has_no_v_sensitivity_and_says_why(tmp_path: Path) -> None:
    record, total = rows(told(annotated(tmp_path, "a"), "--beats", "vk", "--json", "--jobs", "1"))
    assert record["veb"]["sensitivity"] is None
    assert record["veb"]["reason"] == "the reference has no V beat that counts"
    assert total["average"]["veb"]["sensitivity"] is None


def test_a_record_with_nothing_to_score_has_no_classes_either(tmp_path: Path) -> None:
    record, total = rows(told(annotated(tmp_path, "a", n=60), "--beats", "vk", "--json", "--jobs", "1"))
    assert record["veb"]["tp"] is None
    assert record["veb"]["reason"] == record["reason"]
    assert total["gross"]["veb"]["reason"] == "no record has anything to score"
