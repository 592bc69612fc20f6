"""Counts what the models of a live run see and say, and keeps the counts in the store now and then, and at the end.

A clock that is not right says of no day: counts wait for it. A store that takes nothing loses only these counts.
"""

from __future__ import annotations

import asyncio
from contextlib import AbstractContextManager, suppress

from device_pipeline.errors import StoreError
from device_pipeline.store.model_seen import keep_seen
from device_pipeline.store.store import Store
from device_pipeline.store.writer import StoreWriter
from models.observer import observing
from models.watched import WatchedModels

_KEEP_EVERY_S = 600.0


class ModelWatch:
    def __init__(self, store: Store, keep_every_s: float = _KEEP_EVERY_S) -> None:
        self._clock = store.clock
        self._keep_every_s = keep_every_s
        self._models = WatchedModels()

    def observing(self) -> AbstractContextManager[None]:
        """Within, and in the tasks begun within, the models are watched."""
        return observing(self._models)

    async def keep_on(self, writer: StoreWriter) -> None:
        """Until it is cancelled."""
        while True:
            await asyncio.sleep(self._keep_every_s)
            self.keep(writer)

    def keep(self, writer: StoreWriter) -> None:
        """What was counted since the last time."""
        if self._clock.is_synchronised() and (taken := self._models.take()):
            with suppress(StoreError):  # whoever commits to the store tells of it
                keep_seen(writer, taken, self._clock.now_ns())
