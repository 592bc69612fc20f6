"""What both measurements of the Pulse Oximeter Service 1.0.1 share: oxygen saturation with pulse rate, and the status
bits that say when neither is a measurement. A number that the oximeter itself does not trust is no number.
"""

from __future__ import annotations

from dataclasses import dataclass

from sensors.measured import number, observed
from sensors.profile import Absent, Observation
from sensors.samples import GapReason, Quantity
from sensors.wire import Cursor, Measured, Writer

_FROM_STORAGE = 1 << 9
# 3.1.1.4, Measurement Status: demonstration and test data, calibration, unavailable and invalid; questionable
_NOT_MEASURED = 1 << 10 | 1 << 11 | 1 << 12 | 1 << 13 | 1 << 15
_QUESTIONABLE = 1 << 14
# 3.1.1.5, Device and Sensor Status. The first that is set names the reason.
_DEVICE = (
    (1 << 11 | 1 << 13 | 1 << 15, GapReason.OFF_BODY),  # not on the user, displaced, disconnected
    (1 << 1 | 1 << 14, GapReason.SENSOR_FAULT),
    (1 << 5, GapReason.LOW_PERFUSION),
    # processing irregularity, inadequate, poor, erratic, not pulsatile, questionable pulse, interference
    (1 << 2 | 1 << 3 | 1 << 4 | 1 << 6 | 1 << 7 | 1 << 8 | 1 << 10, GapReason.POOR_SIGNAL),
)


@dataclass(frozen=True, slots=True, repr=False)
class Pair:
    """`spo2_pct` and `pr_bpm` of the same moment."""

    spo2_pct: Measured
    pr_bpm: Measured

    def __repr__(self) -> str:
        return "<Pair>"

    @classmethod
    def read(cls, cursor: Cursor) -> Pair:
        return cls(cursor.sfloat(), cursor.sfloat())

    def write(self, out: Writer) -> None:
        out.sfloat(self.spo2_pct).sfloat(self.pr_bpm)

    def fields(self, ending: str = "") -> dict[str, object]:
        return {f"spo2{ending}": number(self.spo2_pct), f"pr{ending}": number(self.pr_bpm)}


@dataclass(frozen=True, slots=True, repr=False)
class Condition:
    """How far the numbers can be trusted; None: the oximeter does not say. `pai_pct`: pulse amplitude index."""

    status: int | None = None
    device_status: int | None = None
    pai_pct: Measured | None = None

    def __repr__(self) -> str:
        return "<Condition>"

    @classmethod
    def read(cls, cursor: Cursor, status: int, device_status: int, pai: int) -> Condition:
        """The three last parameters are not 0 where the part is there."""
        return cls(
            cursor.u16() if status else None,
            cursor.u24() if device_status else None,
            cursor.sfloat() if pai else None,
        )

    def write(self, out: Writer) -> None:
        if self.status is not None:
            out.u16(self.status)
        if self.device_status is not None:
            out.u24(self.device_status)
        if self.pai_pct is not None:
            out.sfloat(self.pai_pct)

    def fields(self) -> dict[str, object]:
        found: dict[str, object] = {}
        if self.status is not None:
            found["status"] = self.status
        if self.device_status is not None:
            found["device_status"] = self.device_status
        if self.pai_pct is not None:
            found["pai"] = number(self.pai_pct)
        return found

    @property
    def reason(self) -> GapReason | None:
        """Why there is no number; None where there is one."""
        for bits, reason in _DEVICE:
            if (self.device_status or 0) & bits:
                return reason
        status = self.status or 0
        # a stored measurement was made at some other time, which the oximeter's clock alone knows
        if status & (_NOT_MEASURED | _FROM_STORAGE):
            return GapReason.MISSING
        return GapReason.POOR_SIGNAL if status & _QUESTIONABLE else None


UNTOLD = Condition()


def observe(
    pair: Pair, condition: Condition, channels: tuple[str, str, str], spot: bool = False
) -> tuple[Observation, ...]:
    """Of `channels` (saturation, pulse rate, perfusion) the last one only where the oximeter measures it."""
    spo2, pulse_rate, perfusion = channels
    reason = condition.reason
    if reason is not None:
        return tuple(Absent(channel, reason, spot) for channel in channels[: 2 if condition.pai_pct is None else 3])
    seen: list[Observation] = [
        observed(Quantity.SPO2, spo2, pair.spo2_pct, 1, 100, spot),
        observed(Quantity.PULSE_RATE, pulse_rate, pair.pr_bpm, 1, 400, spot),
    ]
    if condition.pai_pct is not None:
        seen.append(observed(Quantity.PERFUSION, perfusion, condition.pai_pct, 0, 100, spot))
    return tuple(seen)
