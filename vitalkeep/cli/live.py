"""`vitalkeep run --device`: each sensor has a link, a pipeline and a session of its own; store and radio are shared."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from device_pipeline.alerts.alert import Alert
from device_pipeline.config import Config
from device_pipeline.effort import Effort
from device_pipeline.errors import StoreError
from device_pipeline.run import Finding
from device_pipeline.store.store import Store, open_store
from device_pipeline.store.writer import SessionKind, StoreWriter
from sensors.bleak_link import BleakLink, Radio
from sensors.samples import Item
from vitalkeep.alert_command import AlertCommand
from vitalkeep.cli import exit_codes
from vitalkeep.cli.analysis_text import page
from vitalkeep.cli.app import NOT_MEDICAL
from vitalkeep.cli.govern import govern
from vitalkeep.cli.json_lines import JsonLines
from vitalkeep.cli.live_view import LiveView
from vitalkeep.cli.on_signal import on_signal
from vitalkeep.cli.say import say
from vitalkeep.cli.session_holder import SessionHolder
from vitalkeep.cli.told_lines import ToldLines
from vitalkeep.cli.told_link import ToldLink
from vitalkeep.model_trial import ModelsOnTrial, models_on_trial
from vitalkeep.session import Watcher, hold_session


@dataclass(frozen=True, slots=True)
class LivePlan:
    devices: tuple[str, ...]
    store: Path
    view: bool
    as_json: bool
    on_alert: tuple[str, ...]  # the words of a command, none for no command
    config: Config
    adapter: str | None = None  # the first that is on


def carry_out(plan: LivePlan) -> int:
    """Holds the devices until it is stopped; returns the exit code. Raises PipelineError."""
    store = open_store(plan.store)
    watch = _Watch(plan, store)
    holder = SessionHolder(store, plan.config.keep_raw_days)
    holder.hold(SessionKind.LIVE, plan.devices, watch)
    if not plan.as_json:
        _tell(store, holder, watch)
    if holder.unstored is not None:
        say("not everything is stored")
        return exit_codes.STORE
    return exit_codes.OK


@dataclass(slots=True)
class _One:
    """A device being held, and a Watcher of it. It keeps no findings, so that a week costs no memory."""

    name: str
    link: ToldLink
    alerts: int = 0
    mean_hr_bpm: float | None = None

    def item(self, item: Item) -> None: ...

    def finding(self, finding: Finding) -> None:
        self.alerts += isinstance(finding, Alert) and finding.end_ns is None

    def tick(self) -> None: ...

    def trouble(self, message: str) -> None: ...


class _Watch:
    """Holds the devices with everybody watching, until a signal stops it."""

    def __init__(self, plan: LivePlan, store: Store) -> None:
        self._plan = plan
        self._store = store
        self._effort = Effort()
        self._command: AlertCommand | None = None
        self._closing: list[asyncio.Task[None]] = []
        self._view: LiveView | None = None
        self.held: list[_One] = []

    async def hold(self, writers: list[StoreWriter]) -> StoreError | None:
        plan = self._plan
        radio = Radio(plan.adapter)
        self._view = view = LiveView(plan.devices[0], 1.0, plan.config.limits) if plan.view else None
        self._command = AlertCommand(plan.on_alert, say) if plan.on_alert else None
        self.held = [
            _One(name, ToldLink(BleakLink(radio, name, note=_noter(name, view)), _teller(name, view)))
            for name in plan.devices
        ]
        on_signal(self._stop)
        models = models_on_trial(writers[0])
        if view is not None:
            view.open()
        tasks = [
            asyncio.create_task(self._hold_one(one, writer, view, models))
            for one, writer in zip(self.held, writers, strict=True)
        ]
        governing = asyncio.create_task(self._govern(writers[0], view))
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            governing.cancel()
            with suppress(asyncio.CancelledError):
                await governing
        self._close()
        await asyncio.gather(*self._closing)
        unstored = await asyncio.gather(*tasks)
        return next((problem for problem in unstored if problem is not None), None)

    async def _govern(self, writer: StoreWriter, view: LiveView | None) -> None:
        limits = self._plan.config.governor
        if limits.enabled:
            if view is not None:
                view.heed(self._effort)
            await govern(self._effort, limits, self._store, writer, say if view is None else view.trouble)

    async def leave(self) -> None:
        if self._view is not None:
            self._view.close()
        if self._command is not None:
            await self._command.finish()

    async def _hold_one(
        self, one: _One, writer: StoreWriter, view: LiveView | None, models: ModelsOnTrial
    ) -> StoreError | None:
        plan = self._plan
        watchers: list[Watcher] = [one]
        if plan.as_json:
            watchers.append(JsonLines(self._close, device=one.name))
        watchers.append(view if view is not None else ToldLines(quiet=plan.as_json))
        if self._command is not None:
            watchers.append(self._command)
        held = await hold_session(one.link, plan.config.limits, writer, watchers, self._effort, models=models.session())
        one.mean_hr_bpm = held.pipeline.mean_hr_bpm
        return held.unstored

    def _stop(self) -> None:
        if self._closing and self._command is not None:
            self._command.hurry()
        self._close()

    def _close(self) -> None:
        if not self._closing:
            self._closing = [asyncio.get_running_loop().create_task(one.link.close()) for one in self.held]


def _teller(device: str, view: LiveView | None) -> Callable[[str, bool], None]:
    def tell(message: str, never: bool) -> None:
        if view is None:
            say(f"{device}: {message}")
        elif never:  # the view tells of an outage by itself, once there is something to see
            view.trouble(f"{device}: {message}")

    return tell


def _noter(device: str, view: LiveView | None) -> Callable[[str], None]:
    def note(words: str) -> None:
        (say if view is None else view.trouble)(f"{device}: {words}")

    return note


def _tell(store: Store, holder: SessionHolder, watch: _Watch) -> None:
    with page() as console:
        for one, session in zip(watch.held, holder.sessions, strict=True):
            rate = "no heart rate" if one.mean_hr_bpm is None else f"mean {one.mean_hr_bpm:.0f} bpm"
            told = f"{rate}, {_count(one.link.outages, 'outage')}, {_count(one.alerts, 'alert')}"
            line = f"{one.name}: {told if one.link.held else 'never there'} (session {session})"
            console.print(line, soft_wrap=True, markup=False)
        if holder.unstored is None:
            stored = f"Stopped by you; everything is stored, encrypted, in {store.folder}."
            console.print(stored, soft_wrap=True, markup=False)
        console.print("See it again with: vitalkeep status, vitalkeep alerts", style="dim")
    say(NOT_MEDICAL)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
