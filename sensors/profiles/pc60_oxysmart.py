"""PC-60FW, OxySmart and their kin: frames over a serial bridge, checked by crc8/MAXIM.

Frame: AA 55, a token, the number of bytes that follow, a type, data, the check over everything before it. Token 0F type
1 is the second's reading, type 2 five samples of the pulse wave, token F0 type 3 the battery. Source: captures of
several makes; no maker has published it. A frame of another kind is read whole and says nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from sensors.crc import crc8_maxim
from sensors.errors import DecodeError
from sensors.frame_cutter import NO_FRAME, FrameCutter
from sensors.profile import Fields, Observation, Reassembler, full_uuid
from sensors.profiles.oximetry import CHANNELS, NOT_WORN, oximetry

_SYNC = b"\xaa\x55"
# Four times the longest frame known: a sync by chance must not hold up what follows for long.
_MOST_BYTES = 64
_READING, _PLETH, _BATTERY = (0x0F, 1), (0x0F, 2), (0xF0, 3)


@dataclass(frozen=True, slots=True, repr=False)
class Pc60Frame:
    """`data`: what stands between the type and the check."""

    token: int
    type: int
    data: bytes

    def __repr__(self) -> str:
        return f"<Pc60Frame {self.token:#04x} {self.type}>"


class Pc60Profile:
    name = "pc60_oxysmart"
    characteristic = full_uuid("6e400003-b5a3-f393-e0a9-e50e24dcca9e")
    channels = CHANNELS
    silent_after_s: float | None = 5.0

    def reassembler(self) -> Reassembler:
        return FrameCutter(_look, 4 + _MOST_BYTES)

    def decode(self, payload: bytes) -> Pc60Frame:
        """A whole frame."""
        if _look(payload) != len(payload) or not payload:
            raise DecodeError(f"{len(payload)} bytes, expected a frame AA 55, token, length, type, data, crc8/MAXIM")
        frame = Pc60Frame(payload[2], payload[4], payload[5:-1])
        needed = {_READING: 4, _PLETH: 5, _BATTERY: 1}.get((frame.token, frame.type), 0)
        if len(frame.data) < needed:
            raise DecodeError(f"{len(frame.data)} bytes of data, expected at least {needed}")
        return frame

    def encode(self, value: Pc60Frame) -> bytes:
        if len(value.data) > _MOST_BYTES - 2:
            raise ValueError(f"{len(value.data)} bytes of data, expected at most {_MOST_BYTES - 2}")
        head = _SYNC + bytes([value.token, len(value.data) + 2, value.type]) + value.data
        return head + bytes([crc8_maxim(head)])

    def observe(self, value: Pc60Frame) -> tuple[Observation, ...]:
        if (value.token, value.type) != _READING:
            return ()  # the battery has four steps only, which is no percentage
        spo2_pct, pulse_bpm = value.data[0], int.from_bytes(value.data[1:3], "little")
        if spo2_pct == 0 and pulse_bpm == 0:
            return NOT_WORN
        return oximetry(spo2_pct, pulse_bpm, value.data[3] / 10)

    def fields(self, value: Pc60Frame) -> Fields:
        data = value.data
        match (value.token, value.type):
            case (0x0F, 1):
                return {"spo2": data[0], "pr": int.from_bytes(data[1:3], "little"), "pi": data[3] / 10}
            case (0x0F, 2):
                return {"pleth": [octet & 0x7F for octet in data], "beat": [bool(octet & 0x80) for octet in data]}
            case (0xF0, 3):
                return {"battery_of_3": data[0]}
        return {"token": value.token, "type": value.type, "data": data.hex()}


def _look(window: bytes) -> int | None:
    if window[:2] != _SYNC[: len(window)]:
        return NO_FRAME
    if len(window) < 4:
        return None
    length = 4 + window[3]
    if not 2 <= window[3] <= _MOST_BYTES:
        return NO_FRAME
    if len(window) < length:
        return None
    return length if crc8_maxim(window[: length - 1]) == window[length - 1] else NO_FRAME
