"""`vitalkeep model bench`: every file is timed beside the shipped one, and the device runs what it was told to keep."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from models.card import ModelCard
from models.screen import CARD
from tests.vitalkeep.command import vitalkeep, vitalkeep_here
from vitalkeep.model_bench import Timed, best

SCREEN = ModelCard.read(CARD)
SHIPPED = Timed("screen", "a.tflite", "a" * 64, "int8", 1000, 1, 20, 100.0, 200.0, 50, 0.0, True)
OTHER = replace(SHIPPED, weights="b.tflite", sha256="b" * 64, precision="float32", p50_us=50.0, apart=0.01)


def test_the_fastest_that_says_the_same_is_best() -> None:
    assert best([SHIPPED, OTHER]) is OTHER
    assert best([SHIPPED, replace(OTHER, same=False)]) is SHIPPED
    assert best([SHIPPED, replace(OTHER, p50_us=95.0)]) is SHIPPED
    third = replace(OTHER, sha256="c" * 64, p50_us=40.0)
    assert best([SHIPPED, OTHER, third]) is third


def test_more_threads_do_not_make_a_file_the_best() -> None:
    many = replace(OTHER, threads=4, p50_us=1.0)
    assert best([SHIPPED, replace(SHIPPED, threads=4, p50_us=1.0), replace(OTHER, p50_us=120.0), many]) is SHIPPED


def test_every_file_is_timed_with_every_number_of_threads(tmp_path: Path) -> None:
    done = vitalkeep_here(tmp_path, "model", "bench", "screen", "--threads", "2", "--seconds", "0.01", "--json")
    assert done.code == 0
    rows = done.rows()
    files = [SCREEN.weights, *(variant.weights for variant in SCREEN.variants)]
    assert [(row["weights"], row["threads"]) for row in rows] == [(file, n) for file in files for n in (1, 2)]
    for row in rows:
        assert row["calls"] >= 20
        assert 0 < row["p50_us"] <= row["p99_us"]
        assert row["same"]
    assert [row["apart"] == 0 for row in rows] == [True, True, False, False]
    assert sum(row["best"] for row in rows) == 1
    assert [row["kept"] for row in rows] == [True, False, False, False]
    assert not (tmp_path / "state").exists()


def test_models_of_numpy_alone_are_timed_too(tmp_path: Path) -> None:
    done = vitalkeep_here(tmp_path, "model", "bench", "qrs", "--seconds", "0.01", "--json")
    assert [(row["weights"], row["threads"], row["best"]) for row in done.rows()] == [("qrs.npz", 1, True)]


def test_what_is_kept_runs_in_the_next_process_and_can_be_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vitalkeep.model_bench.best", lambda rows: rows[-1])
    options = ("--threads", "1", "--seconds", "0.01")
    kept = vitalkeep_here(tmp_path, "model", "bench", "screen", *options, "--json", "--keep").rows()
    assert [row["kept"] for row in kept] == [False, True]
    after = vitalkeep(tmp_path, "model", "bench", "screen", *options, "--json").rows()
    assert [row["kept"] for row in after] == [False, True]
    monkeypatch.setattr("vitalkeep.model_bench.best", lambda rows: rows[0])
    back = vitalkeep_here(tmp_path, "model", "bench", "screen", *options, "--json", "--keep").rows()
    assert [row["kept"] for row in back] == [True, False]
    assert json.loads((tmp_path / "state" / "vitalkeep" / "variants.json").read_text())["variants"] == {}


@pytest.mark.parametrize("content", ["", "{", "[]", "7", '{"schema": "other/1", "variants": {}}', "[" * 60_000])
def test_a_damaged_choice_means_the_file_that_ships(content: str, tmp_path: Path) -> None:
    path = tmp_path / "state" / "vitalkeep" / "variants.json"
    path.parent.mkdir(parents=True)
    path.write_text(content)
    rows = vitalkeep_here(tmp_path, "model", "bench", "screen", "--threads", "1", "--seconds", "0.01", "--json").rows()
    assert [row["kept"] for row in rows] == [True, False]


def test_the_table_names_files_and_times(tmp_path: Path) -> None:
    done = vitalkeep_here(tmp_path, "model", "bench", "screen", "--threads", "1", "--seconds", "0.01")
    assert done.code == 0
    assert "screen.float32.tflite" in done.out
    assert "p99 µs" in done.out
    assert "runs" in done.out


@pytest.mark.parametrize("wrong", [("other",), ("screen", "--threads", "0"), ("screen", "--seconds", "0")])
def test_wrong_usage_is_told(wrong: tuple[str, ...], tmp_path: Path) -> None:
    assert vitalkeep_here(tmp_path, "model", "bench", *wrong).code == 2
