"""How many of a minute's beats look unlike the wearer's own, once those are known; a shape, never a cause.

Beats that can be trusted alone are looked at, minute by minute on a fixed grid; the first of them teach what is usual.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from statistics import median

import numpy as np

from device_pipeline.anomaly.anomaly import Anomaly
from device_pipeline.signal.filters import Floats
from device_pipeline.track import Window
from models.errors import ModelError
from models.morphology import LEAST_BEATS, Morphology
from models.morphology_calibration import Calibration

MIN_GOOD_FRACTION = 0.5
LEAST_IN_WINDOW = 10  # beats: fewer say little of a minute
FIRST_DAY_NS = 86_400 * 1_000_000_000
MOST_KEPT = 2400  # beats that a calibration is made from: then every second one is, and so on

MakeMorphology = Callable[[], Morphology]


class Learning:
    """Keeps waves of the wearer's first day, and makes a calibration whenever their number has doubled."""

    def __init__(self) -> None:
        self._kept: list[tuple[Floats, float]] = []  # waves, and the pace of each one's minute
        self._every = 1
        self._seen = 0
        self._next = LEAST_BEATS
        self._from_ns: int | None = None
        self.is_over = False

    @property
    def n(self) -> int:
        return self._seen

    def add(self, start_ns: int, waves: Floats, pace_s: Floats) -> bool:
        """The waves of a window that starts at `start_ns`; whether it is time to calibrate."""
        if self._from_ns is None:
            self._from_ns = start_ns
        for wave, rr_s in zip(waves.astype(np.float32), pace_s.tolist(), strict=True):
            if self._seen % self._every == 0:
                self._kept.append((wave.copy(), rr_s))  # a view would hold its whole window
            self._seen += 1
        if len(self._kept) > MOST_KEPT:
            self._kept = self._kept[::2]
            self._every *= 2
        over = start_ns - self._from_ns >= FIRST_DAY_NS and self._seen >= LEAST_BEATS
        if self._seen < self._next and not over:
            return False
        self._next = 2 * self._seen
        self.is_over = over
        return True

    def waves(self) -> tuple[Floats, Floats]:
        """As `Morphology.calibrate` takes them."""
        waves, pace_s = zip(*self._kept, strict=True)
        return np.array(waves, dtype=np.float64), np.array(pace_s, dtype=np.float64)


class Anomalies:
    """Of one lead. `known`: a calibration from before; one of another model is not used. What is told and learnt does
    not depend on how the input was cut: waves are looked at only when their window is told.

    `calibration` is the newest, `calibrated_n` how often one was made; `is_learning` while the first day lasts.
    """

    def __init__(self, make: MakeMorphology, known: Calibration | None = None) -> None:
        self.calibration: Calibration | None = None
        self.calibrated_n = 0
        self._waves: deque[tuple[int, Floats]] = deque()
        self._learning: Learning | None = Learning()
        self._model: Morphology | None = None
        try:
            self._model = make()
        except (ModelError, OSError):
            self._learning = None
        if self._model is not None and known is not None and self._model.fits(known):
            self.calibration, self._learning = known, None

    @property
    def is_learning(self) -> bool:
        return self._learning is not None

    def add(self, t_ns: Sequence[int], waves: Floats) -> None:
        """The next beats, in order of time: `waves` (n, POINTS) of models/beat_input.py."""
        if self._model is not None:
            self._waves.extend(zip(t_ns, waves, strict=True))

    def tell(self, window: Window) -> Anomaly:
        """The next window; every wave of its beats has been added."""
        trusted = {beat.t_ns: math.nan if beat.rr_s is None else beat.rr_s for beat in window.beats}
        mine: list[Floats] = []
        intervals_s: list[float] = []
        while self._waves and self._waves[0][0] < window.end_ns:
            t_ns, wave = self._waves.popleft()
            if t_ns in trusted and t_ns >= window.start_ns:
                mine.append(wave)
                intervals_s.append(trusted[t_ns])
        model = self._model
        if model is None:
            return self._answer(window, 0, "no_model")
        if self.calibration is not None and not model.fits(self.calibration):
            # another version of the net has taken over meanwhile
            self.calibration, self._learning = None, Learning()
        if window.good_fraction < MIN_GOOD_FRACTION:
            return self._answer(window, 0, window.reason or "poor_signal")
        known = [rr_s for rr_s in intervals_s if not math.isnan(rr_s)]
        waves, pace_s = np.array(mine, dtype=np.float64), np.full(len(mine), median(known) if known else math.nan)
        told = self._score(model, window, waves, pace_s)
        if self._learning is not None and mine and self._learning.add(window.start_ns, waves, pace_s):
            self._calibrate(model, self._learning)
        return told

    def _score(self, model: Morphology, window: Window, waves: Floats, pace_s: Floats) -> Anomaly:
        if self.calibration is None:
            seen = 0 if self._learning is None else self._learning.n
            return self._answer(window, len(waves), f"calibrating ({seen} of {LEAST_BEATS} beats)")
        if len(waves) < LEAST_IN_WINDOW:
            return self._answer(window, len(waves), "too_few_beats")
        try:
            scores = model.score(waves, pace_s, self.calibration)
        except (ModelError, RuntimeError):
            self._model, self._learning = None, None
            return self._answer(window, 0, "no_model")
        odd = int((scores >= model.odd_from).sum())
        return self._answer(window, len(waves), None, float(scores.max()), odd)

    def _calibrate(self, model: Morphology, learning: Learning) -> None:
        try:
            self.calibration = model.calibrate(*learning.waves())
            self.calibrated_n += 1
        except (ModelError, RuntimeError, np.linalg.LinAlgError):
            self._model, self._learning = None, None
            return
        if learning.is_over:
            self._learning = None

    def _answer(
        self, window: Window, n: int, reason: str | None, score: float | None = None, odd: int | None = None
    ) -> Anomaly:
        name, version = ("morphology", "") if self._model is None else (self._model.name, self._model.version)
        return Anomaly(window.start_ns, window.length_ns, score, n, odd, name, version, reason)
