"""Which variant of each model this device runs best, kept in one small file of its state; lost, the first of each runs.

What stands in it is a hash: it chooses among the files on the card that came with the program, and can name no other.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from vitalkeep import paths

SCHEMA = "vitalkeep.variants/1"
_MOST_BYTES = 64 << 10


def variants_file() -> Path:
    return paths.state_folder() / "variants.json"


def kept_variants() -> dict[str, str]:
    """SHA-256 of the file to run by the name of the model; nothing where the file is not there or damaged."""
    try:
        with variants_file().open("rb") as file:
            told = json.loads(file.read(_MOST_BYTES))
        if told["schema"] != SCHEMA:
            return {}
        return {str(name): str(sha256) for name, sha256 in told["variants"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}


def kept_variant(name: str) -> str | None:
    return kept_variants().get(name)


def keep_variants(chosen: Mapping[str, str | None]) -> None:
    """Adds to what is kept; None: the first file of that model's card runs again. Raises OSError."""
    kept = kept_variants() | {name: sha256 for name, sha256 in chosen.items() if sha256 is not None}
    kept = {name: sha256 for name, sha256 in kept.items() if chosen.get(name, sha256) is not None}
    target = variants_file()
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, unfinished = tempfile.mkstemp(prefix=".variants.", dir=target.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump({"schema": SCHEMA, "variants": kept}, file, sort_keys=True, indent=1)
            file.flush()
            os.fsync(file.fileno())
        Path(unfinished).replace(target)
    except BaseException:
        Path(unfinished).unlink(missing_ok=True)
        raise
