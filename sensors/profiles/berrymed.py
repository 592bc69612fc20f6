"""BerryMed and others that speak BCI over a serial bridge: five bytes a hundred times a second, bit 7 marks the first.

[0] signal strength 0-15, b4 no signal, b5 probe unplugged, b6 pulse beep; [1] pulse wave; [2] bar graph 0-15, b4 no
finger, b5 searching, b6 bit 7 of the rate; [3] rate; [4] SpO2, 127 unknown. A rate of 255 is unknown. Source: the
maker's published "BCI protocol"; bits of byte 0 other than the mark are kept and not relied upon.
"""

from __future__ import annotations

from dataclasses import dataclass

from sensors.errors import DecodeError
from sensors.frame_cutter import NO_FRAME, FrameCutter
from sensors.profile import Fields, Observation, Reassembler, full_uuid
from sensors.profiles.oximetry import NOT_WORN, oximetry

_SIZE = 5
_MARK, _NO_FINGER, _RATE_BIT_7 = 0x80, 0x10, 0x40


@dataclass(frozen=True, slots=True, repr=False)
class BciPacket:
    """`status` and `bar`: bytes 0 and 2 without what the other fields say."""

    status: int
    pleth: int
    bar: int
    no_finger: bool
    pulse_bpm: int
    spo2_pct: int

    def __repr__(self) -> str:
        return "<BciPacket>"


class BerryMedProfile:
    name = "berrymed"
    characteristic = full_uuid("49535343-1e4d-4bd9-ba61-23c647249616")
    channels = ("spo2", "pulse_rate")
    silent_after_s: float | None = 5.0

    def reassembler(self) -> Reassembler:
        return FrameCutter(_look, _SIZE)

    def decode(self, payload: bytes) -> BciPacket:
        """One packet."""
        if len(payload) != _SIZE or _look(payload) != _SIZE:
            raise DecodeError(f"{len(payload)} bytes, expected {_SIZE} of which only the first has bit 7")
        first, pleth, third, rate, spo2_pct = payload
        pulse_bpm = rate | (0x80 if third & _RATE_BIT_7 else 0)
        bar = third & ~(_NO_FINGER | _RATE_BIT_7)
        return BciPacket(first & 0x7F, pleth, bar, bool(third & _NO_FINGER), pulse_bpm, spo2_pct)

    def encode(self, value: BciPacket) -> bytes:
        if max(value.status, value.pleth, value.spo2_pct) > 0x7F or value.pulse_bpm > 0xFF or value.bar & ~0x2F:
            raise ValueError("a number outside its bits")
        third = value.bar | (_NO_FINGER if value.no_finger else 0) | (_RATE_BIT_7 if value.pulse_bpm & 0x80 else 0)
        return bytes([value.status | _MARK, value.pleth, third, value.pulse_bpm & 0x7F, value.spo2_pct])

    def observe(self, value: BciPacket) -> tuple[Observation, ...]:
        return NOT_WORN if value.no_finger else oximetry(value.spo2_pct, value.pulse_bpm)

    def fields(self, value: BciPacket) -> Fields:
        return {
            "spo2": value.spo2_pct if value.spo2_pct != 127 else None,
            "pr": value.pulse_bpm if value.pulse_bpm != 255 else None,
            "pleth": value.pleth,
            "no_finger": value.no_finger,
        }


def _look(window: bytes) -> int | None:
    if not window or not window[0] & _MARK or any(octet & _MARK for octet in window[1:_SIZE]):
        return NO_FRAME
    return _SIZE if len(window) >= _SIZE else None
