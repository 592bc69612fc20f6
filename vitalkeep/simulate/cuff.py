"""A blood pressure cuff: a measurement every ten seconds, indicated (Blood Pressure Service 1.0).

Every fourth says that the wearer moved, which is no measurement.
"""

from __future__ import annotations

from sensors.profiles.blood_pressure import BloodPressure, BloodPressureProfile
from vitalkeep.simulate.peripheral import INDICATE
from vitalkeep.simulate.steady import Steady

EVERY_S = 10
_MOVED = 1 << 0


class Cuff(Steady):
    def __init__(self) -> None:
        super().__init__(
            "Virtual Cuff", service="1810", characteristic="2A35", how=INDICATE, every_s=EVERY_S, value=measurement
        )


def measurement(count: int) -> bytes:
    """The measurement of that number, in mmHg, with pulse rate and status."""
    swing = count % 5
    value = BloodPressure(
        118.0 + swing, 76.0 + swing, 90.0 + swing, pulse_bpm=66.0 + swing, status=_MOVED if count % 4 == 0 else 0
    )
    return BloodPressureProfile().encode(value)
