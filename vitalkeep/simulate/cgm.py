"""A continuous glucose monitor: a record a minute with its CRC (Continuous Glucose Monitoring Service 1.0.2)."""

from __future__ import annotations

import math

from sensors.profiles.cgm import CgmProfile, CgmRecord
from vitalkeep.simulate.peripheral import NOTIFY
from vitalkeep.simulate.steady import Steady

EVERY_S = 60


class Cgm(Steady):
    def __init__(self) -> None:
        super().__init__(
            "Virtual CGM", service="181F", characteristic="2AA7", how=NOTIFY, every_s=EVERY_S, value=measurement
        )


def measurement(minute: int) -> bytes:
    """The record of that minute of the session: mg/dL and how fast it changes."""
    phase = 2 * math.pi * minute / 180
    glucose, trend = round(110 + 30 * math.sin(phase)), round(30 * 2 * math.pi / 180 * math.cos(phase), 1)
    return CgmProfile().encode((CgmRecord(float(glucose), minute, trend_mg_dl_min=trend, has_crc=True),))
