from __future__ import annotations

import functools
from collections.abc import Iterator

import pytest

from tests.rigs.postgres import shared_server


@pytest.fixture(params=["to sqlite", "to postgresql"])
def other_database(request: pytest.FixtureRequest) -> Iterator[str | None]:
    """Where a backup is put back: None for a file in a folder, the address of a PostgreSQL without a row."""
    if request.param == "to sqlite":
        yield None
        return
    try:
        yield _other()
    finally:
        shared_server().empty(_other())


@functools.cache
def _other() -> str:
    return shared_server().new_database()
