"""A process that writes to a store until somebody kills it; it tells on stdout what it was fed and when.

Its clock runs faster than ours, so that a short life holds many commits.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from device_pipeline.beat import Beat, BeatSource
from device_pipeline.store.store import open_store
from device_pipeline.store.writer import SessionKind
from sensors.samples import Kind, Quantity, Reading, Samples

FS_HZ = 130
START_NS = 1_760_000_000_000_000_000
BLOCK = 73  # samples of one notification of a chest strap
STEP_NS = 1e9 / FS_HZ
VALUES = np.random.default_rng(7).integers(-3000, 3000, 1 << 15) / 1000.0


def values(first: int, last: int) -> NDArray[np.float64]:
    """What the sensor sends as its samples [first, last)."""
    return VALUES[np.arange(first, last) % len(VALUES)]


class FastClock:
    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._began_ns = time.monotonic_ns()

    def now_ns(self) -> int:
        return START_NS + self.monotonic_ns()

    def monotonic_ns(self) -> int:
        return round((time.monotonic_ns() - self._began_ns) * self._speed)

    def is_synchronised(self) -> bool:
        return True


def write(folder: Path, speed: float) -> None:
    os.write(1, b"ready\n")
    clock = FastClock(speed)
    writer = open_store(folder, clock).writer()
    session = writer.begin_session(SessionKind.LIVE, "strap", "0")
    os.write(1, f"{session} {START_NS} {clock.monotonic_ns()}\n".encode())
    began_ns = clock.monotonic_ns()
    first = beats = 0
    while True:
        block = Samples(Kind.ECG, "ecg", float(FS_HZ), START_NS, STEP_NS, first, values(first, first + BLOCK))
        while clock.monotonic_ns() - began_ns < block.end_ns - START_NS:
            writer.commit_if_due()
            time.sleep(0.001)
        first += BLOCK
        fed_ns = clock.monotonic_ns()
        writer.add_item(block)
        writer.add_item(Reading(Quantity.HEART_RATE, "hr", block.end_ns, 61.0))
        while START_NS + beats * 1_000_000_000 < block.end_ns:
            writer.add_finding(Beat(START_NS + beats * 1_000_000_000, BeatSource.ECG, 1.0 if beats else None))
            beats += 1
        writer.commit_if_due()
        os.write(1, f"{session} {block.end_ns} {fed_ns}\n".encode())
