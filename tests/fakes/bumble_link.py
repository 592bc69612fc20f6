"""A Link that holds a virtual sensor through a real BleakClient: what `sensors.bleak_link` is to a true radio."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence

from bleak import BleakClient
from bleak.backends.characteristic import BleakGATTCharacteristic
from bumble.device import Device as Radio

from sensors.link import Device, Event, LinkDown, Notification
from sensors.profile import full_uuid
from sensors.profiles.polar_pmd_control import CONTROL
from tests.fakes.bumble_backend import backend_on

LIMIT_S = 60.0  # of a machine that is busy with other things


class BumbleLink:
    """Subscribes to everything that notifies or indicates, then writes `commands` to the control point.

    Ends after `count` notifications, or when the link is lost. `now_s`: the sensor's own time of sending, so that a
    machine that is busy with other things makes nothing late.
    """

    def __init__(
        self,
        central: Radio,
        device: Device,
        commands: Sequence[bytes],
        count: int,
        started_ns: int,
        now_s: Callable[[], float],
    ) -> None:
        self.device = device
        self._central = central
        self._commands = commands
        self._count = count
        self._started_ns = started_ns
        self._now_s = now_s
        self._closed = False

    async def close(self) -> None:
        self._closed = True

    async def __aiter__(self) -> AsyncIterator[Event]:
        events: asyncio.Queue[Event] = asyncio.Queue()

        def now_ns() -> int:
            return self._started_ns + round(self._now_s() * 1e9)

        def notified(characteristic: BleakGATTCharacteristic, value: bytearray) -> None:
            events.put_nowait(Notification(now_ns(), full_uuid(characteristic.uuid), bytes(value)))

        def lost(_: BleakClient) -> None:
            events.put_nowait(LinkDown(now_ns(), "lost"))

        assert self.device.address is not None
        backend = backend_on(self._central)
        async with asyncio.timeout(LIMIT_S):
            client = BleakClient(self.device.address, lost, backend=backend)
            await client.connect()
            for characteristic in list(client.services.characteristics.values()):
                if {"notify", "indicate"} & set(characteristic.properties):
                    await client.start_notify(characteristic, notified)
            for command in self._commands:
                await client.write_gatt_char(CONTROL, command, response=True)
        try:
            for _ in range(self._count):
                event = await asyncio.wait_for(events.get(), LIMIT_S)
                yield event
                if self._closed or isinstance(event, LinkDown):
                    return
        finally:
            await client.disconnect()
