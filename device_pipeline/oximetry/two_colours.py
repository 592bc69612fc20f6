"""The side of a red and an infrared light: windows on the grid of time, each judged on its own samples alone.

Windows wait for the slowest of what belongs to them: both colours, and the accelerometer where there is one. Whether
there is one, or an oximeter that says it better, shows in the first seventy seconds.
"""

from __future__ import annotations

import numpy as np

from device_pipeline.oximetry.ratio import GOOD_INDEX, METHOD, ratio_of_ratios
from device_pipeline.oximetry.spo2 import Spo2
from device_pipeline.signal.remembered import Remembered
from device_pipeline.windows import LONGEST_HOLE_NS
from sensors.samples import Gap, Kind, Samples

RED, INFRARED = COLOURS = ("ppg_red", "ppg_ir")
WINDOW_S = 10
WAIT_S = 70  # longer than a block of a file: all channels of one block have come by then
MOTION_G = 0.05  # rms over the axes: more than breathing and a pulse, less than a hand that turns a page
MIN_COVER = 0.95
RATES_HZ = (20.0, 500.0)
_S = 1_000_000_000


class TwoColours:
    """Samples of the channels `ppg_red` and `ppg_ir`, and of any accelerometer of the same device."""

    def __init__(self, origin_ns: int, nothing: str) -> None:
        """`nothing`: the reason where samples are missing and no gap says why."""
        self._origin_ns = origin_ns
        self._nothing = nothing
        self._colours = {RED: Remembered(), INFRARED: Remembered()}
        self._acc: Remembered | None = None  # once an accelerometer has been heard
        self._acc_channel: str | None = None
        self._first_ns: int | None = None
        self._next_ns: int | None = None

    def push(self, item: Samples | Gap) -> list[Spo2]:
        if isinstance(item, Gap):
            for name, colour in self._colours.items():
                if item.channel in (None, name) and colour.until_ns is not None:
                    colour.miss(item)
            if self._acc is not None and item.channel in (None, self._acc_channel):
                self._acc.miss(item)
        elif item.kind is Kind.ACC and self._acc_channel in (None, item.channel):
            self._acc, self._acc_channel = self._acc or Remembered(), item.channel
            self._acc.add(item)
            if self._first_ns is None:
                self._acc.forget(item.end_ns - WAIT_S * _S)
        elif item.channel in self._colours and len(item) and RATES_HZ[0] <= item.fs_hz <= RATES_HZ[1]:
            if self._first_ns is None:
                self._first_ns = item.start_ns
                self._next_ns = self._start_of(item.start_ns)
            self._colours[item.channel].add(item)
        else:
            return []
        return self._closed()

    def flush(self, end_ns: int) -> list[Spo2]:
        """Whole windows only: a pulse needs its time."""
        told = [colour.until_ns for colour in self._colours.values()]
        if any(until is None for until in told):
            return []
        return self._close_to(min(end_ns, max(until for until in told if until is not None)))

    def _start_of(self, t_ns: int) -> int:
        return t_ns - (t_ns - self._origin_ns) % (WINDOW_S * _S)

    def _closed(self) -> list[Spo2]:
        told = [colour.until_ns for colour in self._colours.values()]
        if self._first_ns is None or any(until is None for until in told):
            return []
        passed_ns = min(until for until in told if until is not None)
        if passed_ns - self._first_ns < WAIT_S * _S:
            return []
        if self._acc is not None and self._acc.until_ns is not None:
            passed_ns = max(min(passed_ns, self._acc.until_ns), passed_ns - WAIT_S * _S)
        return self._close_to(passed_ns)

    def _close_to(self, until_ns: int) -> list[Spo2]:
        out: list[Spo2] = []
        if self._next_ns is None:
            return out
        if until_ns - self._next_ns > LONGEST_HOLE_NS:
            self._next_ns = self._start_of(until_ns)
        while self._next_ns + WINDOW_S * _S <= until_ns:
            out.append(self._judge(self._next_ns, self._next_ns + WINDOW_S * _S))
            self._next_ns += WINDOW_S * _S
        if out:
            for colour in self._colours.values():
                colour.forget(self._next_ns)
            if self._acc is not None:
                self._acc.forget(self._next_ns)
        return out

    def _judge(self, start_ns: int, end_ns: int) -> Spo2:
        red, infrared = self._colours[RED], self._colours[INFRARED]
        red_ns, y = red.between(start_ns, end_ns)
        infrared_ns, x = infrared.between(start_ns, end_ns)
        spo2_pct: float | None = None
        quality: float | None = None
        reason: str | None
        whole = all(
            colour.fs_hz > 0 and len(values) >= MIN_COVER * WINDOW_S * colour.fs_hz
            for colour, values in ((red, y), (infrared, x))
        )
        if not whole:
            reason = red.reason(start_ns, end_ns) or infrared.reason(start_ns, end_ns) or self._nothing
        else:
            if len(y) != len(x) or not np.array_equal(red_ns, infrared_ns):
                y = np.interp(infrared_ns, red_ns, y)
            found = ratio_of_ratios(y, x, infrared.fs_hz)
            spo2_pct, quality, reason = found.spo2_pct, found.quality, found.reason
            rms_g = self._rms_g(start_ns, end_ns)
            if rms_g is not None and rms_g > MOTION_G:
                spo2_pct, reason = None, "motion"
                quality = min(quality, GOOD_INDEX * MOTION_G / rms_g)
        return Spo2(start_ns, end_ns - start_ns, spo2_pct, quality, reason, METHOD)

    def _rms_g(self, start_ns: int, end_ns: int) -> float | None:
        """How far the acceleration strays from its mean, all axes together; None where too little is known.

        Not of its norm: an arm that swings across gravity hardly changes that.
        """
        if self._acc is None:
            return None
        _, values = self._acc.between(start_ns, end_ns)
        if len(values) < max(2.0, 0.5 * WINDOW_S * self._acc.fs_hz):
            return None
        strays = values - values.mean(axis=0)
        return float(np.sqrt((strays * strays).sum() / len(strays)))
