"""O2Ring and its kin (the Viatom/Wellue "Oxy" family): asked once a second, answered in frames that notifications cut.

Request: AA, command, its complement, block u16, length u16, data, crc8. Reply: the same with 55 and the status in place
of the command. So a reply does not say what was asked: live values (0x17) and live values with their wave (0x1B) are
told apart by their length, which the wave states. Sources: the published clients of the family. Rings of the newer kind
(O2Ring S, "OxyII") speak another protocol over another service; of theirs only the request is known here.
"""

from __future__ import annotations

from dataclasses import dataclass

from sensors.crc import crc8
from sensors.errors import DecodeError
from sensors.frame_cutter import NO_FRAME, FrameCutter
from sensors.profile import Fields, Observation, Point, Reassembler, full_uuid
from sensors.profiles.oximetry import CHANNELS, NOT_WORN, oximetry
from sensors.samples import Quantity
from sensors.wire import Cursor, Writer

SERVICE = full_uuid("14839ac4-7d7e-415c-9a42-167340cf2339")
WRITE = full_uuid("8b00ace7-eb0b-49b0-bbe9-9aee0a26e1a3")

LIVE, LIVE_WITH_WAVE = 0x17, 0x1B

_REQUEST, _REPLY, _OXYII = 0xAA, 0x55, 0xA5
_HEAD = 7
# What rings answer to 0x17; some leave out the last byte. No wave is a single sample.
_LIVE_BYTES = 13
# Far above a live reply; a length beyond it is a chance byte in the middle of something else.
_LONGEST_DATA = 512


@dataclass(frozen=True, slots=True)
class Request:
    """What is written to the ring."""

    command: int
    block: int = 0
    data: bytes = b""

    @classmethod
    def decode(cls, payload: bytes) -> Request:
        cursor = Cursor(_checked(payload, _REQUEST))
        command, block = cursor.u8(), cursor.u16()
        return cls(command, block, _data(cursor))

    def encode(self) -> bytes:
        return _framed(_REQUEST, self.command, Writer().u16(self.block), self.data)

    def fields(self) -> Fields:
        return {"cmd": self.command, "block": self.block, "len": len(self.data)}


@dataclass(frozen=True, slots=True)
class OxyIIRequest:
    """What is written to a ring of the newer kind: a flag (1 in replies) and a count in place of the block."""

    command: int
    flag: int = 0
    sequence: int = 0
    data: bytes = b""

    @classmethod
    def decode(cls, payload: bytes) -> OxyIIRequest:
        cursor = Cursor(_checked(payload, _OXYII))
        command, flag, sequence = cursor.u8(), cursor.u8(), cursor.u8()
        return cls(command, flag, sequence, _data(cursor))

    def encode(self) -> bytes:
        return _framed(_OXYII, self.command, Writer().u8(self.flag).u8(self.sequence), self.data)

    def fields(self) -> Fields:
        return {"cmd": self.command, "flag": self.flag, "seq": self.sequence, "len": len(self.data)}


@dataclass(frozen=True, slots=True, repr=False)
class LiveValues:
    """The answer to 0x17. `charging`: 0 no, 1 yes, 2 full. `rest` are bytes of unknown meaning, as they came."""

    spo2_pct: int
    pulse_bpm: int
    battery_pct: int
    charging: int
    motion: int
    pi: int
    worn: int
    unknown: bytes = bytes(5)
    rest: bytes = b""

    def __repr__(self) -> str:
        return "<LiveValues>"

    @classmethod
    def decode(cls, data: bytes) -> LiveValues:
        cursor = Cursor(data)
        spo2_pct, pulse_bpm, unknown = cursor.u8(), cursor.u8(), cursor.take(5)
        battery_pct, charging, motion, pi, worn = (cursor.u8() for _ in range(5))
        return cls(spo2_pct, pulse_bpm, battery_pct, charging, motion, pi, worn, unknown, cursor.rest())

    def encode(self) -> bytes:
        out = Writer().u8(self.spo2_pct).u8(self.pulse_bpm).put(self.unknown).u8(self.battery_pct).u8(self.charging)
        return out.u8(self.motion).u8(self.pi).u8(self.worn).put(self.rest).getvalue()

    def fields(self) -> Fields:
        return {
            "spo2": self.spo2_pct,
            "pr": self.pulse_bpm,
            "battery": self.battery_pct,
            "charging": self.charging,
            "movement": self.motion,
            "pi": self.pi,
            "worn": self.worn != 0,
        }


