"""The wearer's own command on an alert. What was seen goes to its standard input, never onto a command line that
other users of the machine could read."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
from collections.abc import Callable

from device_pipeline.alerts.alert import Alert
from device_pipeline.run import Finding
from sensors.samples import Item

_LONGEST_S = 30.0


class AlertCommand:
    """A Watcher. The command gets `{"rule", "state", "start_ns", "end_ns", "text"}`; state is raised or over."""

    def __init__(self, command: str, say: Callable[[str], None]) -> None:
        """Raises ValueError for a command that cannot be split into words."""
        self._words = shlex.split(command)
        if not self._words:
            raise ValueError("an empty command")
        self._say = say
        self._running: set[asyncio.Task[None]] = set()

    def item(self, item: Item) -> None: ...

    def tick(self) -> None: ...

    def trouble(self, message: str) -> None: ...

    def finding(self, finding: Finding) -> None:
        if isinstance(finding, Alert):
            task = asyncio.get_running_loop().create_task(self._run(finding))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def finish(self) -> None:
        """Waits for the commands that still run."""
        await asyncio.gather(*self._running)

    async def _run(self, alert: Alert) -> None:
        state = "raised" if alert.end_ns is None else "over"
        told = {
            "rule": alert.rule,
            "state": state,
            "start_ns": alert.start_ns,
            "end_ns": alert.end_ns,
            "text": alert.text,
        }
        try:
            process = await asyncio.create_subprocess_exec(
                *self._words,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.DEVNULL,
                env={**os.environ, "VITALKEEP_RULE": alert.rule, "VITALKEEP_STATE": state},
            )
        except OSError as problem:
            self._say(f"--on-alert: {self._words[0]}: {problem.strerror}")
            return
        try:
            await asyncio.wait_for(process.communicate(json.dumps(told).encode() + b"\n"), _LONGEST_S)
        except TimeoutError:
            process.kill()
            await process.wait()
            self._say(f"--on-alert: {self._words[0]} ran for more than {_LONGEST_S:g} s and was ended")
            return
        if process.returncode:
            self._say(f"--on-alert: {self._words[0]} ended with exit code {process.returncode}")
