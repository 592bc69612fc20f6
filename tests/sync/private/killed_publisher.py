"""Publishes day after day in children that are killed at moments that chance picks; run as a program.

Every envelope that a child could show is written down by it, with what it answers, before it goes on.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from datetime import date, timedelta
from pathlib import Path

from device_pipeline.clock import ManualClock
from sync.private.clinics import clinics
from sync.private.publish import Publisher
from sync.private.registry import STATISTICS
from sync.private.window import FIRST_DAY, SEALED_AFTER_DAYS
from tests.sync.private.room import Room, at

DAYS = 200


def live(folder: Path, day: date) -> None:
    """One process of the wearer: publishes on every seventh day from `day` on, until somebody kills it."""
    clock = ManualClock(now_ns=at(day))
    room = Room(folder, clock)
    while day < FIRST_DAY + timedelta(days=DAYS):
        clock.set_right(at(day))
        show(room.publisher, folder)
        room.publisher.publish(room.outbox)
        day += timedelta(days=7)
    os._exit(0)


def show(publisher: Publisher, folder: Path) -> None:
    """Asks the ledger itself, as a preview would, and writes down what it shows."""
    (clinic,) = clinics(publisher.account)
    with (folder / "shown").open("a", encoding="ascii") as shown:
        for _, statistic, window in publisher.due(publisher.today()):
            release = publisher.ledger.answer(statistic, window, clinic)
            assert release is not None
            # begins a line of its own: what was written before may have been cut short
            line = f"\n{statistic.name} {window.length_days} {window.index} {release.encode().hex()}\n"
            shown.write(line)
            shown.flush()


def main(folder: Path, kills: int, seed: int) -> None:
    chance = random.Random(seed)
    day = FIRST_DAY + timedelta(days=28 + SEALED_AFTER_DAYS + 1)
    for statistic in STATISTICS:
        statistic.draw([])  # OpenDP is loaded once, before the children
    killed = 0
    while killed < kills:
        child = os.fork()
        if child == 0:
            live(folder, day)
        time.sleep(chance.uniform(0.0, 1.0) ** 2 * 1.5)
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        killed += os.WIFSIGNALED(status)
        if os.WIFEXITED(status) and os.WEXITSTATUS(status):
            raise SystemExit(f"a child failed with {os.WEXITSTATUS(status)}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
