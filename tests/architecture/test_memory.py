"""The analysis of a day fits into 300 MB."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from benchmarks.child import run_measured
from fixtures import long

LIMIT_MB = 300


@pytest.mark.slow
def test_the_analysis_of_a_day_fits_into_300_mb(tmp_path: Path) -> None:
    header = long.write_record(tmp_path, hours=24.0, fs_hz=250)
    measured = run_measured([sys.executable, "-m", "vitalkeep", "analyze", "--json", header])
    truth = json.loads((tmp_path / "day.beats.json").read_text())
    found = json.loads(measured.stdout)
    assert abs(found["beats"]["n"] - len(truth["samples"])) < 0.01 * len(truth["samples"])
    assert measured.max_rss_mb < LIMIT_MB
