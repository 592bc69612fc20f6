"""Nonin's continuous oximetry measurement (models 3150, 3230 and kin). Big-endian, once a second.

[0] length; [1] status: b0 as the display shows it, b1 weak signal (pulse amplitude of 0.3 % or less), b2 passed the
maker's own check, b3 no good pulses in a row, b4 the finger sits right, b5 low battery, b6 encrypted; [2] battery in
tenths of a volt; [3-4] pulse amplitude index in hundredths; [5-6] counter; [7] SpO2, 127 missing; [8-9] pulse rate, 511
missing. Sources: the maker's sample application, and a client after its specification 113142-000-02; they agree.
"""

from __future__ import annotations

from dataclasses import dataclass

from sensors.errors import DecodeError
from sensors.profile import Absent, Fields, Observation, full_uuid
from sensors.profiles.oximetry import CHANNELS, NOT_WORN, oximetry
from sensors.samples import GapReason

_SIZE = 10
_NO_SPO2, _NO_RATE = 127, 511
_WEAK, _SEARCHING, _FITS = 0x02, 0x08, 0x10


@dataclass(frozen=True, slots=True, repr=False)
class NoninMeasurement:
    """`rest`: bytes that newer models add."""

    length: int
    status: int
    battery_dv: int
    pai_100: int
    counter: int
    spo2_pct: int
    pulse_bpm: int
    rest: bytes = b""

    def __repr__(self) -> str:
        return "<NoninMeasurement>"


class NoninProfile:
    name = "nonin"
    characteristic = full_uuid("0aad7ea0-0d60-11e2-8e3c-0002a5d5c51b")
    channels = CHANNELS
    silent_after_s: float | None = 5.0

    def decode(self, payload: bytes) -> NoninMeasurement:
        if len(payload) < _SIZE:
            raise DecodeError(f"{len(payload)} bytes, expected at least {_SIZE}")
        return NoninMeasurement(
            length=payload[0],
            status=payload[1],
            battery_dv=payload[2],
            pai_100=int.from_bytes(payload[3:5], "big"),
            counter=int.from_bytes(payload[5:7], "big"),
            spo2_pct=payload[7],
            pulse_bpm=int.from_bytes(payload[8:10], "big"),
            rest=payload[10:],
        )

    def encode(self, value: NoninMeasurement) -> bytes:
        head = bytes([value.length, value.status, value.battery_dv])
        middle = value.pai_100.to_bytes(2, "big") + value.counter.to_bytes(2, "big")
        return head + middle + bytes([value.spo2_pct]) + value.pulse_bpm.to_bytes(2, "big") + value.rest

    def observe(self, value: NoninMeasurement) -> tuple[Observation, ...]:
        if value.spo2_pct == _NO_SPO2 and value.pulse_bpm == _NO_RATE:
            return (Absent(None, GapReason.MISSING),) if value.status & _FITS else NOT_WORN
        if value.status & _SEARCHING:  # what is shown is of before
            return (Absent(None, GapReason.POOR_SIGNAL),)
        if value.status & _WEAK:
            return (Absent(None, GapReason.LOW_PERFUSION),)
        return oximetry(value.spo2_pct, value.pulse_bpm, value.pai_100 / 100)

    def fields(self, value: NoninMeasurement) -> Fields:
        return {
            "status": value.status,
            "battery_v": value.battery_dv / 10,
            "pai": value.pai_100 / 100,
            "counter": value.counter,
            "spo2": value.spo2_pct if value.spo2_pct != _NO_SPO2 else None,
            "pr": value.pulse_bpm if value.pulse_bpm != _NO_RATE else None,
        }
