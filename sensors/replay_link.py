"""A recording played back is a Link. The speed changes when events come, never what they say."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from sensors.link import Device, Event
from sensors.recording import Recording

# As fast as possible still lets the rest of the process breathe.
_EVENTS_A_TURN = 256


class ReplayLink:
    """`speed` N plays N times as fast as it happened; None as fast as it can be read."""

    def __init__(self, recording: Recording, speed: float | None = None) -> None:
        if speed is not None and not 0 < speed < float("inf"):
            raise ValueError(f"a speed of {speed}, expected above 0, or None for as fast as possible")
        self._recording = recording
        self._speed = speed
        self._closed = asyncio.Event()

    @property
    def device(self) -> Device:
        return self._recording.device

    async def close(self) -> None:
        self._closed.set()

    async def __aiter__(self) -> AsyncIterator[Event]:
        loop = asyncio.get_running_loop()
        began_s, first_ns = loop.time(), None
        for count, event in enumerate(self._recording.events()):
            first_ns = event.t_ns if first_ns is None else first_ns
            if self._speed is not None:
                await self._until(began_s + (event.t_ns - first_ns) / 1e9 / self._speed)
            elif count % _EVENTS_A_TURN == 0:
                await asyncio.sleep(0)
            if self._closed.is_set():
                return
            yield event

    async def _until(self, moment_s: float) -> None:
        """Sleeps, but not past a close."""
        left_s = moment_s - asyncio.get_running_loop().time()
        if left_s > 0:
            try:
                await asyncio.wait_for(self._closed.wait(), left_s)
            except TimeoutError:
                return
