"""The keys that the wearer pinned, in one file of the configuration, which nobody else may write to."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from models.errors import TrustError
from models.publishers import PUBLISHERS, Publisher, key_line, read_key
from models.slots.atomic_file import read_bounded, require_ours, write_atomically

SCHEMA = "vitalkeep.publishers/1"
_MOST_BYTES = 64 << 10
_LEAST_PREFIX = 8


class Keyring:
    """`path` need not exist."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def pinned(self) -> tuple[Publisher, ...]:
        """Raises TrustError where the file is not what was written; SlotError where others may write to it."""
        try:
            data = read_bounded(self.path, _MOST_BYTES)
        except FileNotFoundError:
            return ()
        except OSError as problem:
            raise TrustError(f"{self.path}: {problem.strerror}") from None
        require_ours(self.path)
        try:
            raw = json.loads(data.decode("utf-8"))
            if raw["schema"] != SCHEMA:
                raise ValueError("another schema")
            return tuple(_publisher(one, self.path) for one in raw["keys"])
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as problem:
            raise TrustError(f"{self.path}: no list of keys ({type(problem).__name__}), {SCHEMA} expected") from None

    def publishers(self) -> tuple[Publisher, ...]:
        """Those that came with the program, and those that were pinned."""
        return PUBLISHERS + self.pinned()

    def pin(self, publisher: Publisher) -> None:
        """In the place of what was said of the same key before."""
        others = [one for one in self.pinned() if one.key != publisher.key]
        self._write([*others, publisher])

    def forget(self, prefix: str) -> Publisher:
        """The one key whose fingerprint begins so. Raises TrustError where there is none, or more than one."""
        wanted = prefix.replace(" ", "").casefold()
        found = [one for one in self.pinned() if one.fingerprint.startswith(wanted)]
        if len(wanted) < _LEAST_PREFIX or len(found) != 1:
            raise TrustError(
                f"{len(found)} pinned keys begin with {prefix[:64]!r}, one expected, by {_LEAST_PREFIX} digits or more"
            )
        self._write([one for one in self.pinned() if one != found[0]])
        return found[0]

    def _write(self, publishers: list[Publisher]) -> None:
        rows = [
            {"key": key_line(one).strip(), "models": None if one.models is None else list(one.models)}
            for one in publishers
        ]
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(self.path, (json.dumps({"schema": SCHEMA, "keys": rows}, indent=1) + "\n").encode())


def _publisher(raw: dict[str, Any], path: Path) -> Publisher:
    models = raw["models"]
    if models is not None and not (isinstance(models, list) and all(isinstance(name, str) for name in models)):
        raise TypeError("models")
    return replace(read_key(raw["key"], str(path)), models=None if models is None else tuple(models))
