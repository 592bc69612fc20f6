"""A thermometer: body temperature, indicated every two seconds (Health Thermometer Service 1.0)."""

from __future__ import annotations

from sensors.wire import Writer
from vitalkeep.simulate.peripheral import INDICATE
from vitalkeep.simulate.steady import Steady

_EVERY_S = 2
_HAS_TYPE, _BODY = 0x04, 2


class Thermometer(Steady):
    def __init__(self) -> None:
        super().__init__(
            "Virtual Thermometer",
            service="1809",
            characteristic="2A1C",
            how=INDICATE,
            every_s=_EVERY_S,
            value=measurement,
        )


def measurement(count: int) -> bytes:
    """The measurement of that number: FLOAT in degrees Celsius and where it was taken."""
    celsius = round(36.6 + 0.1 * (count % 5), 1)
    return Writer().u8(_HAS_TYPE).float32(celsius).u8(_BODY).getvalue()
