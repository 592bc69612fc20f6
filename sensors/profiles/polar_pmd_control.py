"""Polar measurement control, FB005C81: what the device can do, what it was asked, and what it answered.

A read gives the features (0F ...); indications are answers (F0 ...) or the device's own stop (01 ...). Commands travel
the other way and have their own type, since 01 means something else there. Source: the published Polar BLE SDK.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from enum import IntEnum

from sensors.errors import DecodeError
from sensors.profile import Factor, Fields, Observation, full_uuid
from sensors.profiles.pmd_frames import Measurement
from sensors.wire import Cursor, Writer

CONTROL = full_uuid("fb005c81-02e7-f387-1cad-8acd2d8df0c8")

_FEATURES, _RESPONSE, _STOPPED = 0x0F, 0xF0, 0x01


class Opcode(IntEnum):
    SETTINGS = 1
    START = 2
    STOP = 3
    SDK_SETTINGS = 4
    STATUS = 5
    SDK_STATUS = 6


class SettingType(IntEnum):
    """With the size of one value in bytes in `SETTING_BYTES`."""

    RATE_HZ = 0
    RESOLUTION_BITS = 1
    RANGE = 2
    RANGE_MILLI = 3
    CHANNELS = 4
    FACTOR = 5
    SECURITY = 6


SETTING_BYTES = {0: 2, 1: 2, 2: 2, 3: 4, 4: 1, 5: 4, 6: 16}


@dataclass(frozen=True, slots=True)
class Setting:
    """One type with its possible or chosen values, unsigned; FACTOR is the bits of a binary32, see `factors`."""

    type: int
    values: tuple[int, ...]

    @property
    def factors(self) -> tuple[float | None, ...]:
        """The values as binary32, None where one is no finite number."""
        found = (struct.unpack("<f", value.to_bytes(4, "little"))[0] for value in self.values)
        return tuple(value if math.isfinite(value) else None for value in found)


def decode_settings(data: bytes) -> tuple[Setting, ...]:
    """Type, count, values; again to the end."""
    cursor = Cursor(data)
    found = []
    while cursor.left:
        kind, count = cursor.u8(), cursor.u8()
        if kind not in SETTING_BYTES:
            raise DecodeError(f"setting type {kind}, expected 0 to {max(SETTING_BYTES)}")
        size = SETTING_BYTES[kind]
        values = tuple(int.from_bytes(cursor.take(size), "little") for _ in range(count))
        found.append(Setting(kind, values))
    return tuple(found)


def settings_fields(settings: tuple[Setting, ...]) -> Fields:
    """By type number; the factor as a number, the security key as hexadecimal digits."""
    named: Fields = {}
    for setting in settings:
        told: list[object] = list(setting.values)
        if setting.type == SettingType.FACTOR:
            told = list(setting.factors)
        elif setting.type == SettingType.SECURITY:
            told = [value.to_bytes(16, "little").hex() for value in setting.values]
        named[str(setting.type)] = told
    return named


def encode_settings(settings: tuple[Setting, ...]) -> bytes:
    out = Writer()
    for setting in settings:
        out.u8(setting.type).u8(len(setting.values))
        for value in setting.values:
            out.put(value.to_bytes(SETTING_BYTES[setting.type], "little"))
    return out.getvalue()


@dataclass(frozen=True, slots=True)
class Command:
    """What is written to the device. `offline`: its own memory instead of the link."""

    op: Opcode
    type: int
    settings: tuple[Setting, ...] = ()
    offline: bool = False

    @classmethod
    def decode(cls, payload: bytes) -> Command:
        cursor = Cursor(payload)
        op, kind = cursor.u8(), cursor.u8()
        if op not in Opcode.__members__.values():
            raise DecodeError(f"command {op}, expected 1 to 6")
        return cls(Opcode(op), kind & 0x7F, decode_settings(cursor.rest()), bool(kind & 0x80))

    def encode(self) -> bytes:
        return Writer().u8(self.op).u8(self.type | self.offline << 7).put(encode_settings(self.settings)).getvalue()


START_H10_ECG = Command(Opcode.START, Measurement.ECG, (Setting(0, (130,)), Setting(1, (14,))))
START_H10_ACC = Command(Opcode.START, Measurement.ACC, (Setting(2, (8,)), Setting(0, (200,)), Setting(1, (16,))))


@dataclass(frozen=True, slots=True)
class Features:
    """`bits`: the bytes after the 0F, as the device sends them."""

    bits: bytes

    @property
    def offered(self) -> tuple[Measurement, ...]:
        """In the order of the bits."""
        bits = int.from_bytes(self.bits[:2], "little")
        return tuple(what for bit, what in _FEATURE_BITS if bits & bit)

    @property
    def streams(self) -> tuple[Measurement, ...]:
        """What can be started over the link, out of `offered`."""
        return tuple(what for what in self.offered if what not in _NO_STREAMS)


# The order of the bits is not the order of the type numbers.
_FEATURE_BITS = (
    (0x0001, Measurement.ECG),
    (0x0002, Measurement.PPG),
    (0x0004, Measurement.ACC),
    (0x0008, Measurement.PPI),
    (0x0020, Measurement.GYRO),
    (0x0040, Measurement.MAGNETOMETER),
    (0x0080, Measurement.SKIN_TEMP),
    (0x0200, Measurement.SDK_MODE),
    (0x0400, Measurement.LOCATION),
    (0x0800, Measurement.PRESSURE),
    (0x1000, Measurement.TEMPERATURE),
    (0x2000, Measurement.OFFLINE_RECORDING),
    (0x4000, Measurement.OFFLINE_HR),
)
_NO_STREAMS = (Measurement.SDK_MODE, Measurement.OFFLINE_RECORDING, Measurement.OFFLINE_HR)


@dataclass(frozen=True, slots=True)
class Response:
    """`status` 0 is success, 6 "already in that state". `more`: the rest comes in another indication.

    `params` of an answered SETTINGS or START are settings.
    """

    op: int
    type: int
    status: int
    more: bool = False
    params: bytes = b""

    @property
    def settings(self) -> tuple[Setting, ...]:
        """Raises DecodeError where `params` are something else."""
        return decode_settings(self.params)


@dataclass(frozen=True, slots=True)
class Stopped:
    """The device ended these streams by itself."""

    types: tuple[int, ...]


Control = Features | Response | Stopped


class PolarPmdControlProfile:
    name = "polar_pmd_control"
    characteristic = CONTROL
    channels: tuple[str, ...] = ()
    silent_after_s: float | None = None

    def decode(self, payload: bytes) -> Control:
        cursor = Cursor(payload)
        first = cursor.u8()
        if first == _FEATURES:
            if not cursor.left:
                raise DecodeError("1 byte, expected at least 2")
            return Features(cursor.rest())
        if first == _STOPPED:
            return Stopped(tuple(cursor.rest()))
        if first == _RESPONSE:
            op, kind, status = cursor.u8(), cursor.u8(), cursor.u8()
            # a refusal ends with its status
            more = bool(cursor.u8()) if cursor.left else False
            return Response(op, kind, status, more, cursor.rest())
        raise DecodeError(f"control byte {first:#04x}, expected 0x0f, 0xf0 or 0x01")

    def encode(self, value: Control) -> bytes:
        match value:
            case Features():
                return Writer().u8(_FEATURES).put(value.bits).getvalue()
            case Stopped():
                return Writer().u8(_STOPPED).put(bytes(value.types)).getvalue()
            case Response():
                head = Writer().u8(_RESPONSE).u8(value.op).u8(value.type).u8(value.status)
                if value.status == 0 or value.more or value.params:
                    head.u8(value.more).put(value.params)
                return head.getvalue()

    def observe(self, value: Control) -> tuple[Observation, ...]:
        """A stream of acceleration that was started tells what a count is worth; without a factor it is 1."""
        if not isinstance(value, Response) or (value.op, value.type, value.status) != (
            Opcode.START,
            Measurement.ACC,
            0,
        ):
            return ()
        try:
            told = [f for s in value.settings if s.type == SettingType.FACTOR for f in s.factors]
        except DecodeError:
            return ()
        factor = told[0] if told else 1.0
        return (Factor("acc", factor if factor is not None and factor > 0 else None),)

    def fields(self, value: Control) -> Fields:
        """Under the names of the shared vectors."""
        match value:
            case Features():
                return {"streams": [what.name for what in value.offered]}
            case Response():
                head: Fields = {"op": value.op, "type": value.type, "status": value.status}
                return head | {"more": value.more, "params": value.params.hex()}
            case Stopped():
                return {"stopped": list(value.types)}
