"""The heart rate of pulse waves in windows of 8 s every 2 s, in motion too; where it is not sure, there is none.

Beats at rest tell it exactly and in motion not at all, so each window is also asked what rates its spectra make likely
(`ppg_rate_features`, `ppg_rate`), and the windows together which of them the heart had (`rate_track`). A window is told
DELAY_S after its end. A rate is told only where it is right to RIGHT_BPM with at least the
probability that its case asks for.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from device_pipeline.beat import BeatSource
from device_pipeline.beats.ppg import MOTION_G
from device_pipeline.signal.even_grid import POINT_NS, EvenGrid
from device_pipeline.track import Window
from device_pipeline.windows import MIN_GOOD_FRACTION, MIN_INTERVALS, HeartRate
from models.ppg_rate import rate_net, rate_trust
from models.ppg_rate_features import LONG, MOVE_COLUMN, WINDOW, Floats, rate_features
from models.rate_track import LAG, RateTrack
from sensors.samples import Gap, Kind, Samples

# Where beats can be told the rate is asked to be exact; where they cannot although nothing is known to move, there may
# be no pulse at all.
MIN_INDEX_MOVING, MIN_INDEX_BEATS, MIN_INDEX_POOR = 0.5, 0.6, 0.8
STEP_S = 2
DELAY_S = LAG * STEP_S
# The pulse comes to the wrist or the finger about so long after the beat, so the intervals of a window are looked for
# that much later.
ARRIVAL_NS = 250_000_000
MIN_PRESENT = 0.75  # of the points of a window
HOLE_NS = 60_000_000_000  # windows that are so far apart know nothing of each other
_NEVER_NS = -(1 << 62)
MAX_STILL = 1e-9  # a channel that varies no more than this holds no wave


@dataclass(frozen=True, slots=True, repr=False)
class _Waiting:
    start_ns: int
    end_ns: int
    has_wave: bool
    moving: bool
    instead: HeartRate | None


class PulseRate:
    """Takes the samples and gaps of up to two PPG channels and an accelerometer, then one window after another.

    `origin_ns`: where the grid of windows begins. Channels that are named must come, or their gaps; what of them has
    not come by the time a window is asked for is absent. Obeys the law of the cut.
    """

    def __init__(self, origin_ns: int, channels: tuple[str, ...], acc_channel: str | None) -> None:
        self._origin_ns = origin_ns
        self._waves = {channel: EvenGrid(origin_ns) for channel in channels}
        self._acc_channel = acc_channel
        self._acc = EvenGrid(origin_ns, 3) if acc_channel is not None else None
        self._grids = [*self._waves.values(), *([] if self._acc is None else [self._acc])]
        self._net = rate_net()
        self._track = RateTrack(rate_trust())
        self._waiting: deque[_Waiting] = deque()
        self._last_ns: int | None = None

    def push(self, item: Samples | Gap) -> None:
        """Items of other channels are passed over."""
        for channel, grid in self._waves.items():
            if item.channel == channel if isinstance(item, Samples) else item.channel in (None, channel):
                grid.push(item)
        if self._acc is not None:
            mine = (self._acc_channel,) if isinstance(item, Samples) else (None, self._acc_channel)
            if item.channel in mine and (isinstance(item, Gap) or item.kind is Kind.ACC):
                self._acc.push(item)

    @property
    def known_ns(self) -> int:
        """Every window that ends here or before can be answered for good."""
        known = [grid.known_until for grid in self._grids]
        return min(_NEVER_NS if point is None else self._origin_ns + point * POINT_NS for point in known)

    def window(self, seen: Window, instead: HeartRate | None) -> None:
        """The next window of the grid, as the beats have it; `instead` stands where the waves tell nothing."""
        if self._last_ns is not None and seen.start_ns - self._last_ns > HOLE_NS:
            self._track = RateTrack(rate_trust())
        self._last_ns = seen.start_ns
        first = (seen.start_ns - self._origin_ns) // POINT_NS - (LONG - WINDOW)
        waves = [grid.window(first, LONG) for grid in self._waves.values()]
        present = [
            points[:, 0]
            for points, there in waves
            if there[-WINDOW:].sum() >= MIN_PRESENT * WINDOW and float(points[-WINDOW:].std()) > MAX_STILL
        ]
        acc_g: Floats | None = None
        if self._acc is not None:
            points, there = self._acc.window(first, LONG)
            if there[-WINDOW:].sum() >= MIN_PRESENT * WINDOW:
                acc_g = points.T
        off = seen.absent_ns > (1 - MIN_GOOD_FRACTION) * seen.length_ns
        has_wave = bool(present) and not off
        if has_wave:
            # Of the sensor's unit nothing may be left: an offset of 1e6 leaves rounding that is no wave.
            scaled = [wave / float(wave[-WINDOW:].std()) for wave in present]
            features = rate_features(np.stack(scaled), acc_g, beats_bpm(seen), seen.good_fraction)
            self._track.push(self._net(features), features[:, MOVE_COLUMN])
        else:
            self._track.push(None, None)
        own_g = None if acc_g is None else acc_g[:, -WINDOW:]
        moving = own_g is not None and math.sqrt(float((own_g * own_g).sum()) / WINDOW) > MOTION_G
        self._waiting.append(_Waiting(seen.start_ns, seen.end_ns, has_wave, moving, instead))
        self.forget(seen.start_ns)

    def forget(self, before_ns: int) -> None:
        """Drops what no window that starts at `before_ns` or later can need."""
        for grid in self._grids:
            grid.forget((before_ns - self._origin_ns) // POINT_NS - (LONG - WINDOW))

    def due(self, flush: bool = False) -> Iterator[tuple[int, int]]:
        """(start_ns, end_ns) of each window to be told now, in which `tell` wants to know the beats of ARRIVAL_NS
        later; with `flush`, of every one that waits.
        """
        while len(self._waiting) > (0 if flush else LAG):
            yield self._waiting[0].start_ns, self._waiting[0].end_ns

    def tell(self, seen: Window, late: Window) -> HeartRate:
        """The window that `due` named: `seen` as the beats have it, `late` the same ARRIVAL_NS later."""
        window = self._waiting.popleft()
        rate_bpm = beats_bpm(late)
        told = self._track.tell(rate_bpm, seen.good_fraction, unrest(late))
        has_beats = rate_bpm is not None and seen.good_fraction >= MIN_GOOD_FRACTION
        least = MIN_INDEX_BEATS if has_beats else MIN_INDEX_MOVING if window.moving else MIN_INDEX_POOR
        bpm, reason = None, None
        if not window.has_wave:
            reason = seen.reason or "poor_signal"
        elif seen.reason == "low_perfusion" and seen.good_fraction < MIN_GOOD_FRACTION:
            reason = seen.reason
        elif told.index < least:
            reason = "motion" if window.moving else "unsure"
        else:
            bpm = told.bpm
        if bpm is None and window.instead is not None:
            return window.instead
        return HeartRate(
            start_ns=window.start_ns,
            length_ns=window.end_ns - window.start_ns,
            bpm=bpm,
            quality=told.index if window.has_wave else None,
            reason=reason,
            source=BeatSource.PPG,
        )


def beats_bpm(window: Window) -> float | None:
    """60 / mean RR over the intervals that lie wholly in the window; None where there are fewer than two."""
    rr_s = _intervals_s(window)
    return 60.0 * len(rr_s) / sum(rr_s) if len(rr_s) >= MIN_INTERVALS else None


def unrest(window: Window) -> float:
    """Mean difference of neighbouring intervals over their mean; 0 where there are fewer than three."""
    rr_s = _intervals_s(window)
    return sum(abs(b - a) for a, b in pairwise(rr_s)) / (len(rr_s) - 1) / (sum(rr_s) / len(rr_s)) if rr_s[2:] else 0.0


def _intervals_s(window: Window) -> list[float]:
    return [
        beat.rr_s
        for beat in window.beats
        if beat.rr_s is not None and beat.t_ns - round(beat.rr_s * 1e9) >= window.start_ns
    ]
