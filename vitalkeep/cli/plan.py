"""What `vitalkeep run` was asked to do, and the doing: link, pipeline, store, view and command are wired here."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import click
from rich.console import Console

from device_pipeline.config import Config
from device_pipeline.run import Finding
from device_pipeline.store.retention import keep_raw_days
from device_pipeline.store.store import Store, open_store
from device_pipeline.store.writer import Ended, SessionKind, StoreWriter
from sensors.link import Link
from sensors.recording import Recording
from sensors.replay_link import ReplayLink
from sensors.samples import Gap, GapReason, Item, Kind, Reading, Samples
from vitalkeep.alert_command import AlertCommand
from vitalkeep.analysis import Analysis
from vitalkeep.cli import exit_codes
from vitalkeep.cli.analysis_json import analysis_object
from vitalkeep.cli.analysis_text import print_analysis
from vitalkeep.cli.app import NOT_MEDICAL
from vitalkeep.cli.finding_json import finding_line
from vitalkeep.cli.live_view import LiveView
from vitalkeep.cli.told_lines import ToldLines
from vitalkeep.session import Watcher, hold_session


@dataclass(frozen=True, slots=True)
class Plan:
    replay: Path
    speed: float | None  # None: as fast as it can be read
    store: Path
    view: bool
    as_json: bool
    on_alert: str | None
    config: Config


def carry_out(plan: Plan) -> int:
    """Runs to the end or until stopped; returns the exit code. Raises SensorError, PipelineError."""
    recording = Recording(plan.replay)
    link = ReplayLink(recording, plan.speed)
    store = open_store(plan.store)
    summary = _Summary(plan.replay.name.split(".")[0])
    with store.writer() as writer:
        keep_raw_days(writer, plan.config.keep_raw_days, store.clock.now_ns())
        session = writer.begin_session(SessionKind.REPLAY, recording.device.name, version("vitalkeep"))
        stopped = asyncio.run(_watch(plan, link, writer, summary))
        writer.end_session(Ended.CLEAN)
    if not plan.as_json:
        _tell(summary, store, session, stopped)
    if summary.cut_short:
        _say(f"{plan.replay.name}: the recording is cut short; all that could be read is stored")
        return exit_codes.FAILED
    return exit_codes.OK


async def _watch(plan: Plan, link: Link, writer: StoreWriter, summary: _Summary) -> bool:
    """Holds the session with everybody watching; True if a signal stopped it."""
    stopped = False
    loop = asyncio.get_running_loop()

    def stop() -> None:
        nonlocal stopped
        stopped = True
        closing.append(loop.create_task(link.close()))

    closing: list[asyncio.Task[None]] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        # Outside the main thread no signal comes here, and none can be asked for.
        with suppress(ValueError, RuntimeError, NotImplementedError):
            loop.add_signal_handler(number, stop)
    watchers: list[Watcher] = [summary]
    if plan.as_json:
        watchers.append(_JsonLines())
    view = LiveView(link.device.name, plan.speed, plan.config.limits) if plan.view else None
    watchers.append(view if view is not None else ToldLines(quiet=plan.as_json))
    command = AlertCommand(plan.on_alert, _say) if plan.on_alert else None
    if command is not None:
        watchers.append(command)
    try:
        if view is not None:
            view.open()
        pipeline = await hold_session(link, plan.config.limits, writer, watchers)
        summary.analysis.close(pipeline)
    finally:
        if view is not None:
            view.close()
        if command is not None:
            await command.finish()
    return stopped


class _Summary:
    """A Watcher that keeps what the closing page tells."""

    def __init__(self, name: str) -> None:
        self.analysis = Analysis(record=name, fs_hz=None, channel=None, start_ns=0)
        self.cut_short = False

    def item(self, item: Item) -> None:
        if isinstance(item, Gap) and item.reason is GapReason.TRUNCATED:
            self.cut_short = True
        if self.analysis.end_ns == 0:
            self.analysis.start_ns = item.t_ns if isinstance(item, Reading) else item.start_ns
        if isinstance(item, Samples) and item.kind is Kind.ECG:
            self.analysis.channel, self.analysis.fs_hz = item.channel, item.fs_hz
        self.analysis.see(item)

    def finding(self, finding: Finding) -> None:
        self.analysis.add(finding)

    def tick(self) -> None: ...

    def trouble(self, message: str) -> None: ...


class _JsonLines:
    """A Watcher that prints."""

    def item(self, item: Item) -> None: ...

    def finding(self, finding: Finding) -> None:
        line = finding_line(finding)
        if line is not None:
            click.echo(line)

    def tick(self) -> None: ...

    def trouble(self, message: str) -> None: ...


def _tell(summary: _Summary, store: Store, session: int, stopped: bool) -> None:
    print_analysis(analysis_object(summary.analysis))
    console = Console(highlight=False)
    how = "Stopped by you; e" if stopped else "E"
    console.print(f"{how}verything is stored, encrypted, in {store.folder} (session {session}).", soft_wrap=True)
    console.print("See it again with: vitalkeep status, vitalkeep alerts", style="dim")
    _say(NOT_MEDICAL)


def _say(message: str) -> None:
    Console(stderr=True, highlight=False).print(f"vitalkeep: {message}", soft_wrap=True, markup=False)
