"""The side of a red and an infrared light: windows on the grid of time, each judged on its own samples alone.

Windows wait for the slowest of what belongs to them: both colours, and the accelerometer where there is one. Whether
there is one, or an oximeter that says it better, shows in the first seventy seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from device_pipeline.oximetry.ratio import GOOD_INDEX, METHOD, ratio_of_ratios
from device_pipeline.oximetry.spo2 import Spo2
from sensors.samples import Gap, Kind, Samples

RED, INFRARED = COLOURS = ("ppg_red", "ppg_ir")
WINDOW_S = 10
WAIT_S = 70  # longer than a block of a file: all channels of one block have come by then
MOTION_G = 0.05  # rms over the axes: more than breathing and a pulse, less than a hand that turns a page
MIN_COVER = 0.95
RATES_HZ = (20.0, 500.0)
LONGEST_HOLE_NS = 86_400_000_000_000
_S = 1_000_000_000


@dataclass(slots=True)
class _Channel:
    """One channel's samples that a window may still need; `values` is (n,), or (n, 3) of an accelerometer."""

    fs_hz: float = 0.0
    t_ns: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    values: NDArray[np.float64] | None = None
    gaps: list[tuple[int, int, str]] = field(default_factory=list)
    until_ns: int | None = None

    def add(self, block: Samples) -> None:
        self.fs_hz = block.fs_hz
        steps = np.rint((block.offset + np.arange(len(block))) * block.step_ns).astype(np.int64)
        self.t_ns = np.concatenate((self.t_ns, block.anchor_ns + steps))
        self.values = block.values if self.values is None else np.concatenate((self.values, block.values))
        self._advance(block.end_ns)

    def miss(self, gap: Gap) -> None:
        self.gaps.append((gap.start_ns, gap.end_ns, gap.reason.value))
        self._advance(gap.end_ns)

    def _advance(self, t_ns: int) -> None:
        self.until_ns = t_ns if self.until_ns is None else max(self.until_ns, t_ns)

    def between(self, start_ns: int, end_ns: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        first, last = np.searchsorted(self.t_ns, (start_ns, end_ns))
        values = np.empty(0) if self.values is None else self.values[first:last].copy()
        return self.t_ns[first:last], values

    def reason(self, start_ns: int, end_ns: int) -> str | None:
        """Why most of what is missing there is missing."""
        blame: dict[str, int] = {}
        for low, high, reason in self.gaps:
            overlap = min(high, end_ns) - max(low, start_ns)
            if overlap > 0:
                blame[reason] = blame.get(reason, 0) + overlap
        return max(blame, key=lambda reason: (blame[reason], reason)) if blame else None

    def forget(self, before_ns: int) -> None:
        first = int(np.searchsorted(self.t_ns, before_ns))
        self.t_ns = self.t_ns[first:]
        self.values = None if self.values is None else self.values[first:]
        self.gaps = [gap for gap in self.gaps if gap[1] > before_ns]


class TwoColours:
    """Samples of the channels `ppg_red` and `ppg_ir`, and of any accelerometer of the same device."""

    def __init__(self, origin_ns: int, nothing: str) -> None:
        """`nothing`: the reason where samples are missing and no gap says why."""
        self._origin_ns = origin_ns
        self._nothing = nothing
        self._colours = {RED: _Channel(), INFRARED: _Channel()}
        self._acc: _Channel | None = None  # once an accelerometer has been heard
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
            self._acc, self._acc_channel = self._acc or _Channel(), item.channel
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
