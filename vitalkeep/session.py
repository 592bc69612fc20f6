"""One session: a link read to its end, everything found in it stored, shown and acted upon as it happens."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Protocol

from device_pipeline.beat import Quality
from device_pipeline.config import Limits
from device_pipeline.errors import StoreFullError
from device_pipeline.run import Finding, Pipeline
from device_pipeline.store.writer import StoreWriter
from sensors.link import Link
from sensors.reader import read
from sensors.samples import Item, Kind

_TICK_S = 0.1


class Watcher(Protocol):
    """Somebody who wants to see what happens. Called in the order in which things become known."""

    def item(self, item: Item) -> None: ...

    def finding(self, finding: Finding) -> None: ...

    def tick(self) -> None:
        """Called several times a second, whether anything came or not."""

    def trouble(self, message: str) -> None:
        """Something went wrong that the session survives."""


async def hold_session(link: Link, limits: Limits, writer: StoreWriter, watchers: Iterable[Watcher]) -> Pipeline:
    """Reads the link until it ends or is closed; on return everything is in the writer. Returns the graph at its end.

    Raises SensorError where the link or recording fails; what came before is then also in the writer.
    """
    pipeline = Pipeline(limits)
    watchers = tuple(watchers)
    keeper = _Keeper(writer, watchers)
    ticker = asyncio.create_task(keeper.tick_on())
    try:
        try:
            async for item in read(link):
                keeper.item(item)
                for finding in pipeline.push(item):
                    keeper.finding(finding, pipeline)
                keeper.commit()
        finally:
            for finding in pipeline.flush():
                keeper.finding(finding, pipeline)
    finally:
        ticker.cancel()
        await asyncio.gather(ticker, return_exceptions=True)
    return pipeline


class _Keeper:
    """Stores everything first and shows it then."""

    def __init__(self, writer: StoreWriter, watchers: tuple[Watcher, ...]) -> None:
        self._writer = writer
        self._watchers = watchers
        self._disk_full = False

    def item(self, item: Item) -> None:
        self._writer.add_item(item)
        for watcher in self._watchers:
            watcher.item(item)

    def finding(self, finding: Finding, pipeline: Pipeline) -> None:
        if isinstance(finding, Quality):
            channel = pipeline.leads(Kind.ECG) or pipeline.leads(Kind.PPG)
            self._writer.add_quality(finding, channel or "")
        else:
            self._writer.add_finding(finding)
        for watcher in self._watchers:
            watcher.finding(finding)

    def commit(self) -> None:
        """A full disk does not end the watch: the batch is kept, and the warnings go on."""
        try:
            if self._writer.commit_if_due():
                self._disk_full = False
        except StoreFullError as problem:
            if not self._disk_full:
                for watcher in self._watchers:
                    watcher.trouble(str(problem))
            self._disk_full = True

    async def tick_on(self) -> None:
        while True:
            await asyncio.sleep(_TICK_S)
            self.commit()
            for watcher in self._watchers:
                watcher.tick()
