"""Jumper oximeters (JPD-500F and kin): 81, rate, SpO2, perfusion; a rate of 255 and an SpO2 of 127 are unknown.

Notifications that begin with 80 carry the pulse wave, which has no time stamps and is not used. Source: captures; the
maker has published nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from sensors.errors import DecodeError
from sensors.profile import Fields, Observation, full_uuid
from sensors.profiles.oximetry import CHANNELS, NOT_WORN, oximetry

_READING, _WAVE = 0x81, 0x80


@dataclass(frozen=True, slots=True, repr=False)
class JumperReading:
    """`pi`: perfusion index in tenths of a percent."""

    pulse_bpm: int
    spo2_pct: int
    pi: int

    def __repr__(self) -> str:
        return "<JumperReading>"


@dataclass(frozen=True, slots=True, repr=False)
class JumperWave:
    samples: bytes

    def __repr__(self) -> str:
        return f"<JumperWave n={len(self.samples)}>"


Jumper = JumperReading | JumperWave


class JumperProfile:
    name = "jumper"
    characteristic = full_uuid("cdeacb81-5235-4c07-8846-93a37ee6b86d")
    channels = CHANNELS
    silent_after_s: float | None = 5.0

    def decode(self, payload: bytes) -> Jumper:
        if payload[:1] == bytes([_WAVE]):
            return JumperWave(payload[1:])
        if payload[:1] != bytes([_READING]) or len(payload) != 4:
            raise DecodeError(f"{len(payload)} bytes {payload[:1].hex()}, expected 4 from 81, or 80 and a wave")
        return JumperReading(*payload[1:])

    def encode(self, value: Jumper) -> bytes:
        if isinstance(value, JumperWave):
            return bytes([_WAVE]) + value.samples
        return bytes([_READING, value.pulse_bpm, value.spo2_pct, value.pi])

    def observe(self, value: Jumper) -> tuple[Observation, ...]:
        if isinstance(value, JumperWave):
            return ()
        if value.pulse_bpm in (0, 255) and value.spo2_pct in (0, 127):
            return NOT_WORN
        return oximetry(value.spo2_pct, value.pulse_bpm, value.pi / 10)

    def fields(self, value: Jumper) -> Fields:
        if isinstance(value, JumperWave):
            return {"pleth": list(value.samples)}
        return {
            "spo2": value.spo2_pct if value.spo2_pct != 127 else None,
            "pr": value.pulse_bpm if value.pulse_bpm != 255 else None,
            "pi": value.pi / 10,
        }
