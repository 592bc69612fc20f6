"""A Side that tells, minute by minute, how unlike the wearer's own beats the beats of an ECG look.

It cuts the beats that can be trusted out of the lead by itself, once all is known of their minute, so that neither how
the input was cut nor what else fails has a say.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from device_pipeline.anomaly.anomalies import Anomalies, MakeMorphology
from device_pipeline.anomaly.anomaly import Anomaly, LearntShapes
from device_pipeline.held_ecg import HeldEcg
from device_pipeline.seen_windows import Seen, SeenWindows
from device_pipeline.track import Window
from models.beat_input import AFTER_S, BEFORE_S, beat_waves
from models.morphology import Morphology
from models.morphology_calibration import Calibration
from sensors.samples import Item, Samples

_S = 1_000_000_000
WINDOW_S = 60
_LATE_NS = 2 * _S  # a wave reaches beyond its beat
_AROUND_NS = _S  # samples held on either side of a window

Told = Anomaly | LearntShapes


class Shapes:
    """From the first ECG sample on, of the channel that comes first. `known`: what was learnt of the wearer before."""

    def __init__(self, *, origin_ns: int, live: bool, make: MakeMorphology = Morphology) -> None:
        self._windows = SeenWindows(origin_ns, WINDOW_S * _S, _LATE_NS)
        self._held = HeldEcg()
        self._make = make
        self._known: dict[str, Calibration] = {}
        self._anomalies: Anomalies | None = None
        self._begun_ns = 0

    def know(self, known: dict[str, Calibration]) -> None:
        """By channel; before the first sample."""
        self._known = known

    def begin(self, start_ns: int) -> None:
        pass

    def push(self, item: Item) -> Sequence[Told]:
        if isinstance(item, Samples) and self._held.push(item) and self._anomalies is None:
            self._anomalies = Anomalies(self._make, self._known.get(item.channel))
            self._begun_ns = item.start_ns
            self._windows.begin(item.start_ns)
        return ()

    def see(self, windows: Sequence[Window], more: bool) -> Sequence[Told]:
        return self._tell(self._windows.see(windows))

    def flush(self, end_ns: int) -> Sequence[Told]:
        return self._tell(self._windows.rest(end_ns))

    def _tell(self, seen: Iterable[Seen]) -> list[Told]:
        told: list[Told] = []
        for one in seen:
            window = one.window
            assert self._anomalies is not None, "no window is told before the first sample"
            self._cut(self._anomalies, window)
            made_n = self._anomalies.calibrated_n
            told.append(self._anomalies.tell(window))
            calibration = self._anomalies.calibration
            if self._anomalies.calibrated_n > made_n and calibration is not None:
                told.append(self._learnt(window, calibration))
            self._held.forget(window.end_ns - _AROUND_NS)
        return told

    def _cut(self, anomalies: Anomalies, window: Window) -> None:
        """Hands over the waves of the window's beats, but for those too near to a hole or an end."""
        if not window.beats:
            return
        t_ns, ecg_mv = self._held.span(window.start_ns - _AROUND_NS, window.end_ns + _AROUND_NS)
        if len(t_ns) < 2:
            return
        beats_ns = np.array([beat.t_ns for beat in window.beats], dtype=np.int64)
        holes = np.concatenate(([0], np.cumsum(self._held.holes(t_ns))))
        places = np.interp(
            (beats_ns - t_ns[0]).astype(np.float64), (t_ns - t_ns[0]).astype(np.float64), np.arange(len(t_ns))
        )
        before_n, after_n = (math.ceil(s * self._held.fs_hz) for s in (BEFORE_S, AFTER_S))
        first, last = np.floor(places).astype(int) - before_n, np.ceil(places).astype(int) + after_n
        inside = (first >= 0) & (last < len(t_ns))
        first, last = first.clip(0, len(t_ns) - 1), last.clip(0, len(t_ns) - 1)
        whole = inside & (holes[first] == holes[last])
        if whole.any():
            waves = beat_waves(ecg_mv, self._held.fs_hz, places[whole])
            anomalies.add(beats_ns[whole].tolist(), waves)

    def _learnt(self, window: Window, calibration: Calibration) -> LearntShapes:
        return LearntShapes(
            start_ns=self._begun_ns,
            length_ns=window.end_ns - self._begun_ns,
            channel=self._held.channel or "",
            n_beats=calibration.n,
            model=calibration.model,
            version=calibration.version,
            calibration=calibration.to_json(),
        )
