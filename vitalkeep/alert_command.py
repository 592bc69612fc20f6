"""The wearer's own command on an alert. What was seen goes to its standard input, never onto a command line that
other users of the machine could read."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict

from device_pipeline.alerts.alert import Alert
from device_pipeline.run import Finding
from sensors.samples import Item

_LONGEST_S = 30.0
_AT_ONCE = 4


def command_words(command: str) -> list[str]:
    """The words of a command line, by the rules of the shell. Raises ValueError where it has none or is not closed."""
    words = shlex.split(command)
    if not words:
        raise ValueError("an empty command")
    return words


class AlertCommand:
    """A Watcher. The command gets `{"rule", "state", "start_ns", "end_ns", "text", "grounds"}`; state: raised or over.

    Commands start in the order of the alerts, a few at a time. One that fails, hangs or is missing is told and no more.
    """

    def __init__(self, words: Sequence[str], say: Callable[[str], None], longest_s: float = _LONGEST_S) -> None:
        self._words = tuple(words)
        self._say = say
        self._longest_s = longest_s
        self._turn = asyncio.Semaphore(_AT_ONCE)
        self._running: set[asyncio.Task[None]] = set()
        self._hurry = asyncio.Event()

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

    def hurry(self) -> None:
        """Ends the commands that still run."""
        self._hurry.set()

    async def _run(self, alert: Alert) -> None:
        async with self._turn:
            if not self._hurry.is_set():
                await self._start(alert)

    async def _start(self, alert: Alert) -> None:
        state = "raised" if alert.end_ns is None else "over"
        told = {
            "rule": alert.rule,
            "state": state,
            "start_ns": alert.start_ns,
            "end_ns": alert.end_ns,
            "text": alert.text,
            "grounds": None if alert.grounds is None else asdict(alert.grounds),
        }
        try:
            process = await asyncio.create_subprocess_exec(
                *self._words,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.DEVNULL,
                env={**os.environ, "VITALKEEP_RULE": alert.rule, "VITALKEEP_STATE": state},
                # A Ctrl-C is meant for us: the command may finish, and is ended with whatever it has started.
                start_new_session=True,
            )
        except (OSError, ValueError) as problem:
            why = problem.strerror if isinstance(problem, OSError) else str(problem)
            self._say(f"--on-alert: {self._words[0]}: {why}")
            return
        done = asyncio.create_task(_fed(process, json.dumps(told).encode() + b"\n"))
        hurry = asyncio.create_task(self._hurry.wait())
        try:
            await asyncio.wait((done, hurry), timeout=self._longest_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            hurry.cancel()
            ended = not done.done()
            if ended:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
            await done
        if ended and not self._hurry.is_set():
            self._say(f"--on-alert: {self._words[0]} ran for more than {self._longest_s:g} s and was ended")
        elif process.returncode and not ended:
            self._say(f"--on-alert: {self._words[0]} ended with exit code {process.returncode}")


async def _fed(process: asyncio.subprocess.Process, told: bytes) -> None:
    """Gives the process its input, which it need not read, and waits for its end."""
    await process.communicate(told)
