"""What `vitalkeep run` was asked to do, and the doing: link, pipeline, store, view and command are wired here."""

from __future__ import annotations

import asyncio
import shlex
from dataclasses import dataclass
from pathlib import Path

from device_pipeline.config import Config
from device_pipeline.errors import StoreError
from device_pipeline.run import Finding
from device_pipeline.store.store import Store, open_store
from device_pipeline.store.writer import SessionKind, StoreWriter
from sensors.link import Link
from sensors.recording import Recording
from sensors.replay_link import ReplayLink
from sensors.samples import Gap, GapReason, Item, Kind, Reading, Samples
from vitalkeep.alert_command import AlertCommand
from vitalkeep.analysis import Analysis
from vitalkeep.cli import exit_codes
from vitalkeep.cli.analysis_json import analysis_object
from vitalkeep.cli.analysis_text import page, print_analysis
from vitalkeep.cli.app import NOT_MEDICAL
from vitalkeep.cli.json_lines import JsonLines
from vitalkeep.cli.live_view import LiveView
from vitalkeep.cli.on_signal import on_signal
from vitalkeep.cli.say import say
from vitalkeep.cli.session_holder import SessionHolder
from vitalkeep.cli.told_lines import ToldLines
from vitalkeep.model_trial import models_on_trial
from vitalkeep.paths import data_folder
from vitalkeep.session import Watcher, hold_session


@dataclass(frozen=True, slots=True)
class Plan:
    replay: Path
    speed: float | None  # None: as fast as it can be read
    store: Path
    view: bool
    as_json: bool
    on_alert: tuple[str, ...]  # the words of a command, none for no command
    config: Config


def carry_out(plan: Plan) -> int:
    """Runs to the end or until stopped; returns the exit code. Raises SensorError, PipelineError."""
    recording = Recording(plan.replay)
    link = ReplayLink(recording, plan.speed)
    store = open_store(plan.store)
    summary = _Summary(plan.replay.name.split(".")[0])
    watch = _Watch(plan, link, summary)
    holder = SessionHolder(store, plan.config.keep_raw_days)
    holder.hold(SessionKind.REPLAY, [recording.device.name], watch)
    (session,) = holder.sessions
    if not plan.as_json:
        _tell(summary, store, session, watch.stopped, holder.unstored is None)
    if holder.unstored is not None:
        say(f"not everything of session {session} is stored")
        return exit_codes.STORE
    if summary.cut_short:
        say(f"{plan.replay.name}: the recording is cut short; all that could be read is stored")
        return exit_codes.FAILED
    return exit_codes.OK


class _Watch:
    """Holds the session with everybody watching, until the link ends or a signal stops it."""

    def __init__(self, plan: Plan, link: Link, summary: _Summary) -> None:
        self._plan = plan
        self._link = link
        self._summary = summary
        self._command: AlertCommand | None = None
        self._view: LiveView | None = None
        self._closing: asyncio.Task[None] | None = None
        self.stopped = False

    async def hold(self, writers: list[StoreWriter]) -> StoreError | None:
        on_signal(self._stop)
        (writer,) = writers
        plan = self._plan
        self._view = view = LiveView(self._link.device.name, plan.speed, plan.config.limits) if plan.view else None
        watchers: list[Watcher] = [self._summary]
        if plan.as_json:
            watchers.append(JsonLines(self._close))
        watchers.append(view if view is not None else ToldLines(quiet=plan.as_json))
        if plan.on_alert:
            self._command = AlertCommand(plan.on_alert, say if view is None else view.trouble)
            watchers.append(self._command)
        models = models_on_trial(writer)
        if view is not None:
            view.open()
        held = await hold_session(self._link, plan.config.limits, writer, watchers, models=models.session())
        self._summary.analysis.close(held.pipeline)
        return held.unstored

    async def leave(self) -> None:
        if self._view is not None:
            self._view.close()
        if self._command is not None:
            await self._command.finish()

    def _stop(self) -> None:
        if self.stopped and self._command is not None:
            self._command.hurry()
        self.stopped = True
        self._close()

    def _close(self) -> None:
        if self._closing is None:
            self._closing = asyncio.get_running_loop().create_task(self._link.close())


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


def _tell(summary: _Summary, store: Store, session: int, stopped: bool, is_stored: bool) -> None:
    print_analysis(analysis_object(summary.analysis))
    how = "Stopped by you; e" if stopped else "E"
    with page() as console:
        if is_stored:
            told = f"{how}verything is stored, encrypted, in {store.folder} (session {session})."
            console.print(told, soft_wrap=True, markup=False)
        where = "" if store.folder == data_folder() else f" --store {shlex.quote(str(store.folder))}"
        again = f"See it again with: vitalkeep status{where}, vitalkeep alerts{where}"
        console.print(again, style="dim", soft_wrap=True, markup=False)
    say(NOT_MEDICAL)
