"""The three types that leave this room. Absence is a Gap with a reason, never NaN and never 0.

Times are integer nanoseconds since the Unix epoch (a file without a date starts at 0). A block of samples may be cut
anywhere without changing the time of any sample: each block keeps the anchor it was made with and only moves its
offset.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray


class Kind(StrEnum):
    """What a sampled channel measures; it fixes the unit of the values."""

    ECG = "ecg"  # mV
    PPG = "ppg"  # arbitrary units of the sensor
    ACC = "acc"  # g, three axes
    RESP = "resp"  # arbitrary units of the sensor


class Quantity(StrEnum):
    """What a single reading measures; the name ends in its unit."""

    HEART_RATE = "heart_rate_bpm"
    RR = "rr_ms"
    SPO2 = "spo2_pct"
    BATTERY = "battery_pct"
    PULSE_RATE = "pulse_rate_bpm"  # of an oximeter or a cuff: pulses, not heart beats
    PERFUSION = "perfusion_pct"
    TEMPERATURE = "temperature_c"
    SYSTOLIC = "systolic_mmhg"
    DIASTOLIC = "diastolic_mmhg"
    MEAN_PRESSURE = "mean_pressure_mmhg"
    GLUCOSE = "glucose_mg_dl"


class GapReason(StrEnum):
    """Why there is nothing."""

    LOST_FRAME = "lost_frame"  # the device's own clock shows that samples are missing
    LINK_LOST = "link_lost"  # the radio link was down
    SILENT = "silent"  # connected, but nothing came
    OFF_BODY = "off_body"  # the sensor itself says that it has no contact
    FLAT_LINE = "flat_line"  # a constant signal: no electrode, no body
    CLOCK_JUMP = "clock_jump"  # the device clock moved and time could not be told
    UNDECODABLE = "undecodable"  # bytes came that no profile could read
    MISSING = "missing"  # the file or the sensor itself says that there is no value (NaN, invalid)
    TRUNCATED = "truncated"  # the file ends before its header says
    POOR_SIGNAL = "poor_signal"  # the sensor itself does not trust what it measured
    LOW_PERFUSION = "low_perfusion"  # too little blood flows under an oximeter
    SENSOR_FAULT = "sensor_fault"  # the sensor itself says that it is broken or cannot work
    OUT_OF_RANGE = "out_of_range"  # beyond what the sensor, or any wearer, can have


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Samples:
    """A contiguous block of one evenly sampled channel.

    `values` has shape (n,), or (n, 3) for `Kind.ACC`, float64, finite. Sample k of the block was taken at
    `anchor_ns + round((offset + k) * step_ns)`. `fs_hz` is the nominal rate that filters are designed for; `step_ns`
    is the measured one. Blocks of one channel arrive in order of time; where samples are missing a Gap stands between.
    """

    kind: Kind
    channel: str
    fs_hz: float
    anchor_ns: int
    step_ns: float
    offset: int
    values: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.values)

    def __repr__(self) -> str:
        return f"<Samples {self.channel} n={len(self.values)}>"

    def t_ns(self, k: float) -> int:
        """Time of sample `k` of this block; fractions lie between samples, len(self) is the end of the block."""
        return self.anchor_ns + round((self.offset + k) * self.step_ns)

    @property
    def start_ns(self) -> int:
        return self.t_ns(0)

    @property
    def end_ns(self) -> int:
        """One step after the last sample."""
        return self.t_ns(len(self.values))

    def cut(self, start: int, stop: int) -> Samples:
        """Samples [start, stop) of this block; every sample keeps its time to the nanosecond."""
        return Samples(
            self.kind,
            self.channel,
            self.fs_hz,
            self.anchor_ns,
            self.step_ns,
            self.offset + start,
            self.values[start:stop],
        )


@dataclass(frozen=True, slots=True, repr=False)
class Reading:
    """One value that a sensor worked out by itself.

    For `Quantity.RR`, `t_ns` is the time of the beat that ends the interval.
    """

    quantity: Quantity
    channel: str
    t_ns: int
    value: float

    def __repr__(self) -> str:
        return f"<Reading {self.channel}>"


@dataclass(frozen=True, slots=True)
class Gap:
    """Nothing is known of `channel` in [start_ns, end_ns), and why. `channel` None means every channel of the device.

    A long absence may arrive as several Gaps that touch; whoever shows them joins them.
    """

    channel: str | None
    start_ns: int
    end_ns: int
    reason: GapReason


Item = Samples | Reading | Gap
