"""A pulse oximeter: SpO2, pulse rate and perfusion once a second (Pulse Oximeter Service 1.0, PLX Continuous).

For five seconds of each minute the finger is out of it.
"""

from __future__ import annotations

import math

from sensors.profiles.plx import Condition, Pair
from sensors.profiles.plx_continuous import PlxContinuous, PlxContinuousProfile
from sensors.wire import NoNumber
from vitalkeep.simulate.peripheral import NOTIFY
from vitalkeep.simulate.steady import Steady

OFF_FINGER_S = range(30, 35)  # of each minute
_EVERY_S = 1
_NOT_ON_USER = 1 << 11


class Oximeter(Steady):
    def __init__(self) -> None:
        super().__init__(
            "Virtual Oximeter", service="1822", characteristic="2A5F", how=NOTIFY, every_s=_EVERY_S, value=continuous
        )


def continuous(second: int) -> bytes:
    """The measurement of that second: SpO2 in %, pulse rate in 1/min, device status, pulse amplitude index in %."""
    if second % 60 in OFF_FINGER_S:
        nothing = Pair(NoNumber.NAN, NoNumber.NAN)
        return PlxContinuousProfile().encode(PlxContinuous(nothing, condition=Condition(None, _NOT_ON_USER, 0.0)))
    spo2_pct = 97 + round(math.sin(2 * math.pi * second / 60))
    pulse_bpm = 66 + round(3 * math.sin(2 * math.pi * second / 20))
    pair = Pair(float(spo2_pct), float(pulse_bpm))
    return PlxContinuousProfile().encode(PlxContinuous(pair, condition=Condition(None, 0, 4.2)))
