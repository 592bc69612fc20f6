"""A thermometer: body temperature, indicated every two seconds (Health Thermometer Service 1.0)."""

from __future__ import annotations

from bumble.device import Device
from bumble.gatt import Characteristic, Service

from sensors.link import Notification
from sensors.wire import Writer
from vitalkeep.simulate.peripheral import INDICATE, READABLE, Pace, send

_EVERY_S = 2
_HAS_TYPE, _BODY = 0x04, 2


class Thermometer:
    name = "Virtual Thermometer"

    def __init__(self) -> None:
        self.measurement: Characteristic[bytes] = Characteristic("2A1C", INDICATE, READABLE)
        self.services = (Service("1809", [self.measurement]),)

    def attach(self, device: Device) -> None: ...

    def wants(self, event: Notification) -> bool:
        return True

    async def play(self, device: Device, pace: Pace) -> None:
        count = 0
        while True:
            count += 1
            await pace.until(count * _EVERY_S)
            await send(device, self.measurement, measurement(count))


def measurement(count: int) -> bytes:
    """The measurement of that number: FLOAT in degrees Celsius and where it was taken."""
    celsius = round(36.6 + 0.1 * (count % 5), 1)
    return Writer().u8(_HAS_TYPE).float32(celsius).u8(_BODY).getvalue()
