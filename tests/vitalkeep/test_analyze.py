"""`vitalkeep analyze` from the outside: every window of the grid, beats as annotations, one object per record."""

from __future__ import annotations

import json
import signal
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from sensors.files.annotation import write_annotations
from tests.data import shared_data
from tests.vitalkeep.command import RECORDINGS, end, start, strict_json, vitalkeep
from vitalkeep.cli.app import app

REST = RECORDINGS / "chest_strap_rest.jsonl.gz"
STRAP = RECORDINGS / "chest_strap.jsonl.gz"
FS = 130
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it does what newer releases of its own libraries deprecate
    wfdb: Any = pytest.importorskip("wfdb")

HEARD_S = ((45, 105), (150, 210))
RNG = np.random.default_rng(2)


def read_back(folder: Path, record: str) -> Any:
    """As others read it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return wfdb.rdann(str(folder / record), "vk")


def invoke(*arguments: object) -> Result:
    result = CliRunner().invoke(app, ["analyze", *map(str, arguments)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def found(*arguments: object) -> dict[str, Any]:
    result = invoke("--json", *arguments)
    assert result.stderr == ""
    return strict_json(result.stdout)


def heart(length_s: int, bpm: float = 75.0) -> list[str]:
    """A plain ECG with narrow beats on a little noise, as cells of a CSV."""
    t_s = np.arange(length_s * FS) / FS
    phase_s = t_s % (60 / bpm) - 0.4
    wave = np.exp(-((phase_s / 0.012) ** 2)) + 0.15 * np.exp(-(((phase_s - 0.25) / 0.04) ** 2))
    return [f"{value:.4f}" for value in wave + RNG.normal(0, 0.005, len(t_s))]


def csv(path: Path, cells: list[str]) -> Path:
    path.write_text("ecg_mv\n" + "\n".join(cells) + "\n")
    return path


def require_grid(row: dict[str, Any], step_s: int, length_s: int) -> None:
    windows = row["heart_rate"]
    assert [window["start_s"] for window in windows] == [step_s * k for k in range(len(windows))]
    if step_s == length_s:
        assert all(window["length_s"] == length_s for window in windows[:-1])
        last = windows[-1]
        assert last["start_s"] + last["length_s"] == pytest.approx(row["duration_s"], abs=0.002)
    else:
        assert all(window["length_s"] == length_s for window in windows)
        assert row["duration_s"] - step_s < windows[-1]["start_s"] + length_s <= row["duration_s"]
    assert all((window["bpm"] is None) == (window["reason"] is not None) for window in windows)


# -- every window


def test_the_grid_of_an_ecg_goes_through_gaps_and_poor_stretches() -> None:
    row = found(STRAP)
    require_grid(row, 10, 10)
    reasons = {window["reason"] for window in row["heart_rate"]}
    assert {None, "off_body", "link_lost"} < reasons
    assert len(row["heart_rate"]) == 85


def test_the_grid_of_a_ppg_is_8_s_every_2_s() -> None:
    row = found(RECORDINGS / "wrist_ppg.csv")
    assert row["source"] == "ppg"
    require_grid(row, 2, 8)
    assert len([window for window in row["heart_rate"] if window["bpm"] is not None]) > 20


def test_the_grid_of_intervals_goes_to_the_end() -> None:
    row = found(RECORDINGS / "rr_strap.jsonl.gz")
    assert row["source"] == "rr"
    require_grid(row, 10, 10)


def test_missing_samples_at_either_end_and_between_are_windows_too(tmp_path: Path) -> None:
    nothing = [""] * (45 * FS)
    cells = [*nothing, *heart(60), *nothing, *heart(60), *nothing]
    (tmp_path / "holes.csv").write_text("ecg_mv,resp\n" + "".join(f"{cell},0\n" for cell in cells))
    row = found("--fs", FS, tmp_path / "holes.csv")
    require_grid(row, 10, 10)
    assert row["duration_s"] == pytest.approx(255)
    assert [(gap["start_s"], gap["end_s"], gap["reason"]) for gap in row["gaps"]] == [
        (pytest.approx(0), pytest.approx(45), "missing"),
        (pytest.approx(105), pytest.approx(150), "missing"),
        (pytest.approx(210), pytest.approx(255), "missing"),
    ]
    for window in row["heart_rate"]:
        inside = [max(0, min(window["start_s"] + 10, high) - max(window["start_s"], low)) for low, high in HEARD_S]
        if sum(inside) in (0, 10):  # on the edge half of the window may do
            assert (window["bpm"] is not None) == (sum(inside) == 10), window["start_s"]
    assert row["quality"]["gap_s"] == pytest.approx(135, abs=0.1)
    assert {alert["rule"] for alert in row["alerts"]} == {"no_data"}
    assert all(abs(window["bpm"] - 75) < 1 for window in row["heart_rate"] if window["bpm"] is not None)


def test_annotated_beats_that_begin_late_have_their_windows_from_the_start(tmp_path: Path) -> None:
    samples = np.arange(25 * 250, 120 * 250, 200)
    write_annotations(tmp_path, "late", 250, samples, ["N"] * len(samples), extension="atr")
    row = found("--fs", "250", tmp_path / "late.atr")
    require_grid(row, 10, 10)
    assert [window["bpm"] for window in row["heart_rate"][:2]] == [None, None]
    assert row["heart_rate"][5]["bpm"] == pytest.approx(75)


# -- annotations


def test_beats_are_written_as_a_standard_annotation_file(tmp_path: Path) -> None:
    path = csv(tmp_path / "strap.csv", heart(60))
    row = found("--fs", FS, "--annotations", tmp_path / "new" / "beats", path)
    read = read_back(tmp_path / "new" / "beats", "strap")
    assert read.fs == FS
    assert set(read.symbol[1:-1]) == {"N"}  # the outermost may lack room for their whole wave
    assert len(read.sample) == row["beats"]["n"] == 75
    tops = 0.4 * FS + np.arange(75) * 0.8 * FS
    assert np.abs(read.sample - tops).max() <= 2
    assert [file.name for file in (tmp_path / "new" / "beats").iterdir()] == ["strap.vk"]


def test_a_record_without_beats_gets_an_empty_file_that_can_be_read(tmp_path: Path) -> None:
    path = csv(tmp_path / "flat.csv", ["0"] * (30 * FS))
    assert found("--fs", FS, "--annotations", tmp_path, path)["beats"]["n"] == 0
    read = read_back(tmp_path, "flat")
    assert len(read.sample) == 0
    assert read.fs == FS


def test_beats_of_a_recording_lie_on_its_samples(tmp_path: Path) -> None:
    row = found("--annotations", tmp_path, REST)
    read = read_back(tmp_path, "chest_strap_rest")
    truth = json.loads((RECORDINGS / "chest_strap_rest.truth.json").read_text())
    assert len(read.sample) == row["beats"]["n"]
    true_s = np.array([(beat["t_ns"] - truth["start_ns"]) / 1e9 for beat in truth["beats"] if beat["readable"]])
    found_s = read.sample / read.fs
    assert all(np.abs(found_s - t_s).min() < 0.05 for t_s in true_s)


def test_a_record_that_fails_leaves_no_annotations(tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text("ecg_mv\nword\n")
    assert invoke("--fs", FS, "--annotations", tmp_path / "beats", tmp_path / "bad.csv").exit_code == 1
    assert not (tmp_path / "beats").exists()


def test_two_records_of_one_name_do_not_overwrite_each_other(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    one, other = csv(tmp_path / "x.csv", ["0"] * 300), csv(tmp_path / "a" / "x.csv", ["0"] * 300)
    result = invoke("--fs", FS, "--annotations", tmp_path / "beats", one, other)
    assert result.exit_code == 2
    assert "would both write their beats to x.vk" in result.stderr
    assert not (tmp_path / "beats").exists()


# -- many records


def test_several_at_a_time_are_told_in_order_and_as_one_at_a_time(tmp_path: Path) -> None:
    names = ["chest_strap_rest.jsonl.gz", "wrist_ppg.csv", "rr_strap.jsonl.gz"]
    paths = [RECORDINGS / name for name in names]
    together = vitalkeep(tmp_path, "analyze", "--json", "--jobs", "3", *paths)
    assert (together.code, together.err) == (0, "")
    assert together.out == invoke("--json", "--jobs", "1", *paths).stdout
    assert [row["record"] for row in together.rows()] == ["chest_strap_rest", "wrist_ppg", "rr_strap"]


def test_a_page_is_for_people_and_an_error_for_standard_error(tmp_path: Path) -> None:
    result = invoke("--jobs", "1", tmp_path / "nothing.csv", REST)
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "vitalkeep: nothing.csv: no such file, and no header nothing.csv.hea beside it"
    ]
    assert "chest_strap_rest" in result.stdout
    assert "mean heart rate" in result.stdout
    assert "\x1b" not in result.stdout


def test_ctrl_c_ends_all_of_it_without_a_word_too_many(tmp_path: Path) -> None:
    process = start(tmp_path, "analyze", "--json", "--jobs", "2", REST, *[STRAP] * 40)
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(0.2)
    done = end(process, signal.SIGINT)
    assert done.code == 130
    assert done.err.strip() == "vitalkeep: interrupted"


def test_what_is_found_in_noise_is_marked_and_not_counted(tmp_path: Path) -> None:
    row = found("--annotations", tmp_path, STRAP)
    truth = json.loads((RECORDINGS / "chest_strap.truth.json").read_text())
    readable = len([beat for beat in truth["beats"] if beat["readable"]])
    assert row["beats"]["n"] == pytest.approx(readable, abs=10)
    assert len(read_back(tmp_path, "chest_strap").sample) > row["beats"]["n"] + 20


# -- what kind each beat is


def test_kinds_of_beats_are_counted_and_stand_in_the_annotations(tmp_path: Path) -> None:
    row = found(REST, "--annotations", tmp_path)
    labels = row["labels"]
    assert labels["reason"] is None
    assert labels["model"] == "beat"
    assert labels["counts"]["N"] > 60
    symbols = read_back(tmp_path, row["record"]).symbol
    assert len(symbols) == sum(labels["counts"].values()) + labels["untold"]
    assert symbols.count("Q") == labels["counts"]["Q"] + labels["untold"]
    assert all(symbols.count(kind) == labels["counts"][kind] for kind in "NSVF")


def test_intervals_have_no_kind_and_say_so(tmp_path: Path) -> None:
    path = tmp_path / "me.txt"
    path.write_text("\n".join(["800"] * 100))
    row = found(path, "--annotations", tmp_path)
    assert row["labels"] == {"counts": None, "untold": None, "model": None, "version": None, "reason": "no_ecg"}
    assert set(read_back(tmp_path, "me").symbol) == {"N"}


def test_labels_of_an_annotation_file_are_those_of_the_file(tmp_path: Path) -> None:
    write_annotations(tmp_path, "made", 250, np.arange(1, 101) * 200, list("NNNNV" * 20), extension="atr")
    row = found(tmp_path / "made.atr")
    assert row["labels"]["counts"] == {"N": 80, "S": 0, "V": 20, "F": 0, "Q": 0}
    assert row["labels"]["model"] is None


def test_without_its_model_everything_else_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = found(REST)
    monkeypatch.setattr("models.beat.CARD", tmp_path / "beat.json")
    row = found(REST, "--jobs", "1", "--annotations", tmp_path)
    assert row["labels"]["reason"] == "no_model"
    assert row["notes"] == ["what kind the beats are is not told: the model for it cannot be used"]
    assert {k: v for k, v in row.items() if k not in ("labels", "notes")} == {
        k: v for k, v in expected.items() if k not in ("labels", "notes")
    }
    assert set(read_back(tmp_path, row["record"]).symbol) == {"Q"}


def irregular(folder: Path, n: int = 400) -> Path:
    """RR intervals as in fibrillation, as text."""
    rr_s = np.random.default_rng(1).gamma(20.0, 0.7 / 20.0, n).clip(0.3, 1.8)
    (folder / "rr.txt").write_text("".join(f"{1e3 * rr:.0f}\n" for rr in rr_s))
    return folder / "rr.txt"


def test_a_rhythm_says_how_sure_which_model_was_and_its_alert_on_what_it_rests(tmp_path: Path) -> None:
    row = found(irregular(tmp_path))
    (span,) = row["rhythm"]
    assert span["kind"] == "AFIB"
    assert span["probability"] > 0.86
    assert span["model"] == "rhythm 1.0.0"
    assert row["rhythm_reason"] is None
    (alert,) = [alert for alert in row["alerts"] if alert["rule"] == "irregular_rhythm"]
    assert (alert["grounds"]["model"], alert["grounds"]["version"]) == ("rhythm", "1.0.0")
    assert alert["grounds"]["score"] > 0.86
    assert len(alert["grounds"]["beats_s"]) == 32


def test_without_the_model_of_the_rhythm_everything_else_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = found(irregular(tmp_path))
    monkeypatch.setattr("models.rhythm.CARD", tmp_path / "rhythm.json")
    row = found(irregular(tmp_path), "--jobs", "1")
    assert (row["rhythm"], row["rhythm_reason"]) == ([], "no_model")
    assert row["notes"] == ["the rhythm is not told: the model for it cannot be used"]
    assert {alert["rule"] for alert in row["alerts"]} == {a["rule"] for a in expected["alerts"]} - {"irregular_rhythm"}
    assert all(row[name] == expected[name] for name in ("beats", "quality", "heart_rate", "hrv", "gaps"))


@pytest.mark.parametrize("extension", ["qrs", "atr"])
def test_the_rhythm_of_annotated_beats_alone_is_told(tmp_path: Path, extension: str) -> None:
    rr_s = np.random.default_rng(1).gamma(20.0, 0.7 / 20.0, 400).clip(0.3, 1.8)
    samples = np.round(np.cumsum(rr_s) * 250).astype(np.int64)
    write_annotations(tmp_path, "made", None, samples, ["N"] * len(samples), extension=extension)
    row = found(tmp_path / f"made.{extension}", "--fs", "250")
    assert [span["kind"] for span in row["rhythm"]] == ["AFIB"]


def test_a_record_too_short_for_a_rhythm_says_so(tmp_path: Path) -> None:
    row = found(irregular(tmp_path, 20))
    assert (row["rhythm"], row["rhythm_reason"]) == ([], "too_few_beats")


def test_runs_of_ventricular_beats_are_told_with_their_grounds_and_a_heart_without_any_tells_none() -> None:
    row = found(shared_data("mitdb", "205.hea"))
    runs = [alert for alert in row["alerts"] if alert["rule"] == "ventricular_run"]
    assert runs
    for run in runs:
        grounds = run["grounds"]
        assert 3 <= len(grounds["beats_s"]) <= 32
        assert run["start_s"] == grounds["beats_s"][0] == grounds["start_s"]
        assert grounds["strip_start_s"] < grounds["beats_s"][0] < grounds["strip_end_s"]
        assert grounds["model"] == row["labels"]["model"]
    quiet = found(shared_data("mitdb", "122.hea"))
    assert {alert["rule"] for alert in quiet["alerts"]} & {"ventricular_run", "frequent_ventricular"} == set()
