"""Temperature Measurement, 0x2A1C (Health Thermometer Service 1.0, 3.1): one temperature, indicated when final."""

from __future__ import annotations

from dataclasses import dataclass

from sensors.measured import observed
from sensors.profile import Observation, full_uuid
from sensors.profiles.date_time import DateTime
from sensors.samples import Quantity
from sensors.wire import Cursor, Measured, NoNumber, Writer

_FAHRENHEIT, _TIME, _TYPE = 0x01, 0x02, 0x04
# Of any thermometer that is not broken; the type tells whether it touches a body.
_LEAST_C, _MOST_C = -40.0, 85.0
_SKIN = (4, 8)  # finger and toe are colder than the body, and follow the room


@dataclass(frozen=True, slots=True, repr=False)
class Temperature:
    """`value` is in degrees Celsius, or Fahrenheit. `type`: 1 armpit 2 body 3 ear 4 finger 5 gastrointestinal tract
    6 mouth 7 rectum 8 toe 9 tympanum; others are reserved."""

    value: Measured
    fahrenheit: bool = False
    time: DateTime | None = None
    type: int | None = None

    def __repr__(self) -> str:
        return "<Temperature>"

    @property
    def celsius(self) -> Measured:
        if isinstance(self.value, NoNumber) or not self.fahrenheit:
            return self.value
        return (self.value - 32.0) / 1.8


class TemperatureProfile:
    name = "temperature"
    characteristic = full_uuid("2a1c")
    channels = ("temperature", "skin_temperature")
    silent_after_s: float | None = None

    def decode(self, payload: bytes) -> Temperature:
        cursor = Cursor(payload)
        flags = cursor.u8()
        value = cursor.float32()
        time = DateTime.read(cursor) if flags & _TIME else None
        kind = cursor.u8() if flags & _TYPE else None
        cursor.done()
        return Temperature(value, bool(flags & _FAHRENHEIT), time, kind)

    def encode(self, value: Temperature) -> bytes:
        flags = _FAHRENHEIT if value.fahrenheit else 0
        flags |= 0 if value.time is None else _TIME
        flags |= 0 if value.type is None else _TYPE
        out = Writer().u8(flags).float32(value.value)
        if value.time is not None:
            value.time.write(out)
        if value.type is not None:
            out.u8(value.type)
        return out.getvalue()

    def observe(self, value: Temperature) -> tuple[Observation, ...]:
        channel = self.channels[value.type in _SKIN]
        return (observed(Quantity.TEMPERATURE, channel, value.celsius, _LEAST_C, _MOST_C, spot=True),)

    def fields(self, value: Temperature) -> dict[str, object]:
        found: dict[str, object] = {
            "value": None if isinstance(value.value, NoNumber) else value.value,
            "unit": "F" if value.fahrenheit else "C",
        }
        if value.time is not None:
            found["time"] = value.time.iso
        if value.type is not None:
            found["type"] = value.type
        return found
