"""One line to the wearer on standard error. Nobody listening there is no reason to stop."""

from __future__ import annotations

import sys
from contextlib import suppress


def say(message: str) -> None:
    # ValueError: somebody has closed the stream itself
    with suppress(OSError, ValueError):
        print(f"vitalkeep: {message}", file=sys.stderr, flush=True)
