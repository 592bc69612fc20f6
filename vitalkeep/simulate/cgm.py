"""A continuous glucose monitor: a record a minute with its CRC (Continuous Glucose Monitoring Service 1.0.2)."""

from __future__ import annotations

import math

from bumble.device import Device
from bumble.gatt import Characteristic, Service

from sensors.link import Notification
from sensors.profiles.cgm import CgmProfile, CgmRecord
from vitalkeep.simulate.peripheral import NOTIFY, READABLE, Pace, send

EVERY_S = 60


class Cgm:
    name = "Virtual CGM"

    def __init__(self) -> None:
        self.measurement: Characteristic[bytes] = Characteristic("2AA7", NOTIFY, READABLE)
        self.services = (Service("181F", [self.measurement]),)

    def attach(self, device: Device) -> None: ...

    def wants(self, event: Notification) -> bool:
        return True

    async def play(self, device: Device, pace: Pace) -> None:
        minute = 0
        while True:
            minute += 1
            await pace.until(minute * EVERY_S)
            await send(device, self.measurement, measurement(minute))


def measurement(minute: int) -> bytes:
    """The record of that minute of the session: mg/dL and how fast it changes."""
    phase = 2 * math.pi * minute / 180
    glucose, trend = round(110 + 30 * math.sin(phase)), round(30 * 2 * math.pi / 180 * math.cos(phase), 1)
    return CgmProfile().encode((CgmRecord(float(glucose), minute, trend_mg_dl_min=trend, has_crc=True),))
