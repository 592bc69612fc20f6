"""`vitalkeep run --device`: each sensor has a link, a pipeline and a session of its own; store and radio are shared."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import click
from rich.console import Console

from device_pipeline.alerts.alert import Alert
from device_pipeline.config import Config
from device_pipeline.run import Finding, Pipeline
from device_pipeline.store.retention import keep_raw_days
from device_pipeline.store.store import open_store
from device_pipeline.store.writer import Ended, SessionKind, StoreWriter
from sensors.bleak_link import BleakLink, Radio
from sensors.samples import Item
from vitalkeep.alert_command import AlertCommand
from vitalkeep.cli import exit_codes
from vitalkeep.cli.app import NOT_MEDICAL
from vitalkeep.cli.finding_json import finding_line
from vitalkeep.cli.live_view import LiveView
from vitalkeep.cli.told_lines import ToldLines
from vitalkeep.cli.told_link import ToldLink, close_on_signal, say
from vitalkeep.session import Watcher, hold_session


@dataclass(frozen=True, slots=True)
class LivePlan:
    devices: tuple[str, ...]
    store: Path
    view: bool
    as_json: bool
    on_alert: str | None
    config: Config


class _Held:
    """A Watcher of one device: what the closing lines tell. It keeps no findings, so that a week costs no memory."""

    def __init__(self) -> None:
        self.alerts = 0

    def item(self, item: Item) -> None: ...

    def finding(self, finding: Finding) -> None:
        self.alerts += isinstance(finding, Alert) and finding.end_ns is None

    def tick(self) -> None: ...

    def trouble(self, message: str) -> None: ...


class _JsonLines:
    """A Watcher that prints, and says of which device."""

    def __init__(self, device: str) -> None:
        self._device = device

    def item(self, item: Item) -> None: ...

    def finding(self, finding: Finding) -> None:
        line = finding_line(finding)
        if line is not None:
            click.echo(json.dumps({**json.loads(line), "device": self._device}, allow_nan=False))

    def tick(self) -> None: ...

    def trouble(self, message: str) -> None: ...


def carry_out(plan: LivePlan) -> int:
    """Holds the devices until it is stopped; returns the exit code. Raises PipelineError."""
    store = open_store(plan.store)
    with ExitStack() as stack:
        first = stack.enter_context(store.writer())
        keep_raw_days(first, plan.config.keep_raw_days, store.clock.now_ns())
        writers = [first, *(stack.enter_context(first.beside()) for _ in plan.devices[1:])]
        sessions = [
            writer.begin_session(SessionKind.LIVE, device, version("vitalkeep"))
            for writer, device in zip(writers, plan.devices, strict=True)
        ]
        told = asyncio.run(_hold_all(plan, writers))
        for writer in writers:
            writer.end_session(Ended.CLEAN)
    if not plan.as_json:
        console = Console(highlight=False)
        for line, session in zip(told, sessions, strict=True):
            console.print(f"{line} (session {session})", soft_wrap=True, markup=False)
        console.print(f"Stopped by you; everything is stored, encrypted, in {store.folder}.", soft_wrap=True)
        console.print("See it again with: vitalkeep status, vitalkeep alerts", style="dim")
        say(NOT_MEDICAL)
    return exit_codes.OK


async def _hold_all(plan: LivePlan, writers: list[StoreWriter]) -> list[str]:
    """Returns a closing line for each device."""
    radio = Radio()
    command = AlertCommand(plan.on_alert, say) if plan.on_alert else None
    view = LiveView(plan.devices[0], 1.0, plan.config.limits) if plan.view else None
    links: list[ToldLink] = []
    helds: list[_Held] = []
    sessions: list[asyncio.Task[Pipeline]] = []
    try:
        if view is not None:
            view.open()
        for device, writer in zip(plan.devices, writers, strict=True):
            link = ToldLink(BleakLink(radio, device), _teller(device, view))
            held = _Held()
            watchers: list[Watcher] = [held]
            watchers += [_JsonLines(device)] if plan.as_json else []
            watchers.append(view if view is not None else ToldLines(quiet=plan.as_json))
            watchers += [command] if command is not None else []
            links.append(link)
            helds.append(held)
            sessions.append(asyncio.create_task(hold_session(link, plan.config.limits, writer, watchers)))
        close_on_signal(links)
        await asyncio.wait(sessions, return_when=asyncio.FIRST_EXCEPTION)
        for link in links:
            await link.close()
        pipelines = await asyncio.gather(*sessions)
    finally:
        if view is not None:
            view.close()
        if command is not None:
            await command.finish()
    return [_line(*of) for of in zip(plan.devices, links, helds, pipelines, strict=True)]


def _teller(device: str, view: LiveView | None) -> Callable[[str, bool], None]:
    def tell(message: str, first: bool) -> None:
        if view is None:
            say(f"{device}: {message}")
        elif first:  # the view tells of later outages by itself
            view.trouble(f"{device}: {message}")

    return tell


def _line(device: str, link: ToldLink, held: _Held, pipeline: Pipeline) -> str:
    if not link.held:
        return f"{device}: never there"
    mean = pipeline.mean_hr_bpm
    rate = "no heart rate" if mean is None else f"mean {mean:.0f} bpm"
    return f"{device}: {rate}, {link.outages} outages, {held.alerts} alerts"
