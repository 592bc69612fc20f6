"""PLX Spot-Check Measurement, 0x2A5E (Pulse Oximeter Service 1.0.1, 3.1): one saturation and pulse rate, indicated
once it is steady. Its channels are its own: between two spot checks nothing is missing from a continuous one.
"""

from __future__ import annotations

from dataclasses import dataclass

from sensors.profile import Observation, full_uuid
from sensors.profiles.date_time import DateTime
from sensors.profiles.plx import UNTOLD, Condition, Pair, observe
from sensors.wire import Cursor, Writer

_TIME, _STATUS, _DEVICE_STATUS, _PAI, _CLOCK_NOT_SET = 0x01, 0x02, 0x04, 0x08, 0x10


@dataclass(frozen=True, slots=True, repr=False)
class PlxSpotCheck:
    """`clock_not_set`: the oximeter's clock is not set, so `time` means nothing."""

    pair: Pair
    time: DateTime | None = None
    condition: Condition = UNTOLD
    clock_not_set: bool = False

    def __repr__(self) -> str:
        return "<PlxSpotCheck>"


class PlxSpotCheckProfile:
    name = "plx_spot_check"
    characteristic = full_uuid("2a5e")
    channels = ("spo2_spot", "pulse_rate_spot", "perfusion_spot")
    silent_after_s: float | None = None

    def decode(self, payload: bytes) -> PlxSpotCheck:
        cursor = Cursor(payload)
        flags = cursor.u8()
        pair = Pair.read(cursor)
        time = DateTime.read(cursor) if flags & _TIME else None
        condition = Condition.read(cursor, flags & _STATUS, flags & _DEVICE_STATUS, flags & _PAI)
        cursor.done()
        return PlxSpotCheck(pair, time, condition, bool(flags & _CLOCK_NOT_SET))

    def encode(self, value: PlxSpotCheck) -> bytes:
        condition = value.condition
        parts = (value.time, condition.status, condition.device_status, condition.pai_pct)
        flags = sum(1 << bit for bit, part in enumerate(parts) if part is not None)
        out = Writer().u8(flags | (_CLOCK_NOT_SET if value.clock_not_set else 0))
        value.pair.write(out)
        if value.time is not None:
            value.time.write(out)
        condition.write(out)
        return out.getvalue()

    def observe(self, value: PlxSpotCheck) -> tuple[Observation, ...]:
        return observe(value.pair, value.condition, self.channels, spot=True)

    def fields(self, value: PlxSpotCheck) -> dict[str, object]:
        found = value.pair.fields()
        if value.time is not None:
            found["time"] = value.time.iso
        if value.clock_not_set:
            found["clock_not_set"] = True
        return found | value.condition.fields()
