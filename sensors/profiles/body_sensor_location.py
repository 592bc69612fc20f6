"""Body Sensor Location, 0x2A38 (Heart Rate Service 1.0, 3.2): where the sensor is meant to be worn."""

from __future__ import annotations

from dataclasses import dataclass

from sensors.errors import DecodeError
from sensors.profile import Observation, full_uuid
from sensors.wire import Cursor, Writer

NAMES = ("other", "chest", "wrist", "finger", "hand", "ear lobe", "foot")


@dataclass(frozen=True, slots=True)
class BodySensorLocation:
    """`number`: the place of the name in `NAMES`."""

    number: int

    @property
    def name(self) -> str:
        return NAMES[self.number]


class BodySensorLocationProfile:
    name = "body_sensor_location"
    characteristic = full_uuid("2a38")
    channels: tuple[str, ...] = ()
    silent_after_s: float | None = None

    def decode(self, payload: bytes) -> BodySensorLocation:
        cursor = Cursor(payload)
        number = cursor.u8()
        cursor.done()
        if number >= len(NAMES):
            raise DecodeError(f"location {number}, expected 0 to {len(NAMES) - 1}")
        return BodySensorLocation(number)

    def encode(self, value: BodySensorLocation) -> bytes:
        if not 0 <= value.number < len(NAMES):
            raise ValueError(f"location {value.number}, expected 0 to {len(NAMES) - 1}")
        return Writer().u8(value.number).getvalue()

    def observe(self, value: BodySensorLocation) -> tuple[Observation, ...]:
        return ()

    def fields(self, value: BodySensorLocation) -> dict[str, object]:
        return {"location": value.name}
