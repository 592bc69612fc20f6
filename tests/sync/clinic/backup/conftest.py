from __future__ import annotations

import pytest


@pytest.fixture
def other_database() -> str | None:
    """Where a backup is put back."""
    return None
