"""`vitalkeep baseline` says of the newest day whether it is unlike the wearer's own, also while a run is writing."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from device_pipeline.baseline.wearer_day import date_of
from device_pipeline.clock import ManualClock, SystemClock
from device_pipeline.store import days as day_store
from device_pipeline.store.store import open_store
from tests.architecture.process import modules_after_command
from tests.device_pipeline.wearer_nights import keep_night
from tests.vitalkeep.command import vitalkeep_here


def ago(days: int) -> date:
    return date_of(SystemClock().now_ns()) - timedelta(days=days)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five like nights and an unlike one."""
    folder = tmp_path_factory.mktemp("nights") / "store"
    for k in range(5):
        keep_night(folder, ago(6 - k), hr_bpm=58 + k % 3)
    keep_night(folder, ago(1), hr_bpm=71, rmssd_ms=20.0, method="made/2")
    return folder


def baseline(folder: Path, *arguments: object) -> tuple[int, str, str]:
    done = vitalkeep_here(folder.parent, "baseline", "--store", folder, *arguments)
    return done.code, done.out, done.err


def test_a_day_is_told_in_words_with_its_usual_range_and_what_changed(folder: Path) -> None:
    code, out, err = baseline(folder, "--day", ago(1))
    assert code == 0
    assert out.startswith(f"{ago(1)}: unusual: resting heart rate above your usual range\n")
    assert "made in another way than before (ecg made/1, median/1), so it has a new baseline" in out
    assert "Not a medical device" in err


def test_the_last_two_weeks_stand_beside_each_number_blank_where_they_are_absent_or_made_otherwise(
    folder: Path,
) -> None:
    _, out, _ = baseline(folder, "--day", ago(1))
    lines = {line.split("  ")[0]: line for line in out.splitlines()}
    shown = [letter for letter in lines["resting heart rate"] if letter in "▁▂▃▄▅▆▇█_.-~=+*#"]
    assert len(shown) == 6
    assert lines["resting heart rate"].rstrip().endswith(("█", "#"))
    assert len([letter for letter in lines["RMSSD"] if letter in "▁▂▃▄▅▆▇█_~=+*#"]) == 1


def test_json_is_one_object_with_every_documented_field(folder: Path) -> None:
    done = vitalkeep_here(folder.parent, "baseline", "--store", folder, "--json", "--day", ago(1))
    (row,) = done.rows()
    documented = vitalkeep_here(folder.parent, "baseline", "--help").out
    assert all(name in documented for name in (*row, *row["numbers"][0]))
    assert (row["said"], row["day"], row["whole"]) == ("unusual", ago(1).isoformat(), True)
    top = row["numbers"][0]
    assert (top["name"], top["side"], top["days"]) == ("resting_hr_bpm", "above", 5)


def test_while_there_are_too_few_nights_their_count_is_told(folder: Path) -> None:
    code, out, _ = baseline(folder, "--day", ago(4))
    assert (code, out.splitlines()[0]) == (0, f"{ago(4)}: learning: 2 of 4 nights")
    code, out, _ = baseline(folder, "--day", ago(30))
    assert (code, out.splitlines()[0]) == (0, f"{ago(30)}: nothing can be said: nothing was recorded")


def test_what_was_said_is_kept_and_shown_by_status(folder: Path) -> None:
    assert baseline(folder)[0] == 0
    with open_store(folder, SystemClock()).reader() as db:
        kept = day_store.latest_verdict(db)
        assert kept is not None
        assert len(day_store.stored_numbers(db)) >= 6
    (row,) = vitalkeep_here(folder.parent, "status", "--store", folder, "--json").rows()
    assert (row["baseline"]["day"], row["baseline"]["said"]) == (kept.day.isoformat(), kept.said.value)
    assert (row["baseline"]["nights"], row["baseline"]["of"]) == (4, 4)
    shown = vitalkeep_here(folder.parent, "status", "--store", folder).out
    assert "resting heart rate above your usual range" in shown


def test_it_works_while_another_process_writes_and_then_keeps_nothing(folder: Path) -> None:
    with open_store(folder, ManualClock(0, 0)).writer() as writer:
        before = writer.db.execute("SELECT count(*) FROM day_verdicts").fetchone()
        code, out, _ = baseline(folder, "--day", ago(2))
        assert code == 0
        assert "as usual" in out or "unusual" in out
        assert writer.db.execute("SELECT count(*) FROM day_verdicts").fetchone() == before


def test_without_a_store_or_a_day_in_it_there_is_nothing_to_tell_and_no_failure(tmp_path: Path) -> None:
    assert baseline(tmp_path / "none")[:2] == (
        0,
        f"There is no store in {tmp_path / 'none'} yet. `make demo` or `vitalkeep run` makes one.\n",
    )
    (row,) = vitalkeep_here(tmp_path, "baseline", "--store", tmp_path / "none", "--json").rows()
    assert (row["said"], row["reason"]) == ("nothing", "no_data")
    open_store(tmp_path / "empty", SystemClock()).writer().close()
    assert baseline(tmp_path / "empty")[:2] == (0, "The store holds nothing yet that belongs to a day.\n")


def test_a_wrong_date_is_a_wrong_command_line(folder: Path) -> None:
    code, _, err = baseline(folder, "--day", "yesterday")
    assert code == 2
    assert "yesterday" in err


def test_scikit_learn_is_loaded_by_this_command_alone(folder: Path, tmp_path: Path) -> None:
    status = modules_after_command(["status", "--store", str(folder)], tmp_path)
    assert "sklearn" not in status
    judged = modules_after_command(["baseline", "--store", str(folder), "--day", ago(1).isoformat()], tmp_path)
    assert "sklearn" in judged
