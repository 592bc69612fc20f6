from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from device_pipeline.clock import ManualClock
from tests.sync.private.room import Room, at


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Room:
    monkeypatch.setenv("TZ", "UTC")
    return Room(tmp_path, ManualClock(now_ns=at(date(2024, 7, 1))))
