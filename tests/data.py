"""Where the real recordings are, for the tests that need them; they are no part of the project."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[1]


def shared_data(*parts: str) -> Path:
    """The path of a shared recording; skips the calling test where it is missing."""
    folder = Path(os.environ.get("VITALKEEP_DATA", _ROOT.parent / "shared" / "data"))
    path = folder.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"real recordings are not here ({'/'.join(parts)}); set VITALKEEP_DATA to their folder")
    return path
