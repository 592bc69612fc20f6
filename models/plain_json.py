"""JSON from anybody, read with limits: no numbers that are none, no depth, no character that moves a cursor."""

from __future__ import annotations

import json
import re
from typing import Any

from models.errors import BundleError

MOST_BYTES = 64 << 10
# controls, and what turns the direction of writing: a card is shown on a terminal
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def plain_json(data: bytes, where: str, most_bytes: int = MOST_BYTES) -> Any:
    """Raises BundleError."""
    if len(data) > most_bytes:
        raise BundleError(f"{where}: {len(data)} bytes, at most {most_bytes} expected")

    def refuse(_: str) -> None:
        raise ValueError("no number")

    try:
        raw = json.loads(data.decode("utf-8"), parse_constant=refuse, object_pairs_hook=_once)
        _require_plain(raw)
    except (UnicodeDecodeError, ValueError, RecursionError) as problem:
        raise BundleError(f"{where}: no plain JSON ({type(problem).__name__})") from None
    return raw


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a name twice")
    return made


def _require_plain(raw: Any) -> None:
    match raw:
        case str():
            if _UNSEEN.search(raw):
                raise ValueError("an unseen character")
        case float():
            if raw in (float("inf"), float("-inf")):
                raise ValueError("no number")
        case list():
            for part in raw:
                _require_plain(part)
        case dict():
            for name, part in raw.items():
                _require_plain(name)
                _require_plain(part)
