"""Battery Level, 0x2A19 (Battery Service 1.1, 3.1): exactly one byte, 0 to 100."""

from __future__ import annotations

from dataclasses import dataclass

from sensors.errors import DecodeError
from sensors.profile import Observation, Point, full_uuid
from sensors.samples import Quantity
from sensors.wire import Cursor, Writer


@dataclass(frozen=True, slots=True)
class BatteryLevel:
    percent: int

    @classmethod
    def decode(cls, payload: bytes) -> BatteryLevel:
        cursor = Cursor(payload)
        percent = cursor.u8()
        cursor.done()
        if percent > 100:
            raise DecodeError(f"a battery level of {percent} %, expected 0 to 100")
        return cls(percent)

    def encode(self) -> bytes:
        if not 0 <= self.percent <= 100:
            raise ValueError(f"a battery level of {self.percent} %, expected 0 to 100")
        return Writer().u8(self.percent).getvalue()


class BatteryProfile:
    name = "battery"
    characteristic = full_uuid("2a19")
    channels = ("battery",)
    silent_after_s: float | None = None

    def decode(self, payload: bytes) -> BatteryLevel:
        return BatteryLevel.decode(payload)

    def encode(self, value: BatteryLevel) -> bytes:
        return value.encode()

    def observe(self, value: BatteryLevel) -> tuple[Observation, ...]:
        return (Point(Quantity.BATTERY, "battery", float(value.percent)),)

    def fields(self, value: BatteryLevel) -> dict[str, object]:
        return {"percent": value.percent}
