"""Current Time, 0x2A2B (Current Time Service 1.1, 3.1): what the device's own clock shows, without a zone."""

from __future__ import annotations

from dataclasses import dataclass

from sensors.errors import DecodeError
from sensors.profile import Observation, full_uuid
from sensors.profiles.date_time import DateTime
from sensors.wire import Cursor, Writer


@dataclass(frozen=True, slots=True)
class CurrentTime:
    """`day_of_week`: 1 is Monday, 0 unknown. `fractions_256`: of a second. `adjust`: why it was set, as bits."""

    time: DateTime
    day_of_week: int
    fractions_256: int
    adjust: int


class CurrentTimeProfile:
    name = "current_time"
    characteristic = full_uuid("2a2b")
    channels: tuple[str, ...] = ()
    silent_after_s: float | None = None

    def decode(self, payload: bytes) -> CurrentTime:
        cursor = Cursor(payload)
        value = CurrentTime(DateTime.read(cursor), cursor.u8(), cursor.u8(), cursor.u8())
        cursor.done()
        if not value.time.possible:
            raise DecodeError("a date or time outside the calendar, expected one inside")
        if value.day_of_week > 7:
            raise DecodeError(f"day {value.day_of_week} of the week, expected 0 to 7")
        return value

    def encode(self, value: CurrentTime) -> bytes:
        if not value.time.possible or not 0 <= value.day_of_week <= 7:
            raise ValueError("a date or time outside the calendar")
        out = Writer()
        value.time.write(out)
        return out.u8(value.day_of_week).u8(value.fractions_256).u8(value.adjust).getvalue()

    def observe(self, value: CurrentTime) -> tuple[Observation, ...]:
        return ()

    def fields(self, value: CurrentTime) -> dict[str, object]:
        return {
            "time": value.time.iso,
            "dow": value.day_of_week,
            "frac256": value.fractions_256,
            "adjust": value.adjust,
        }