@dataclass(frozen=True, slots=True, repr=False)
class LiveWave:
    """The answer to 0x1B: the rate in two bytes, and the pulse wave since the last one."""

    spo2_pct: int
    pulse_bpm: int
    battery_pct: int
    charging: int
    pi: int
    worn: int
    wave: bytes = b""
    unknown: bytes = bytes(3)
    rest: bytes = b""

    def __repr__(self) -> str:
        return f"<LiveWave n={len(self.wave)}>"

    @classmethod
    def decode(cls, data: bytes) -> LiveWave:
        cursor = Cursor(data)
        spo2_pct, pulse_bpm = cursor.u8(), cursor.u16()
        battery_pct, charging, pi, worn = (cursor.u8() for _ in range(4))
        unknown = cursor.take(3)
        wave = cursor.take(cursor.u16())
        return cls(spo2_pct, pulse_bpm, battery_pct, charging, pi, worn, wave, unknown, cursor.rest())

    def encode(self) -> bytes:
        out = Writer().u8(self.spo2_pct).u16(self.pulse_bpm).u8(self.battery_pct).u8(self.charging).u8(self.pi)
        return out.u8(self.worn).put(self.unknown).u16(len(self.wave)).put(self.wave).put(self.rest).getvalue()

    def fields(self) -> Fields:
        return {
            "spo2": self.spo2_pct,
            "pr": self.pulse_bpm,
            "battery": self.battery_pct,
            "charge": self.charging,
            "pi": self.pi,
            "worn": self.worn == 1,
            "wave": list(self.wave),
        }


@dataclass(frozen=True, slots=True, repr=False)
class Reply:
    """`status` 0 is success."""

    status: int
    block: int
    data: bytes

    def __repr__(self) -> str:
        return f"<Reply {self.status} n={len(self.data)}>"

    @property
    def live(self) -> LiveValues | LiveWave | None:
        """What it tells about the wearer. None for a refusal, and for answers to other requests."""
        if self.status != 0:
            return None
        if len(self.data) == _LIVE_BYTES:
            return LiveValues.decode(self.data)
        try:
            waved = LiveWave.decode(self.data)
        except DecodeError:
            waved = None
        if waved is not None and not waved.rest:
            return waved
        return LiveValues.decode(self.data) if len(self.data) == _LIVE_BYTES - 1 else None


class O2RingProfile:
    name = "o2ring"
    characteristic = full_uuid("0734594a-a8e7-4b1a-a6b1-cd5243059a57")
    channels = (*CHANNELS, "battery")
    silent_after_s: float | None = 10.0

    def reassembler(self) -> Reassembler:
        return FrameCutter(_look, _HEAD + _LONGEST_DATA + 1)

    def decode(self, payload: bytes) -> Reply:
        """A whole reply."""
        cursor = Cursor(_checked(payload, _REPLY))
        status, block = cursor.u8(), cursor.u16()
        return Reply(status, block, _data(cursor))

    def encode(self, value: Reply) -> bytes:
        return _framed(_REPLY, value.status, Writer().u16(value.block), value.data)

    def observe(self, value: Reply) -> tuple[Observation, ...]:
        live = value.live
        if live is None:
            return ()
        battery: tuple[Observation, ...] = ()
        if live.battery_pct <= 100:
            battery = (Point(Quantity.BATTERY, "battery", float(live.battery_pct)),)
        if live.charging or live.worn != 1:
            return NOT_WORN + battery
        # worn with 0 and 0 is how it says that it still searches; the scale of its perfusion index is not known
        return oximetry(live.spo2_pct, live.pulse_bpm) + battery

    def fields(self, value: Reply) -> Fields:
        live = value.live
        told: Fields = {"data": value.data.hex()} if live is None else live.fields()
        return {"status": value.status, "block": value.block, "len": len(value.data)} | told


def _framed(sync: int, command: int, middle: Writer, data: bytes) -> bytes:
    head = Writer().u8(sync).u8(command).u8(command ^ 0xFF).put(middle.getvalue())
    body = head.u16(len(data)).put(data).getvalue()
    return body + bytes([crc8(body)])


def _checked(payload: bytes, sync: int) -> bytes:
    """From the command to before the check, without the complement."""
    if len(payload) < _HEAD + 1:
        raise DecodeError(f"{len(payload)} bytes, expected at least {_HEAD + 1}")
    if payload[0] != sync or payload[1] ^ payload[2] != 0xFF:
        raise DecodeError(f"bytes {payload[:3].hex()}, expected {sync:02x}, a command and its complement")
    if crc8(payload[:-1]) != payload[-1]:
        raise DecodeError(f"check {payload[-1]:#04x}, expected {crc8(payload[:-1]):#04x}")
    return payload[1:2] + payload[3:-1]


def _data(cursor: Cursor) -> bytes:
    data = cursor.take(cursor.u16())
    cursor.done()
    return data


def _look(window: bytes) -> int | None:
    if window[0] != _REPLY or (len(window) > 2 and window[1] ^ window[2] != 0xFF):
        return NO_FRAME
    if len(window) < _HEAD:
        return None
    size = int.from_bytes(window[5:7], "little")
    if size > _LONGEST_DATA:
        return NO_FRAME
    length = _HEAD + size + 1
    if len(window) < length:
        return None
    return length if crc8(window[: length - 1]) == window[length - 1] else NO_FRAME
