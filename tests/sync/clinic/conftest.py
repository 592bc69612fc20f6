from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rigs.clinic import ClinicRig
from tests.rigs.postgres import database_url


@pytest.fixture(params=["sqlite", "postgresql"])
def clinic_database(request: pytest.FixtureRequest) -> Iterator[str | None]:
    """What a ClinicRig takes: every test that has a clinic runs on both."""
    with database_url(request.param) as url:
        yield url


@pytest.fixture
def clinic(tmp_path: Path, clinic_database: str | None) -> Iterator[ClinicRig]:
    with ClinicRig(tmp_path / "clinic", clinic_database) as clinic:
        yield clinic


@pytest.fixture
def sqlite_clinic(tmp_path: Path) -> Iterator[ClinicRig]:
    """For what is about its file."""
    with ClinicRig(tmp_path / "clinic") as clinic:
        yield clinic
