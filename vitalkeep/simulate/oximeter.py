"""A pulse oximeter: SpO2 and pulse rate once a second (Pulse Oximeter Service 1.0, PLX Continuous Measurement)."""

from __future__ import annotations

import math

from bumble.device import Device
from bumble.gatt import Characteristic, Service

from sensors.link import Notification
from sensors.wire import Writer
from vitalkeep.simulate.peripheral import NOTIFY, READABLE, Pace, send


class Oximeter:
    name = "Virtual Oximeter"

    def __init__(self) -> None:
        self.continuous: Characteristic[bytes] = Characteristic("2A5F", NOTIFY, READABLE)
        self.services = (Service("1822", [self.continuous]),)

    def attach(self, device: Device) -> None: ...

    def wants(self, event: Notification) -> bool:
        return True

    async def play(self, device: Device, pace: Pace) -> None:
        second = 0
        while True:
            second += 1
            await pace.until(second)
            await send(device, self.continuous, continuous(second))


def continuous(second: int) -> bytes:
    """The measurement of that second: no flags, SpO2 in %, pulse rate in 1/min."""
    spo2_pct = 97 + round(math.sin(2 * math.pi * second / 60))
    pulse_bpm = 66 + round(3 * math.sin(2 * math.pi * second / 20))
    return Writer().u8(0).sfloat(float(spo2_pct)).sfloat(float(pulse_bpm)).getvalue()
