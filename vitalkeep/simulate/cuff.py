"""A blood pressure cuff: a measurement every ten seconds, indicated (Blood Pressure Service 1.0).

Every fourth says that the wearer moved, which is no measurement.
"""

from __future__ import annotations

from bumble.device import Device
from bumble.gatt import Characteristic, Service

from sensors.link import Notification
from sensors.profiles.blood_pressure import BloodPressure, BloodPressureProfile
from vitalkeep.simulate.peripheral import INDICATE, READABLE, Pace, send

EVERY_S = 10
_MOVED = 1 << 0


class Cuff:
    name = "Virtual Cuff"

    def __init__(self) -> None:
        self.measurement: Characteristic[bytes] = Characteristic("2A35", INDICATE, READABLE)
        self.services = (Service("1810", [self.measurement]),)

    def attach(self, device: Device) -> None: ...

    def wants(self, event: Notification) -> bool:
        return True

    async def play(self, device: Device, pace: Pace) -> None:
        count = 0
        while True:
            count += 1
            await pace.until(count * EVERY_S)
            await send(device, self.measurement, measurement(count))


def measurement(count: int) -> bytes:
    """The measurement of that number, in mmHg, with pulse rate and status."""
    swing = count % 5
    value = BloodPressure(
        118.0 + swing, 76.0 + swing, 90.0 + swing, pulse_bpm=66.0 + swing, status=_MOVED if count % 4 == 0 else 0
    )
    return BloodPressureProfile().encode(value)
