"""The side of an accelerometer: every minute answered by its own samples, and a sensor that lies around is no wearer.

Level: the mean amplitude deviation (MAD) of the norm over spans of 6 s, with the cut points of Vähä-Ypyä et al. 2015
(doi:10.1371/journal.pone.0134813) at 3 and 6 METs and the one of the same group for stillness. They were found on
the hip of adults; on chest and wrist they say about the same. MAD needs no calibration: gravity's own error drops out.

Not worn: nothing that lives is still. Off body is what moves by less than `DEAD_G` in means of half a second on every
axis for ten minutes, told from its beginning; and what strays by less than 13 mg on every axis for an hour (van Hees et
al. 2013, doi:10.1371/journal.pone.0061691, who ask for two of three), told from then on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from device_pipeline.motion.activity import Activity, Level
from device_pipeline.motion.gait import steps
from device_pipeline.motion.posture import LEARN_STEPS, Trunk
from device_pipeline.motion.quality_acc import GOOD_INDEX, quality
from device_pipeline.signal.remembered import Remembered
from device_pipeline.track import Window
from device_pipeline.windows import LONGEST_HOLE_NS
from sensors.samples import Gap, Item, Kind, Samples

WINDOW_S = 60
LEAST_S = 10  # the last window of a record may be as short
RATES_HZ = (9.0, 500.0)
MIN_COVER = 0.5
MAD_S = 6
LEVELS_G = ((0.0225, Level.STILL), (0.0915, Level.LIGHT), (0.414, Level.MODERATE))
DEAD_G, DEAD_CELL_S, DEAD_WINDOWS = 0.008, 0.5, 10
STILL_G, STILL_WINDOWS = 0.013, 60
OFF_BODY, MISSING, SILENT = "off_body", "missing", "silent"
_S = 10**9

Floats = NDArray[np.float64]


class Movement:
    """See Side. Reads the first accelerometer of the device that speaks."""

    def __init__(self, *, origin_ns: int, live: bool) -> None:
        self._origin_ns = origin_ns
        self._nothing = SILENT if live else MISSING
        self._begun_ns: int | None = None
        self._channel: str | None = None
        self._heard = Remembered()
        self._next_ns: int | None = None
        self._on_chest = False
        self._trunk = Trunk()
        self._dead: list[Activity] = []  # windows that wait for what becomes of them
        self._dead_n = 0
        self._still_n = 0

    def begin(self, start_ns: int) -> None:
        self._begun_ns = start_ns

    def push(self, item: Item) -> Sequence[Activity]:
        if isinstance(item, Samples):
            if item.kind is Kind.ECG:
                self._on_chest = True  # electrodes sit there, and the accelerometer beside them
            if item.kind is not Kind.ACC or not len(item) or self._channel not in (None, item.channel):
                return ()
            if not RATES_HZ[0] <= item.fs_hz <= RATES_HZ[1]:
                return ()
            self._start(item)
            self._heard.add(item)
        elif isinstance(item, Gap) and self._channel is not None and item.channel in (None, self._channel):
            self._heard.miss(item)
        else:
            return ()
        return self._closed(self._heard.until_ns)

    def see(self, windows: Sequence[Window], more: bool) -> Sequence[Activity]:
        return ()

    def flush(self, end_ns: int) -> Sequence[Activity]:
        out = self._closed(end_ns)
        if self._next_ns is not None and end_ns - self._next_ns >= LEAST_S * _S:
            out += self._settled(self._judge(self._next_ns, end_ns))
        out += self._dead  # too short to know
        self._dead = []
        return out

    def _start(self, block: Samples) -> None:
        if self._channel is None:
            self._channel = block.channel
            begun_ns, t_ns = self._begun_ns, block.start_ns
            near = begun_ns is not None and 0 <= t_ns - begun_ns <= LONGEST_HOLE_NS
            self._next_ns = self._start_of(begun_ns if near and begun_ns is not None else t_ns)

    def _start_of(self, t_ns: int) -> int:
        return t_ns - (t_ns - self._origin_ns) % (WINDOW_S * _S)

    def _closed(self, until_ns: int | None) -> list[Activity]:
        out: list[Activity] = []
        if self._next_ns is None or until_ns is None:
            return out
        while self._next_ns + WINDOW_S * _S <= until_ns:
            out += self._settled(self._judge(self._next_ns, self._next_ns + WINDOW_S * _S))
            self._next_ns += WINDOW_S * _S
            self._heard.forget(self._next_ns)
            first_ns = int(self._heard.t_ns[0]) if len(self._heard.t_ns) else until_ns
            if first_ns - self._next_ns > LONGEST_HOLE_NS:
                self._next_ns = self._start_of(first_ns)
        return out

    def _judge(self, start_ns: int, end_ns: int) -> tuple[Activity, bool, bool]:
        """The window, whether it is dead, and whether it is still."""
        t_ns, v = self._heard.between(start_ns, end_ns)
        length_ns = end_ns - start_ns
        cover = len(v) / (length_ns / _S * self._heard.fs_hz)
        reason: str | None
        if cover < MIN_COVER:
            reason = self._heard.reason(start_ns, end_ns) or self._nothing
            index = cover if len(v) else None
            return Activity(start_ns, length_ns, None, None, None, index, reason), False, False
        index, reason = quality(v, cover)
        t_s = (t_ns - start_ns) / _S
        dead, still = _is_dead(t_s, v), bool((v.std(axis=0) < STILL_G).all())
        if index < GOOD_INDEX:
            return Activity(start_ns, length_ns, None, None, None, index, reason), dead, still
        norm = np.sqrt((v * v).sum(axis=1))
        taken = steps(t_s, norm, length_ns / _S)
        mean = v.mean(axis=0)
        posture = None
        if self._on_chest:
            posture = self._trunk.walks(mean) if taken >= LEARN_STEPS else self._trunk.rests(mean)
        return Activity(start_ns, length_ns, taken, _level(t_s, norm), posture, index, None), dead, still

    def _settled(self, judged: tuple[Activity, bool, bool]) -> list[Activity]:
        """What became final with one more window."""
        window, dead, still = judged
        self._still_n = self._still_n + 1 if still else 0
        self._dead_n = self._dead_n + 1 if dead else 0
        if self._still_n > STILL_WINDOWS:
            window = _unworn(window)
        if not dead:
            out, self._dead = [*self._dead, window], []
            return out
        if self._dead_n < DEAD_WINDOWS:
            self._dead.append(window)
            return []
        out, self._dead = [_unworn(before) for before in (*self._dead, window)], []
        return out


def _unworn(window: Activity) -> Activity:
    return replace(window, steps=None, level=None, posture=None, reason=OFF_BODY)


def _level(t_s: Floats, norm: Floats) -> Level:
    cells = np.floor(t_s / MAD_S).astype(np.intp)
    starts = np.flatnonzero(np.diff(cells, prepend=-1))
    counts = np.diff(starts, append=len(norm))
    means = np.add.reduceat(norm, starts) / counts
    mad_g = float((np.add.reduceat(np.abs(norm - np.repeat(means, counts)), starts) / counts).mean())
    return next((level for below_g, level in LEVELS_G if mad_g < below_g), Level.VIGOROUS)


def _is_dead(t_s: Floats, v: Floats) -> bool:
    starts = np.flatnonzero(np.diff(np.floor(t_s / DEAD_CELL_S), prepend=-1))
    counts = np.diff(starts, append=len(v))
    means = np.add.reduceat(v, starts, axis=0)[counts > 1] / counts[counts > 1, None]
    return len(means) > 0 and bool((means.max(axis=0) - means.min(axis=0) < DEAD_G).all())
