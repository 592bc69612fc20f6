"""What every oximeter says, and how little of it is a number: 0, 127, 255 and their like are nobody's saturation."""

from __future__ import annotations

from sensors.profile import Absent, Observation, Point
from sensors.samples import GapReason, Quantity

CHANNELS = ("spo2", "pulse_rate", "perfusion")

_LARGEST_PULSE_BPM = 350  # above it makers put their marks for "unknown", 511 and 65535; 255 is one where it says so
_LARGEST_PERFUSION_PCT = 20.0  # of the scale that all of them use


def oximetry(spo2_pct: int, pulse_bpm: int, perfusion_pct: float | None = None) -> tuple[Observation, ...]:
    """Saturation, pulse rate, and the perfusion index where the device tells one. No number, no Point.

    Neither saturation nor rate: nothing is measured, as without a finger.
    """
    saturated, beating = 0 < spo2_pct <= 100, 0 < pulse_bpm <= _LARGEST_PULSE_BPM and pulse_bpm != 0xFF
    if not saturated and not beating:
        return (Absent(None, GapReason.MISSING),)
    told: list[Observation] = [
        Point(Quantity.SPO2, "spo2", float(spo2_pct)) if saturated else Absent("spo2", GapReason.MISSING),
        Point(Quantity.PULSE_RATE, "pulse_rate", float(pulse_bpm))
        if beating
        else Absent("pulse_rate", GapReason.MISSING),
    ]
    if perfusion_pct is not None:
        known = 0 < perfusion_pct <= _LARGEST_PERFUSION_PCT
        told.append(
            Point(Quantity.PERFUSION, "perfusion", perfusion_pct) if known else Absent("perfusion", GapReason.MISSING)
        )
    return tuple(told)


NOT_WORN: tuple[Observation, ...] = (Absent(None, GapReason.OFF_BODY),)
