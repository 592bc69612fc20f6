"""Heart Rate Measurement, 0x2A37 (Heart Rate Service 1.0, 3.1): a rate, skin contact, and the RR intervals since the
last one. Equal intervals in a row are real; nothing is dropped as a repetition.
"""

from __future__ import annotations

from dataclasses import dataclass

from sensors.errors import DecodeError
from sensors.profile import Absent, Intervals, Observation, Point, full_uuid
from sensors.samples import GapReason, Quantity
from sensors.wire import Cursor, Writer

_WIDE, _CONTACT, _CONTACT_SUPPORTED, _ENERGY, _RR = 0x01, 0x02, 0x04, 0x08, 0x10


@dataclass(frozen=True, slots=True, repr=False)
class HeartRateMeasurement:
    """`contact` None: the sensor cannot tell. `rr_1024`: intervals in 1/1024 s, oldest first."""

    hr_bpm: int
    contact: bool | None = None
    energy_kj: int | None = None
    rr_1024: tuple[int, ...] = ()

    def __repr__(self) -> str:
        return f"<HeartRateMeasurement contact={self.contact} n_rr={len(self.rr_1024)}>"

    @classmethod
    def decode(cls, payload: bytes) -> HeartRateMeasurement:
        cursor = Cursor(payload)
        flags = cursor.u8()
        hr_bpm = cursor.u16() if flags & _WIDE else cursor.u8()
        contact = bool(flags & _CONTACT) if flags & _CONTACT_SUPPORTED else None
        energy_kj = cursor.u16() if flags & _ENERGY else None
        rr: list[int] = []
        if flags & _RR:
            if not cursor.left or cursor.left % 2:
                raise DecodeError(f"{cursor.left} bytes of intervals, expected a multiple of 2, at least 2")
            while cursor.left:
                rr.append(cursor.u16())
        cursor.done()
        return cls(hr_bpm, contact, energy_kj, tuple(rr))

    def encode(self) -> bytes:
        """With the narrowest rate field that holds the rate."""
        flags = 0
        if self.hr_bpm > 0xFF:
            flags |= _WIDE
        if self.contact is not None:
            flags |= _CONTACT_SUPPORTED | (_CONTACT if self.contact else 0)
        if self.energy_kj is not None:
            flags |= _ENERGY
        if self.rr_1024:
            flags |= _RR
        out = Writer().u8(flags)
        if flags & _WIDE:
            out.u16(self.hr_bpm)
        else:
            out.u8(self.hr_bpm)
        if self.energy_kj is not None:
            out.u16(self.energy_kj)
        for rr in self.rr_1024:
            out.u16(rr)
        return out.getvalue()


class HeartRateProfile:
    name = "heart_rate"
    characteristic = full_uuid("2a37")
    channels = ("hr", "rr")
    silent_after_s: float | None = 5.0

    def decode(self, payload: bytes) -> HeartRateMeasurement:
        return HeartRateMeasurement.decode(payload)

    def encode(self, value: HeartRateMeasurement) -> bytes:
        return value.encode()

    def observe(self, value: HeartRateMeasurement) -> tuple[Observation, ...]:
        if value.contact is False:
            return (Absent(None, GapReason.OFF_BODY),)
        # a rate of 0 is how a sensor says that it has found no beat yet
        rate: Observation = (
            Point(Quantity.HEART_RATE, "hr", float(value.hr_bpm)) if value.hr_bpm else Absent("hr", GapReason.MISSING)
        )
        # 1000/1024 is a dyadic fraction: the milliseconds are exact
        return rate, Intervals("rr", tuple(rr * 1000 / 1024 for rr in value.rr_1024))

    def fields(self, value: HeartRateMeasurement) -> dict[str, object]:
        return {
            "hr": value.hr_bpm,
            "contact": value.contact,
            "energy_kj": value.energy_kj,
            "rr_1024": list(value.rr_1024),
        }
