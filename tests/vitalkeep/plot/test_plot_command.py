"""`analyze --plot` from the outside: what it writes, where, and what it says where it cannot."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.architecture.process import NETWORKED, modules_after_command
from tests.vitalkeep.command import RECORDINGS, ROOT, home, vitalkeep, vitalkeep_here

RR = RECORDINGS / "rr_strap.jsonl.gz"
PPG = RECORDINGS / "wrist_ppg.csv"


def test_one_record_goes_into_the_file_that_is_named(tmp_path: Path) -> None:
    done = vitalkeep_here(tmp_path, "analyze", "--json", "--plot", tmp_path / "new" / "rr.html", RR)
    assert (done.code, done.err) == (0, "")
    assert done.rows()[0]["record"] == "rr_strap"
    assert (tmp_path / "new" / "rr.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["rr.html"]


def test_several_records_go_each_into_a_file_of_its_name(tmp_path: Path) -> None:
    out = tmp_path / "plots" / "{record}.HTML"
    done = vitalkeep_here(tmp_path, "analyze", "--jobs", "1", "--plot", out, RR, PPG)
    assert (done.code, done.err) == (0, "")
    assert sorted(path.name for path in (tmp_path / "plots").iterdir()) == ["rr_strap.HTML", "wrist_ppg.HTML"]


def test_nothing_is_drawn_into_a_file_that_could_not_be_meant(tmp_path: Path) -> None:
    for out, said in (
        ("page.pdf", "a .pdf file, .png or .html expected"),
        ("page", "no suffix, .png or .html expected"),
        ("page.html", "one file for 2 records, {record} expected in its name"),
    ):
        done = vitalkeep_here(tmp_path, "analyze", "--plot", tmp_path / out, RR, PPG)
        assert done.code == 2
        assert said in " ".join(done.err.split())
    (tmp_path / "a").mkdir()
    done = vitalkeep_here(tmp_path, "analyze", "--plot", "{record}.png", tmp_path / "x.csv", tmp_path / "a" / "x.csv")
    assert done.code == 2
    assert "would both write their picture to x.png" in done.err


def test_what_was_found_is_told_even_where_the_picture_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = vitalkeep_here(tmp_path, "analyze", "--json", "--plot", tmp_path / "file" / "rr.html", RR)
    assert done.code == 1
    assert "file" in done.problem()
    assert done.rows()[0]["beats"]["n"] > 400


def test_the_picture_that_stood_there_stays_where_a_new_one_fails(tmp_path: Path) -> None:
    (tmp_path / "rr.html").mkdir()
    done = vitalkeep_here(tmp_path, "analyze", "--plot", tmp_path / "rr.html", RR)
    assert done.code == 1
    assert "rr.html" in done.problem()
    assert [path.name for path in tmp_path.iterdir()] == ["rr.html"]


def test_without_the_library_one_line_names_the_extra_before_anything_is_read(tmp_path: Path) -> None:
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "sitecustomize.py").write_text("import sys\nsys.modules['matplotlib'] = None\n")
    done = subprocess.run(
        [sys.executable, "-m", "vitalkeep", "analyze", "--plot", "rr.html", str(RR)],
        cwd=tmp_path,
        env=home(tmp_path) | {"PYTHONPATH": f"{hidden}:{ROOT}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "vitalkeep: a picture needs the extra [plot]: pip install 'vitalkeep[plot]'\n"


def test_a_picture_loads_no_network_and_nothing_else_loads_the_library(tmp_path: Path) -> None:
    drawn = modules_after_command(["analyze", "--plot", str(tmp_path / "rr.png"), str(RR)], tmp_path)
    assert "matplotlib" in drawn
    assert not drawn & NETWORKED
    assert "matplotlib.pyplot" not in drawn
    written = {path.relative_to(tmp_path).parts[0] for path in tmp_path.rglob("*") if path.is_file()}
    assert written == {"modules.json", "rr.png", ".cache"}
    assert "matplotlib" not in modules_after_command(["analyze", "--json", str(RR)], tmp_path)


def test_the_wearers_own_settings_and_a_cache_that_cannot_be_written_change_nothing(tmp_path: Path) -> None:
    (tmp_path / "matplotlibrc").write_text("savefig.dpi: 20\nfont.size: 40\ntext.usetex: True\nno such: thing\n")
    own = {"XDG_CACHE_HOME": "/dev/null/no", "MPLBACKEND": "nonsense"}
    done = vitalkeep(tmp_path, "analyze", "--plot", tmp_path / "own.html", RR, extra=own)
    assert (done.code, done.err) == (0, "")
    assert vitalkeep_here(tmp_path, "analyze", "--plot", tmp_path / "plain.html", RR).code == 0
    assert (tmp_path / "own.html").read_bytes() == (tmp_path / "plain.html").read_bytes()
