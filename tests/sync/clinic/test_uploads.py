"""Whatever the clinic's process goes through, each message of each device is there once."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.uploads import upload


def _require_all_there(folder: Path, devices: int, kills: int) -> float:
    found = upload(folder, devices, kills)
    assert (found.enrolled, found.answers) == (devices, 4 * devices)
    assert found.kills == kills
    return found.seconds


def test_a_clinic_killed_again_and_again_loses_none_and_doubles_none(tmp_path: Path) -> None:
    _require_all_there(tmp_path, devices=30, kills=3)


@pytest.mark.slow
def test_a_clinic_killed_50_times_loses_none_and_doubles_none(tmp_path: Path) -> None:
    _require_all_there(tmp_path, devices=200, kills=50)


@pytest.mark.slow
def test_the_first_cards_of_1000_devices_arrive_within_a_minute(tmp_path: Path) -> None:
    """With the clinic killed in the middle."""
    assert _require_all_there(tmp_path, devices=1000, kills=1) < 60.0
