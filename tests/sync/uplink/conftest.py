from __future__ import annotations

from pathlib import Path

import pytest

from tests.rigs.clinic import ClinicRig


@pytest.fixture
def clinic(tmp_path: Path) -> ClinicRig:
    return ClinicRig(tmp_path / "clinic")
