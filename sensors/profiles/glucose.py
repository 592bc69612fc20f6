"""Glucose Measurement, 0x2A18 (Glucose Service 1.0.1, 3.1): one record of a meter's memory.

A meter sends records only when it is asked for them (Record Access Control Point), maybe days after; when each was
measured only its own calendar tells, which has no zone. So a record is read, and nothing of it is observed now.
"""

from __future__ import annotations

from dataclasses import dataclass

from sensors.measured import number
from sensors.profile import Observation, full_uuid
from sensors.profiles.date_time import DateTime
from sensors.wire import Cursor, Measured, Writer

_OFFSET, _CONCENTRATION, _MOLAR, _STATUS, _CONTEXT = 0x01, 0x02, 0x04, 0x08, 0x10


@dataclass(frozen=True, slots=True, repr=False)
class Concentration:
    """`value` in mol/L, or kg/L. `type` of fluid and `location` of the sample: four bits each."""

    value: Measured
    type: int
    location: int

    def __repr__(self) -> str:
        return "<Concentration>"


@dataclass(frozen=True, slots=True, repr=False)
class GlucoseRecord:
    """`context`: a record of another characteristic belongs to it. `molar` is a flag of its own."""

    seq: int
    base_time: DateTime
    offset_min: int | None = None
    concentration: Concentration | None = None
    molar: bool = False
    status: int | None = None
    context: bool = False

    def __repr__(self) -> str:
        return "<GlucoseRecord>"


class GlucoseProfile:
    name = "glucose"
    characteristic = full_uuid("2a18")
    channels: tuple[str, ...] = ()
    silent_after_s: float | None = None

    def decode(self, payload: bytes) -> GlucoseRecord:
        cursor = Cursor(payload)
        flags = cursor.u8()
        seq, base_time = cursor.u16(), DateTime.read(cursor)
        offset_min = cursor.s16() if flags & _OFFSET else None
        concentration = None
        if flags & _CONCENTRATION:
            value, where = cursor.sfloat(), cursor.u8()
            concentration = Concentration(value, where & 0x0F, where >> 4)
        status = cursor.u16() if flags & _STATUS else None
        cursor.done()
        return GlucoseRecord(
            seq, base_time, offset_min, concentration, bool(flags & _MOLAR), status, bool(flags & _CONTEXT)
        )

    def encode(self, value: GlucoseRecord) -> bytes:
        parts = ((_OFFSET, value.offset_min), (_CONCENTRATION, value.concentration), (_STATUS, value.status))
        flags = sum(bit for bit, part in parts if part is not None)
        flags |= (_MOLAR if value.molar else 0) | (_CONTEXT if value.context else 0)
        out = Writer().u8(flags).u16(value.seq)
        value.base_time.write(out)
        if value.offset_min is not None:
            out.s16(value.offset_min)
        if value.concentration is not None:
            part = value.concentration
            if not (0 <= part.type <= 0x0F and 0 <= part.location <= 0x0F):
                raise ValueError(f"type {part.type} and location {part.location}, expected 0 to 15")
            out.sfloat(part.value).u8(part.type | part.location << 4)
        if value.status is not None:
            out.u16(value.status)
        return out.getvalue()

    def observe(self, value: GlucoseRecord) -> tuple[Observation, ...]:
        return ()

    def fields(self, value: GlucoseRecord) -> dict[str, object]:
        found: dict[str, object] = {"seq": value.seq, "base_time": value.base_time.iso}
        if value.offset_min is not None:
            found["offset_min"] = value.offset_min
        if value.concentration is not None:
            part = value.concentration
            found |= {
                "conc": number(part.value),
                "unit": "mol/L" if value.molar else "kg/L",
                "type": part.type,
                "location": part.location,
            }
        if value.status is not None:
            found["status"] = value.status
        return found | {"context": value.context}
