"""Every model can be made again by one command, and every script of training keeps one contract."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from models.registry import MODELS

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("row", MODELS, ids=lambda row: row.name)
def test_a_training_script_takes_data_scratch_and_out(row: object) -> None:
    name = row.name  # type: ignore[attr-defined]
    places = (ROOT / "models" / "training" / f"{name}.py", ROOT / "benchmarks" / f"train_{name}.py")
    script = next((path for path in places if path.exists()), None)
    assert script is not None, f"{name}: nothing makes it again"
    told = set(re.findall(r'"--([a-z]+)"', script.read_text(encoding="utf-8")))
    # the baseline learns from made days, and needs no recordings
    assert {"data", "scratch", "out"} <= told or name == "baseline"


@pytest.mark.parametrize("arguments", [[], ["MODEL=screen"], ["DATA=x"]])
def test_make_train_says_what_it_needs(tmp_path: Path, arguments: list[str]) -> None:
    stamp = tmp_path / "venv-train" / ".installed"
    stamp.parent.mkdir()
    (stamp.parent / "bin").mkdir()
    (stamp.parent / "bin" / "python").touch()
    stamp.touch()
    done = subprocess.run(
        ["make", "-o", str(stamp), "train", f"VENV={tmp_path / 'venv'}", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "make train MODEL=NAME DATA=FOLDER" in done.stderr
