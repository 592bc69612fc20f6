"""A process that installs, promotes and rolls back without end until somebody kills it."""

from __future__ import annotations

import itertools
import os
import time
from pathlib import Path

from models.slots.slots import Slots
from tests.models.publisher import bundle, publisher


def change(folder: str, first: int) -> None:
    slots = Slots(Path(folder), (publisher(0),), time.monotonic_ns, "0.1.0")
    for number in itertools.count(first):
        one = bundle(f"9.{number}.0")
        slots.install(one, one.packed(one.signature))
        os.write(1, b".")
        slots.promote("screen")
        if number % 3 == 0:
            slots.rollback("screen")
        if number % 4 == 0:
            slots.pin("screen")
