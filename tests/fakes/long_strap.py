"""A chest strap worn for a day: ECG over PMD, intervals over the heart-rate service, and what a radio does to them.

Deterministic and streaming: a day is never in memory. The truth is kept beside it: which samples and intervals arrived
and when each of them was. Most of what goes wrong also happens in the first minute, so that an excerpt has it too.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fixtures.chance import Chance
from fixtures.heart import Heart, Part, Rhythm
from sensors.link import Device, Event, LinkDown, LinkUp, Notification
from sensors.profiles.heart_rate import HeartRateMeasurement, HeartRateProfile
from sensors.profiles.pmd_frames import EcgFrame, Header
from sensors.profiles.polar_pmd import PolarPmdProfile
from sensors.recording import RecordingWriter

S, MS = 10**9, 10**6
DAY_S = 86_400.0
STARTED_NS = 1_767_596_400 * S
FRAME = 73
FS_HZ = 131.3 * (1 + 20e-6)  # by the host: 1 % above nominal, on a clock that is 20 ppm fast
RR_DELAY_NS = 3 * S
LATENCY_FLOOR_NS = 12 * MS

LOST_FRAMES = ((20.0, 1), (200.0, 3), (3_600.0, 40), (40_000.0, 1), (80_000.0, 7))  # (from s, how many)
LOST_NOTIFICATIONS_S = (34.0, 310.0, 20_000.0, 61_000.0)
LINK_DOWN_S = ((40.0, 46.0), (500.0, 530.0), (30_000.0, 33_600.0), (70_000.0, 70_020.0))
CLOCK_SET_S = ((52.0, -220_000_000), (45_000.0, -1_000), (65_000.0, 300_000_000))  # (at s, by s)
HELD_UP_S = ((25.0, 29.0), (430.0, 434.0), (7_000.0, 7_004.0), (50_000.0, 50_004.0))  # all of it comes at the end
BURST_EVERY, BURST_NS = 97, 900 * MS  # now and then a retransmission holds up what is behind it

_DEVICE_STARTED_NS = 599_616_075 * S  # since 2000: 2019-01-01, where an H10 begins, and a little
_STREAMS_AFTER_NS = 700 * MS  # a stream starts after its link
_NOTIFIED_EVERY_NS = 999_980_000  # a second of a clock that is 20 ppm fast
_HEART = Heart(seed=24, start_bpm=66, parts=(Part("rest", 300, Rhythm.SINUS, 66, 0.04),))
_CYCLE = round(300 * FS_HZ)  # samples; the heart repeats itself, with an odd beat at the seam
_CYCLE_NS = _CYCLE / FS_HZ * 1e9


@dataclass(slots=True)
class LongStrap:
    """Shorter `seconds` give a prefix of what more give. `events` may be asked for once; the lists follow it."""

    seconds: float = DAY_S
    device: Device = field(default_factory=lambda: Device("Long Strap"))
    frames: list[int] = field(default_factory=list)  # the first sample of each that arrived
    rr_1024: list[int] = field(default_factory=list)  # each interval that arrived
    rr_end_ns: list[int] = field(default_factory=list)  # when the beat was that ends it
    _ecg_uv: NDArray[np.int64] = field(init=False)
    _beats_ns: list[int] = field(init=False)

    def __post_init__(self) -> None:
        beats = [beat for beat in _HEART.beats() if beat.t_ns < _CYCLE_NS]
        self._beats_ns = [beat.t_ns for beat in beats]
        noise_mv = 0.008 * Chance(24, 2).normal(_CYCLE)
        self._ecg_uv = np.rint((_HEART.ecg_mv(beats, FS_HZ, _CYCLE) + noise_mv) * 1000).astype(np.int64)

    def uv(self, first: int) -> NDArray[np.int64]:
        """The samples of the frame that begins with `first`."""
        taken: NDArray[np.int64] = self._ecg_uv[np.arange(first, first + FRAME) % _CYCLE]
        return taken

    def write(self, path: Path) -> Path:
        with RecordingWriter(path, self.device, STARTED_NS) as writer:
            for event in self.events():
                writer.write(event)
        return path

    def events(self) -> Iterator[Event]:
        """Everything the host receives, in order of arrival."""
        down = [(round(a * S), round(b * S)) for a, b in LINK_DOWN_S if a < self.seconds]
        ends_ns = [*(a for a, _ in down), round(self.seconds * S)]
        ups_ns = [0, *(b for _, b in down)]
        wait_ns = np.rint(Chance(24, 1).erlang(4096, 2, 16e6)).astype(np.int64).tolist()
        link, arrived_ns = 0, 0
        sent = heapq.merge(self._frames_sent(), self._intervals_sent(), key=lambda entry: entry[0])
        for count, (ready_ns, first, rr) in enumerate(sent):
            while link < len(down) and ready_ns >= ends_ns[link]:
                yield LinkDown(STARTED_NS + ends_ns[link], "supervision timeout")
                link += 1
                yield LinkUp(STARTED_NS + ups_ns[link])
            at_ns = ready_ns + LATENCY_FLOOR_NS + wait_ns[count % 4096] + BURST_NS * (count % BURST_EVERY == 50)
            for start_s, end_s in HELD_UP_S:
                if start_s * S <= ready_ns < end_s * S:
                    at_ns = max(at_ns, round(end_s * S))
            at_ns = max(at_ns, arrived_ns + MS)
            begun_ns = _taken_ns(first) if first is not None else ready_ns
            if begun_ns < ups_ns[link] + _STREAMS_AFTER_NS:
                continue
            arrived_ns = at_ns
            if at_ns >= ends_ns[link]:
                continue
            if first is not None:
                self.frames.append(first)
                payload = PolarPmdProfile().encode(EcgFrame(Header(_stamp_ns(ready_ns)), self.uv(first)))
                yield Notification(STARTED_NS + at_ns, PolarPmdProfile.characteristic, payload)
            else:
                self.rr_1024 += [interval for interval, _ in rr]
                self.rr_end_ns += [STARTED_NS + end_ns for _, end_ns in rr]
                value = HeartRateMeasurement(66, True, None, tuple(interval for interval, _ in rr))
                yield Notification(STARTED_NS + at_ns, HeartRateProfile.characteristic, value.encode())

    def _frames_sent(self) -> Iterator[tuple[int, int | None, list[tuple[int, int]]]]:
        """(ready, first sample, nothing); a frame is ready with its last sample."""
        lost = list(LOST_FRAMES)
        left = 0
        for first in itertools.count(0, FRAME):
            ready_ns = _taken_ns(first + FRAME - 1)
            if ready_ns >= self.seconds * S:
                return
            if lost and _taken_ns(first) >= lost[0][0] * S:
                left = lost.pop(0)[1]
            if left:
                left -= 1
            else:
                yield ready_ns, first, []

    def _intervals_sent(self) -> Iterator[tuple[int, int | None, list[tuple[int, int]]]]:
        """(ready, None, [(1/1024 s, when it ended)]): once a second, seconds late."""
        lost = list(LOST_NOTIFICATIONS_S)
        beats = self._beats()
        before_ns, end_ns = next(beats), next(beats)
        for ready_ns in range(1_310 * MS, round(self.seconds * S), _NOTIFIED_EVERY_NS):
            rr: list[tuple[int, int]] = []
            while end_ns + RR_DELAY_NS <= ready_ns:
                # on the device's own ticks, so that rounding never adds up
                rr.append((_elapsed_ns(end_ns) * 1024 // S - _elapsed_ns(before_ns) * 1024 // S, end_ns))
                before_ns, end_ns = end_ns, next(beats)
            if lost and ready_ns >= lost[0] * S:
                lost.pop(0)
            else:
                yield ready_ns, None, rr

    def _beats(self) -> Iterator[int]:
        for cycle in itertools.count():
            for beat_ns in self._beats_ns:
                yield round(cycle * _CYCLE_NS) + beat_ns


def sample_ns(k: NDArray[np.int64]) -> NDArray[np.int64]:
    """When the samples `k` were taken, by a host clock that is right."""
    taken: NDArray[np.int64] = STARTED_NS + np.rint(k * (1e9 / FS_HZ)).astype(np.int64)
    return taken


def _taken_ns(k: int) -> int:
    return round(k * 1e9 / FS_HZ)


def _elapsed_ns(t_ns: int) -> int:
    """Of the device's crystal, 20 ppm fast; over the day it warms and cools by another ppm."""
    day = np.sin(2 * np.pi * t_ns / (DAY_S * S))
    return t_ns + t_ns * 20 // 1_000_000 + round(DAY_S * S * 1e-6 / (2 * np.pi) * float(day))


def _stamp_ns(t_ns: int) -> int:
    """The device's clock, in its ticks of 1/32768 s."""
    moved_ns = sum(by_s * S for at_s, by_s in CLOCK_SET_S if t_ns >= at_s * S)
    ticks = (_DEVICE_STARTED_NS + _elapsed_ns(t_ns) + moved_ns) * 32_768 // S
    return ticks * S // 32_768
