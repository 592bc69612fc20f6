"""The room that seals what may leave, put together: the wearer's account, the store of the days, the outbox.

Where the extra is missing one line says so, and nothing of the room is made.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from device_pipeline.clock import Clock, SystemClock
from device_pipeline.day_summary import DaySummary
from device_pipeline.store.store import Store, open_store
from sync.private.errors import NoiseMissingError, PairingError
from vitalkeep import paths

if TYPE_CHECKING:
    from sync.outbox import Outbox
    from sync.private.publish import Publisher

Days = Callable[[date, ZoneInfo], DaySummary | None]
_PATIENCE_S = 120.0


@dataclass(frozen=True, slots=True)
class Folders:
    store: Path
    counter: Path
    outbox: Path

    @classmethod
    def usual(cls, store: Path | None = None) -> Folders:
        """With another store, all of it lies beside that: a store tried out has an account of its own."""
        if store is None:
            return cls(paths.data_folder(), paths.state_folder(), paths.outbox_folder())
        return cls(store, store.with_name(store.name + "-counter"), store.with_name(store.name + "-outbox"))

    @property
    def has_account(self) -> bool:
        """Whether anything was ever paired or promised here."""
        return (self.store / "ledger.db").exists()


@dataclass(frozen=True, slots=True)
class Room:
    folders: Folders
    publisher: Publisher
    outbox: Outbox
    clock: Clock


@contextmanager
def open_room(folders: Folders, clock: Clock | None = None, days: Days | None = None) -> Iterator[Room]:
    """`days`: others than those of the store. Makes what is not there yet.

    Raises NoiseMissingError without the extra, LedgerError, OutboxError.
    """
    try:
        from sync.outbox import Outbox
        from sync.private.publish import Publisher
    except ImportError as missing:
        raise NoiseMissingError(f"{missing.name} is not installed: pip install 'vitalkeep[sync]'") from None
    clock = clock if clock is not None else SystemClock()
    store = open_store(folders.store, clock)
    folders.outbox.mkdir(mode=0o700, parents=True, exist_ok=True)
    outbox = Outbox(folders.outbox)
    try:
        publisher = Publisher(folders.store, folders.counter, clock, days if days is not None else _days_of(store))
        try:
            yield Room(folders, publisher, outbox, clock)
        finally:
            publisher.close()
    finally:
        outbox.close()


def _days_of(store: Store) -> Days:
    """Summaries from the raw store, by the model that is pinned; a store that is not there yet has no day."""

    def work_out(day: date, zone: ZoneInfo) -> DaySummary | None:
        from device_pipeline.day_reader import stored_day
        from vitalkeep.model_choice import pinned_rhythm

        if not store.exists:
            return None
        with store.reader() as db:
            return stored_day(db, day, zone, pinned_rhythm)

    return work_out


def uplink(arguments: list[str]) -> str:
    """Runs the process that has a network to its end; gives what it printed. Raises PairingError with what it said."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", "sync.uplink", *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=_PATIENCE_S,
        )
    except subprocess.TimeoutExpired:
        raise PairingError(f"the clinic did not answer within {_PATIENCE_S:g} s") from None
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise PairingError(said[-1] if said else f"the sending process ended with {done.returncode}")
    return done.stdout
