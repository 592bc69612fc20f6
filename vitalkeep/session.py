"""One session: a link read to its end, everything found in it stored, shown and acted upon as it happens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from device_pipeline.beat import Quality
from device_pipeline.config import Limits
from device_pipeline.effort import Effort
from device_pipeline.errors import StoreError
from device_pipeline.run import Finding, Pipeline
from device_pipeline.store.finding_rows import Found
from device_pipeline.store.learnt import learnt_shapes
from device_pipeline.store.writer import StoreWriter
from models.model_event import ModelEvent
from models.morphology_calibration import Calibration
from sensors.link import Link
from sensors.reader import read
from sensors.samples import Item, Kind, Reading, Samples
from vitalkeep.beat_typer import beat_typer
from vitalkeep.model_trial import SessionModels

_TICK_S = 0.1


class Watcher(Protocol):
    """Somebody who wants to see what happens. Called in the order in which things become known."""

    def item(self, item: Item) -> None: ...

    def finding(self, finding: Finding) -> None: ...

    def tick(self) -> None:
        """Called several times a second, whether anything came or not."""

    def trouble(self, message: str) -> None:
        """Something went wrong that the session survives."""


@dataclass(frozen=True, slots=True)
class Held:
    """`pipeline`: the graph at its end. `unstored`: why not everything is in the store, None where it is."""

    pipeline: Pipeline
    unstored: StoreError | None


async def hold_session(
    link: Link,
    limits: Limits,
    writer: StoreWriter,
    watchers: Iterable[Watcher],
    effort: Effort | None = None,
    models: SessionModels | None = None,
) -> Held:
    """Reads the link until it ends or is closed; on return everything is committed that the store would take.

    `effort`: what may be left out at present; None leaves out nothing. `models`: those in service and in shadow; None:
    those that came with the program.

    Raises SensorError where the link or recording fails; what came before is then also in the writer.
    """
    with nullcontext() if models is None else models.using(shadow=True):
        return await _hold(link, limits, _Keeper(writer, tuple(watchers), effort or Effort(), models))


async def _hold(link: Link, limits: Limits, keeper: _Keeper) -> Held:
    pipeline = Pipeline(limits, typer=beat_typer, effort=keeper.effort)
    pipeline.know(keeper.known_shapes())
    ticker = asyncio.create_task(keeper.tick_on())
    try:
        try:
            async for item in read(link):
                keeper.item(item)
                for finding in pipeline.push(item):
                    keeper.finding(finding, pipeline)
                keeper.models()
                keeper.commit()
                if ticker.done():  # only if it failed, and then a session that nobody sees must not go on unseen
                    break
        finally:
            for finding in pipeline.flush():
                keeper.finding(finding, pipeline)
            keeper.models()
            keeper.commit(due=False)
    finally:
        ticker.cancel()
        with suppress(asyncio.CancelledError):
            await ticker
    return Held(pipeline, keeper.unstored)


class _Keeper:
    """Stores everything first and shows it then. A store that fails does not end the watch: the warnings go on."""

    def __init__(
        self, writer: StoreWriter, watchers: tuple[Watcher, ...], effort: Effort, models: SessionModels | None
    ) -> None:
        self._writer = writer
        self.effort = effort
        self._watchers = watchers
        self._models = models
        self._newest_ns = 0
        self._trouble: StoreError | None = None
        self._lost: StoreError | None = None
        if models is not None:  # what happened before is stored, and no news
            self._keep_all(models.take(0))

    @property
    def unstored(self) -> StoreError | None:
        return self._lost or self._trouble

    def known_shapes(self) -> dict[str, Calibration]:
        """What earlier sessions learnt of the wearer's beats."""
        session = self._writer.session
        return {} if session is None else learnt_shapes(self._writer.db, session)

    def item(self, item: Item) -> None:
        if not (self.effort.is_waveform_off and isinstance(item, Samples)):
            self._keep(lambda: self._writer.add_item(item))
        self._newest_ns = max(self._newest_ns, item.t_ns if isinstance(item, Reading) else item.end_ns)
        for watcher in self._watchers:
            watcher.item(item)

    def finding(self, finding: Finding, pipeline: Pipeline) -> None:
        if isinstance(finding, Quality):
            quality, channel = finding, pipeline.leads(Kind.ECG) or pipeline.leads(Kind.PPG) or ""
            self._keep(lambda: self._writer.add_quality(quality, channel))
        else:
            self._keep(lambda: self._writer.add_finding(finding))
        if self._models is not None:
            self._models.finding(finding)
        for watcher in self._watchers:
            watcher.finding(finding)

    def models(self) -> None:
        """What models said in shadow, and what became of them."""
        told = [] if self._models is None else self._models.take(self._newest_ns, rest=self.effort.is_optional_off)
        self._keep_all(told)
        for event in told:
            if isinstance(event, ModelEvent):
                for watcher in self._watchers:
                    watcher.trouble(f"model {event.model} {event.version} {event.what}: {event.reason}")

    def commit(self, *, due: bool = True) -> None:
        """Commits what is `due`, or everything. A batch that the store did not take is kept, and tried again later."""
        try:
            if due and not self._writer.commit_if_due():
                return
            self._writer.commit()
            self._trouble = None
        except StoreError as problem:
            self._tell(problem)

    async def tick_on(self) -> None:
        while True:
            await asyncio.sleep(_TICK_S)
            self.commit()
            for watcher in self._watchers:
                watcher.tick()

    def _keep_all(self, rows: Iterable[Found]) -> None:
        for row in rows:
            self._keep(partial(self._writer.add_finding, row))

    def _keep(self, add: Callable[[], None]) -> None:
        try:
            add()
        except StoreError as problem:
            # The store has been full for so long that nothing more is held back for it.
            self._lost = problem
            self._tell(problem)

    def _tell(self, problem: StoreError) -> None:
        """Once, until the store has worked again."""
        if self._trouble is None:
            for watcher in self._watchers:
                watcher.trouble(str(problem))
        self._trouble = problem
