"""Whatever the clinic's process and its database go through, each message of each device is there once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from benchmarks.uploads import Uploaded, upload
from tests.rigs.postgres import PostgresServer


@pytest.fixture(params=["sqlite", "postgresql"])
def server(request: pytest.FixtureRequest) -> Iterator[PostgresServer | None]:
    """None: the clinic keeps a file."""
    if request.param == "sqlite":
        yield None
        return
    with closing(PostgresServer(durable=True)) as server:
        yield server


def _require_all_there(found: Uploaded) -> None:
    assert (found.enrolled, found.answers) == (found.devices, 4 * found.devices)
    assert found.remembered == found.messages == 5 * found.devices
    assert found.lost == 0


def test_a_clinic_killed_again_and_again_loses_none_and_doubles_none(
    tmp_path: Path, server: PostgresServer | None
) -> None:
    found = upload(tmp_path, devices=30, kills=3, server=server)
    _require_all_there(found)
    assert found.kills == 3


def test_a_database_taken_away_and_given_back_loses_none_and_doubles_none(tmp_path: Path) -> None:
    """Once stopped, once killed; devices are told to come again, and the clinic goes on by itself."""
    with closing(PostgresServer(durable=True)) as server:
        found = upload(tmp_path, devices=40, kills=0, server=server, restarts=2)
    _require_all_there(found)
    assert found.restarts == 2
    assert found.retries > 0


@pytest.mark.slow
def test_a_clinic_killed_50_times_loses_none_and_doubles_none(tmp_path: Path, server: PostgresServer | None) -> None:
    _require_all_there(upload(tmp_path, devices=200, kills=50, server=server))


@pytest.mark.slow
def test_a_database_taken_away_20_times_loses_none_and_doubles_none(tmp_path: Path) -> None:
    """With the clinic killed in between too."""
    with closing(PostgresServer(durable=True)) as server:
        found = upload(tmp_path, devices=200, kills=5, server=server, restarts=20)
    _require_all_there(found)
    assert found.retries > 0


@pytest.mark.slow
def test_the_first_cards_of_1000_devices_arrive_within_a_minute(tmp_path: Path, server: PostgresServer | None) -> None:
    """With the clinic killed in the middle."""
    found = upload(tmp_path, devices=1000, kills=1, server=server)
    _require_all_there(found)
    assert found.seconds < 60.0
