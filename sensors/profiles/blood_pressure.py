"""Blood Pressure Measurement, 0x2A35 (Blood Pressure Service 1.0, 3.1): one measurement of a cuff, indicated.

A measurement during which the cuff says that the wearer moved, that it sat loose or in a wrong place gives no number.
"""

from __future__ import annotations

from dataclasses import dataclass

from sensors.measured import number, observed
from sensors.profile import Absent, Observation, full_uuid
from sensors.profiles.date_time import DateTime
from sensors.samples import GapReason, Quantity
from sensors.wire import Cursor, Measured, NoNumber, Writer

_KPA, _TIME, _PULSE, _USER, _STATUS = 0x01, 0x02, 0x04, 0x08, 0x10
_MMHG_OF_KPA = 1000 / 133.322387415  # ISO 80000-4: the conventional millimetre of mercury
# Measurement Status
_MOVEMENT, _LOOSE, _PULSE_RANGE, _POSITION = 1 << 0, 1 << 1, 3 << 3, 1 << 5
_UNTRUSTED = _MOVEMENT | _LOOSE | _POSITION
_CHANNELS = ("systolic", "diastolic", "mean_pressure", "pulse_rate_cuff")


@dataclass(frozen=True, slots=True, repr=False)
class BloodPressure:
    """Pressures in mmHg, or kPa. `user` 255 is an unknown one; `status` bits: 0 movement, 1 loose cuff, 2 irregular
    pulse, 3-4 pulse outside its range, 5 wrong position."""

    systolic: Measured
    diastolic: Measured
    mean: Measured
    kpa: bool = False
    time: DateTime | None = None
    pulse_bpm: Measured | None = None
    user: int | None = None
    status: int | None = None

    def __repr__(self) -> str:
        return "<BloodPressure>"

    def mmhg(self, pressure: Measured) -> Measured:
        return pressure if isinstance(pressure, NoNumber) or not self.kpa else pressure * _MMHG_OF_KPA


class BloodPressureProfile:
    name = "blood_pressure"
    characteristic = full_uuid("2a35")
    channels = _CHANNELS
    silent_after_s: float | None = None

    def decode(self, payload: bytes) -> BloodPressure:
        cursor = Cursor(payload)
        flags = cursor.u8()
        value = BloodPressure(
            cursor.sfloat(),
            cursor.sfloat(),
            cursor.sfloat(),
            bool(flags & _KPA),
            DateTime.read(cursor) if flags & _TIME else None,
            cursor.sfloat() if flags & _PULSE else None,
            cursor.u8() if flags & _USER else None,
            cursor.u16() if flags & _STATUS else None,
        )
        cursor.done()
        return value

    def encode(self, value: BloodPressure) -> bytes:
        parts = (value.time, value.pulse_bpm, value.user, value.status)
        flags = value.kpa | sum(_TIME << bit for bit, part in enumerate(parts) if part is not None)
        out = Writer().u8(flags).sfloat(value.systolic).sfloat(value.diastolic).sfloat(value.mean)
        if value.time is not None:
            value.time.write(out)
        if value.pulse_bpm is not None:
            out.sfloat(value.pulse_bpm)
        if value.user is not None:
            out.u8(value.user)
        if value.status is not None:
            out.u16(value.status)
        return out.getvalue()

    def observe(self, value: BloodPressure) -> tuple[Observation, ...]:
        status = value.status or 0
        if status & _UNTRUSTED:
            told = _CHANNELS if value.pulse_bpm is not None else _CHANNELS[:3]
            return tuple(Absent(name, GapReason.POOR_SIGNAL, spot=True) for name in told)
        seen: list[Observation] = [
            observed(quantity, channel, value.mmhg(pressure), 1, 400, spot=True)
            for quantity, channel, pressure in (
                (Quantity.SYSTOLIC, _CHANNELS[0], value.systolic),
                (Quantity.DIASTOLIC, _CHANNELS[1], value.diastolic),
                (Quantity.MEAN_PRESSURE, _CHANNELS[2], value.mean),
            )
        ]
        if value.pulse_bpm is not None and status & _PULSE_RANGE:
            seen.append(Absent(_CHANNELS[3], GapReason.OUT_OF_RANGE, spot=True))
        elif value.pulse_bpm is not None:
            seen.append(observed(Quantity.PULSE_RATE, _CHANNELS[3], value.pulse_bpm, 1, 400, spot=True))
        return tuple(seen)

    def fields(self, value: BloodPressure) -> dict[str, object]:
        found: dict[str, object] = {
            "systolic": number(value.systolic),
            "diastolic": number(value.diastolic),
            "map": number(value.mean),
            "unit": "kPa" if value.kpa else "mmHg",
        }
        if value.time is not None:
            found["time"] = value.time.iso
        if value.pulse_bpm is not None:
            found["pulse"] = number(value.pulse_bpm)
        if value.user is not None:
            found["user"] = value.user
        if value.status is not None:
            found["status"] = value.status
        return found
