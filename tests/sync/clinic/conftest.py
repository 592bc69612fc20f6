from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rigs.clinic import ClinicRig


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[ClinicRig]:
    with ClinicRig(tmp_path / "clinic") as clinic:
        yield clinic
