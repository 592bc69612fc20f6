"""A live link that says what becomes of it, and ends with the process: for every command that holds a device."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress

from rich.console import Console

from sensors.link import Device, Event, Link, LinkDown, LinkUp


class ToldLink:
    """A link that also says when its device comes and goes."""

    def __init__(self, link: Link, say: Callable[[str, bool], None]) -> None:
        """`say(message, first)`: `first` before the device has ever been there."""
        self._link = link
        self._say = say
        self.held = False
        self.outages = 0

    @property
    def device(self) -> Device:
        return self._link.device

    async def close(self) -> None:
        await self._link.close()

    async def __aiter__(self) -> AsyncIterator[Event]:
        is_down = True
        async for event in self._link:
            if isinstance(event, LinkDown):
                self.outages += not is_down
                is_down = True
                self._say(f"{event.reason}; trying again", not self.held)
            elif isinstance(event, LinkUp):
                self._say("connected", not self.held)
                self.held, is_down = True, False
            yield event


def close_on_signal(links: Sequence[Link]) -> None:
    loop = asyncio.get_running_loop()
    closing: set[asyncio.Task[None]] = set()

    def stop() -> None:
        for link in links:
            task = loop.create_task(link.close())
            closing.add(task)
            task.add_done_callback(closing.discard)

    for number in (signal.SIGINT, signal.SIGTERM):
        # Outside the main thread no signal comes here, and none can be asked for.
        with suppress(ValueError, RuntimeError, NotImplementedError):
            loop.add_signal_handler(number, stop)


def say(message: str) -> None:
    Console(stderr=True, highlight=False).print(f"vitalkeep: {message}", soft_wrap=True, markup=False)
