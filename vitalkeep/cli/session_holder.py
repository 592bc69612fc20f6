"""Holds the store for a command that watches links: a session each, begun and ended, whatever becomes of the store.

A store that fails does not end the watch: the warnings go on, and at the end it is said that not everything is stored.
Raw data that has become old is removed at the start, and every day of a long watch in steps that stall no link. What
the models of a live watch see and say is counted beside it, and its days are judged.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from importlib.metadata import version
from typing import Protocol

from device_pipeline.errors import StoreError
from device_pipeline.store.retention import DAY_NS, keep_raw_days, keeping_raw_days
from device_pipeline.store.store import Store
from device_pipeline.store.writer import Ended, SessionKind, StoreWriter
from vitalkeep.cli.day_watch import judge_days
from vitalkeep.cli.model_watch import ModelWatch
from vitalkeep.cli.say import say

_LOOK_EVERY_S = 60.0
_STEP_EVERY_S = 0.25


class Watch(Protocol):
    async def hold(self, writers: list[StoreWriter]) -> StoreError | None:
        """Watches to the end; returns why not everything was stored, None where it was."""

    async def leave(self) -> None:
        """Whatever became of it. By now the sessions are ended: a second signal may end us at any moment."""


class SessionHolder:
    """`sessions`: their ids, in the order of the sources. `unstored`: as the watch told, or what closing them met."""

    def __init__(self, store: Store, raw_days: int) -> None:
        self._store = store
        self._raw_days = raw_days
        self._is_over = False
        self._models = ModelWatch(store)
        self.sessions: list[int] = []
        self.unstored: StoreError | None = None

    def hold(self, kind: SessionKind, sources: Sequence[str], watch: Watch) -> None:
        """To the end of the watch. Raises StoreError where the store failed before it, and what the watch raises."""
        try:
            with ExitStack() as stack:
                first = stack.enter_context(self._store.writer())
                keep_raw_days(first, self._raw_days, self._store.clock.now_ns())
                writers = [first, *(stack.enter_context(first.beside()) for _ in sources[1:])]
                self.sessions = [
                    writer.begin_session(kind, source, version("vitalkeep"))
                    for writer, source in zip(writers, sources, strict=True)
                ]
                live = kind is SessionKind.LIVE
                if live:  # a recording of whatever age says nothing of how models fare now
                    stack.enter_context(self._models.observing())
                asyncio.run(self._watched(writers, watch, live))
        except StoreError as problem:
            if not self._is_over:
                raise
            if self.unstored is None:  # else it has been told already
                say(str(problem))
                self.unstored = problem

    async def _watched(self, writers: list[StoreWriter], watch: Watch, live: bool) -> None:
        beside = [
            asyncio.create_task(forget_daily(self._store, writers[0], self._raw_days)),
            asyncio.create_task(self._models.keep_on(writers[0])),
        ]
        if live:
            beside.append(asyncio.create_task(judge_days(self._store, writers[0])))
        try:
            self.unstored = await watch.hold(writers)
            self._is_over = True
            for writer in writers:
                writer.end_session(Ended.CLEAN)
        finally:
            for task in beside:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            self._models.keep(writers[0])
            await watch.leave()


async def forget_daily(
    store: Store, writer: StoreWriter, raw_days: int, look_every_s: float = _LOOK_EVERY_S, step_s: float = _STEP_EVERY_S
) -> None:
    """Until it is cancelled: a day after the last time, old raw data goes, a step every `step_s`."""
    clock = store.clock
    done_ns = clock.monotonic_ns()
    while True:
        await asyncio.sleep(look_every_s)
        if clock.monotonic_ns() - done_ns < DAY_NS:
            continue
        done_ns = clock.monotonic_ns()
        # a store that takes nothing is told of by whoever commits to it; what stayed goes a day later
        with suppress(StoreError):
            for _ in keeping_raw_days(writer, raw_days, clock.now_ns()):
                await asyncio.sleep(step_s)
