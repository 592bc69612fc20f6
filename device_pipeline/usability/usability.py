"""A Side that judges every ten seconds of an ECG: can they be read. It decides nothing about beats, rates and rhythm.

Where the quality index of every stretch is high no net is asked, since hardly such a window has an error; that spares
most of a quiet day. Where the net cannot be used the index judges alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from device_pipeline.held_ecg import HeldEcg
from device_pipeline.seen_windows import Seen, SeenWindows
from device_pipeline.signal.quality_ecg import GOOD_INDEX
from device_pipeline.track import Window
from device_pipeline.usability.usable import Usable
from models.errors import ModelError
from models.quality import QualityNet
from models.quality_input import SURE
from sensors.samples import Item, Samples

_S = 1_000_000_000
WINDOW_S = 10
INDEX = "index"
_GRAINS = 5
_DIGITS = 4

MakeNet = Callable[[], QualityNet]


class Usability:
    """From the first ECG sample on, of the channel that comes first."""

    def __init__(self, *, origin_ns: int, live: bool, make: MakeNet = QualityNet) -> None:
        self._windows = SeenWindows(origin_ns, WINDOW_S * _S, 0)
        self._held = HeldEcg()
        self._make = make
        self._net: QualityNet | None = None
        self._is_tried = False

    def begin(self, start_ns: int) -> None:
        pass

    def push(self, item: Item) -> Sequence[Usable]:
        if isinstance(item, Samples) and self._held.push(item):
            self._windows.begin(item.start_ns)
        return ()

    def see(self, windows: Sequence[Window], more: bool) -> Sequence[Usable]:
        return self._tell(self._windows.see(windows))

    def flush(self, end_ns: int) -> Sequence[Usable]:
        return self._tell(self._windows.rest(end_ns))

    def _tell(self, seen: Iterable[Seen]) -> list[Usable]:
        told = []
        for one in seen:
            told.append(self._judge(one.window, one.grains))
            self._held.forget(one.window.end_ns)
        return told

    def _judge(self, window: Window, grains: Sequence[Window]) -> Usable:
        if window.length_ns < WINDOW_S * _S:
            return self._answer(window, None, "too_short")
        indices = [grain.index for grain in grains if grain.index is not None]
        if window.good_ns + window.poor_ns < window.length_ns or len(indices) < _GRAINS:
            return self._answer(window, None, window.reason or "missing")
        least = min(indices)
        if least >= SURE:
            return self._answer(window, True, None)
        t_ns, ecg_mv = self._held.span(window.start_ns, window.end_ns)
        net = self._asked()
        if net is None:
            return self._answer(window, least >= GOOD_INDEX, window.reason)
        if self._held.holes(t_ns).any():
            return self._answer(window, None, window.reason or "missing")
        beats_s = np.array([(beat.t_ns - window.start_ns) / _S for beat in window.beats])
        try:
            judged = net.judge(ecg_mv, self._held.fs_hz, beats_s, np.array(indices))
        except ValueError:  # fewer samples than the time would hold
            return self._answer(window, None, window.reason or "missing")
        except (ModelError, RuntimeError):
            self._net = None
            return self._answer(window, least >= GOOD_INDEX, window.reason)
        right, noisy = round(judged.right, _DIGITS), round(judged.noisy, _DIGITS)
        return self._answer(window, right >= net.usable_from, window.reason, right, noisy, f"{net.name} {net.version}")

    def _asked(self) -> QualityNet | None:
        """The net, made when it is first asked."""
        if not self._is_tried:
            self._is_tried = True
            try:
                self._net = self._make()
            except (ModelError, OSError):
                self._net = None
        return self._net

    @staticmethod
    def _answer(
        window: Window,
        usable: bool | None,
        reason: str | None,
        right: float | None = None,
        noisy: float | None = None,
        method: str = INDEX,
    ) -> Usable:
        if usable:
            reason = None
        elif usable is False:
            reason = reason or "unsure"
        return Usable(window.start_ns, window.length_ns, usable, right, noisy, method, reason)
