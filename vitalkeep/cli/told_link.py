"""A live link that says what becomes of it, for every command that holds a device."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

from sensors.link import Device, Event, Link, LinkDown, LinkUp


class ToldLink:
    """A link that also says when its device comes and goes."""

    def __init__(self, link: Link, tell: Callable[[str, bool], None]) -> None:
        """`tell(message, never)`: `never`: it is missing, and has never been there."""
        self._link = link
        self._tell = tell
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
                self._tell(f"{event.reason}; trying again", not self.held)
            elif isinstance(event, LinkUp):
                self._tell("connected", False)
                self.held, is_down = True, False
            yield event
