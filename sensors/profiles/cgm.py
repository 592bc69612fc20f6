"""CGM Measurement, 0x2AA7 (Continuous Glucose Monitoring Service 1.0.2, 3.1): one or more records, each with its size.

A record ends with a CRC where two bytes are left after what its flags name; it covers all bytes of the record before
it.
"""

from __future__ import annotations

from dataclasses import dataclass

from sensors.errors import DecodeError
from sensors.measured import number, observed
from sensors.profile import Absent, Observation, Point, full_uuid
from sensors.samples import GapReason, Quantity
from sensors.wire import Cursor, Measured, Writer

_TREND, _QUALITY, _WARNING, _CALIBRATION, _STATUS = 0x01, 0x02, 0x20, 0x40, 0x80
_LEAST, _MOST = 6, 15
# Sensor Status Annunciation, an octet each: session stopped, wrong type, malfunction, general fault;
# too hot, too cold; below and above what the device can tell.
_FAULT, _TEMPERATURE, _BEYOND = 1 << 0 | 1 << 2 | 1 << 3 | 1 << 5, 1 << 4 | 1 << 5, 1 << 6 | 1 << 7


def crc16_mcrf4xx(data: bytes) -> int:
    """The E2E-CRC of CGM Service 1.0.2: polynomial 0x1021 reflected, start 0xFFFF, no final inversion."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x8408 if crc & 1 else 0)
    return crc


@dataclass(frozen=True, slots=True, repr=False)
class CgmRecord:
    """`glucose_mg_dl` at `offset_min` after the session began; the octets and numbers that are None were not sent."""

    glucose_mg_dl: Measured
    offset_min: int
    status: int | None = None
    calibration: int | None = None
    warning: int | None = None
    trend_mg_dl_min: Measured | None = None
    quality_pct: Measured | None = None
    has_crc: bool = False

    def __repr__(self) -> str:
        return "<CgmRecord>"

    @property
    def reason(self) -> GapReason | None:
        """Why there is no number; None where there is one."""
        if (self.status or 0) & _FAULT or (self.calibration or 0) & _TEMPERATURE:
            return GapReason.SENSOR_FAULT
        return GapReason.OUT_OF_RANGE if (self.warning or 0) & _BEYOND else None


class CgmProfile:
    name = "cgm"
    characteristic = full_uuid("2aa7")
    channels = ("glucose",)
    silent_after_s: float | None = None  # how often it speaks is set in the device: minutes

    def decode(self, payload: bytes) -> tuple[CgmRecord, ...]:
        cursor = Cursor(payload)
        records = [_read(cursor)]
        while cursor.left:
            records.append(_read(cursor))
        return tuple(records)

    def encode(self, value: tuple[CgmRecord, ...]) -> bytes:
        if not value:
            raise ValueError("0 records, expected at least 1")
        return b"".join(_bytes(record) for record in value)

    def observe(self, value: tuple[CgmRecord, ...]) -> tuple[Observation, ...]:
        newest_min = max(record.offset_min for record in value)
        seen: list[Observation] = []
        for record in sorted(value, key=lambda record: record.offset_min):
            what = observed(Quantity.GLUCOSE, "glucose", record.glucose_mg_dl, 1, 2000)
            if record.reason is not None:
                what = Absent("glucose", record.reason)
            elif isinstance(what, Point):
                what = Point(what.quantity, what.channel, what.value, 60.0 * (newest_min - record.offset_min))
            seen.append(what)
        return tuple(seen)

    def fields(self, value: tuple[CgmRecord, ...]) -> list[dict[str, object]]:
        return [_fields(record) for record in value]


def _read(whole: Cursor) -> CgmRecord:
    size = whole.u8()
    if not _LEAST <= size <= _MOST:
        raise DecodeError(f"a record of {size} bytes, expected {_LEAST} to {_MOST}")
    octets = bytes([size]) + whole.take(size - 1)
    cursor = Cursor(octets)
    cursor.u8()
    flags = cursor.u8()
    glucose, offset_min = cursor.sfloat(), cursor.u16()
    status = cursor.u8() if flags & _STATUS else None
    calibration = cursor.u8() if flags & _CALIBRATION else None
    warning = cursor.u8() if flags & _WARNING else None
    trend = cursor.sfloat() if flags & _TREND else None
    quality = cursor.sfloat() if flags & _QUALITY else None
    has_crc = cursor.left == 2
    if has_crc:
        sent, right = cursor.u16(), crc16_mcrf4xx(octets[:-2])
        if sent != right:
            raise DecodeError(f"CRC {sent:#06x}, expected {right:#06x}")
    cursor.done()
    return CgmRecord(glucose, offset_min, status, calibration, warning, trend, quality, has_crc)


def _bytes(record: CgmRecord) -> bytes:
    flags, out = 0, Writer().sfloat(record.glucose_mg_dl).u16(record.offset_min)
    for bit, octet in ((_STATUS, record.status), (_CALIBRATION, record.calibration), (_WARNING, record.warning)):
        if octet is not None:
            flags |= bit
            out.u8(octet)
    for bit, value in ((_TREND, record.trend_mg_dl_min), (_QUALITY, record.quality_pct)):
        if value is not None:
            flags |= bit
            out.sfloat(value)
    rest = out.getvalue()
    octets = Writer().u8(2 + len(rest) + 2 * record.has_crc).u8(flags).put(rest).getvalue()
    return octets + crc16_mcrf4xx(octets).to_bytes(2, "little") if record.has_crc else octets


def _fields(record: CgmRecord) -> dict[str, object]:
    found: dict[str, object] = {"glucose_mg_dl": number(record.glucose_mg_dl), "offset_min": record.offset_min}
    for name, octet in (("status", record.status), ("cal_temp", record.calibration), ("warning", record.warning)):
        if octet is not None:
            found[name] = octet
    for name, value in (("trend", record.trend_mg_dl_min), ("quality", record.quality_pct)):
        if value is not None:
            found[name] = number(value)
    return found
