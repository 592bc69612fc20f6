"""What every virtual sensor is: services to find, values to send, and a pace. It advertises again after each link.

One kind a file beside this one, and a line in `catalog.py`. Values go out as the profiles of `sensors` write them, so
what is played is what is read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Protocol

from bumble.att import Attribute
from bumble.core import UUID, AdvertisingData
from bumble.device import Device
from bumble.gatt import Characteristic, Service

from sensors.link import Event, Notification

NOTIFY = Characteristic.Properties.NOTIFY
INDICATE = Characteristic.Properties.INDICATE
READ = Characteristic.Properties.READ
WRITE = Characteristic.Properties.WRITE
READABLE = Attribute.Permissions.READABLE
WRITEABLE = Attribute.Permissions.WRITEABLE


class Peripheral(Protocol):
    """A sensor that can be found and connected to."""

    @property
    def name(self) -> str:
        """As it is advertised."""

    @property
    def services(self) -> tuple[Service, ...]: ...

    def attach(self, device: Device) -> None:
        """It is this device from here on."""

    async def play(self, device: Device, pace: Pace) -> None:
        """Sends made-up values until it is cancelled."""

    def wants(self, event: Notification) -> bool:
        """Whether a recorded notification may go out now."""


class Pace:
    """Time of the play: `speed` times as fast as the clock on the wall."""

    def __init__(self, speed: float = 1.0) -> None:
        self._speed = speed
        self.due_s = 0.0
        """The moment that was waited for last: when the last value should have gone out."""
        self._began_s = asyncio.get_running_loop().time()

    def now_s(self) -> float:
        return (asyncio.get_running_loop().time() - self._began_s) * self._speed

    async def until(self, moment_s: float) -> None:
        await asyncio.sleep(max(0.0, (moment_s - self.now_s()) / self._speed))
        self.due_s = moment_s


async def appear(device: Device, peripheral: Peripheral) -> None:
    """Powers the radio on and advertises name and services, again after each link."""
    peripheral.attach(device)
    for service in peripheral.services:
        device.add_service(service)
    short = b"".join(uuid.to_bytes() for service in peripheral.services if len((uuid := service.uuid).to_bytes()) == 2)
    # 31 bytes at most, Bluetooth Core Vol 3 Part C 11; a name here and not in the scan response is seen by everybody
    device.advertising_data = bytes(
        AdvertisingData(
            [
                (AdvertisingData.FLAGS, bytes([0x06])),  # general discoverable, LE only
                (AdvertisingData.INCOMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS, short),
                (AdvertisingData.COMPLETE_LOCAL_NAME, peripheral.name.encode()),
            ]
        )
    )
    await device.power_on()
    await device.start_advertising(auto_restart=True)


async def send(device: Device, characteristic: Characteristic[bytes], value: bytes) -> None:
    """To whoever subscribed; nobody listening is no error."""
    if characteristic.properties & NOTIFY:
        await device.notify_subscribers(characteristic, value)
    else:
        await device.indicate_subscribers(characteristic, value)


async def replay(device: Device, peripheral: Peripheral, events: Iterable[Event], pace: Pace) -> int:
    """Plays the notifications of a recording that this sensor has; returns how many went out.

    It begins with the first subscription. Link losses are pauses.
    """
    known = {
        bytes(found.uuid.to_bytes(force_128=True)): found
        for service in peripheral.services
        for found in service.characteristics
    }
    await _subscribed(list(known.values()))
    first_ns: int | None = None
    began_s, sent = pace.now_s(), 0
    for event in events:
        if not isinstance(event, Notification):
            continue
        characteristic = known.get(bytes(UUID(event.characteristic).to_bytes(force_128=True)))
        first_ns = event.t_ns if first_ns is None else first_ns
        await pace.until(began_s + (event.t_ns - first_ns) / 1e9)
        if characteristic is not None and characteristic.properties & (NOTIFY | INDICATE) and peripheral.wants(event):
            await send(device, characteristic, event.payload)
            sent += 1
    return sent


async def _subscribed(characteristics: list[Characteristic[bytes]]) -> None:
    """Until somebody wants the values of one of them."""
    wanted = asyncio.Event()
    for characteristic in characteristics:
        characteristic.on(characteristic.EVENT_SUBSCRIPTION, lambda *_: wanted.set())
    await wanted.wait()
