"""What sensors of one value have in common: one service, one characteristic, and a value at every turn of its clock."""

from __future__ import annotations

from collections.abc import Callable

from bumble.device import Device
from bumble.gatt import Characteristic, Service

from sensors.link import Notification
from vitalkeep.simulate.peripheral import READABLE, Pace, send


class Steady:
    """Sends value(n) at n * every_s, n from 1 on; `how` is NOTIFY or INDICATE, UUIDs are of 16 bits."""

    def __init__(
        self,
        name: str,
        *,
        service: str,
        characteristic: str,
        how: Characteristic.Properties,
        every_s: int,
        value: Callable[[int], bytes],
    ) -> None:
        self.name = name
        self._characteristic: Characteristic[bytes] = Characteristic(characteristic, how, READABLE)
        self.services = (Service(service, [self._characteristic]),)
        self._every_s, self._value = every_s, value

    def attach(self, device: Device) -> None: ...

    def wants(self, event: Notification) -> bool:
        return True

    async def play(self, device: Device, pace: Pace) -> None:
        count = 0
        while True:
            count += 1
            await pace.until(count * self._every_s)
            await send(device, self._characteristic, self._value(count))
