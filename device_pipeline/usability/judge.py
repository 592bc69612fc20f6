"""What both judges of usability share: windows of ten seconds of one source, and a net that is made when first asked.

A window that is not whole has no verdict. Where the net cannot be used the index judges alone.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import Generic, Protocol, TypeVar

import numpy as np

from device_pipeline.beat import BeatSource
from device_pipeline.held_ecg import HeldEcg
from device_pipeline.seen_windows import Seen, SeenWindows
from device_pipeline.signal.filters import Floats
from device_pipeline.track import Window
from device_pipeline.usability.usable import Usable
from models.errors import ModelError
from sensors.samples import Item, Kind, Samples

_S = 1_000_000_000
WINDOW_S = 10
INDEX = "index"
GOOD_INDEX = 0.5  # of an ECG and of a PPG alike
_GRAINS = 5
_DIGITS = 4


class QualityModel(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    @property
    def usable_from(self) -> float: ...


N = TypeVar("N", bound=QualityModel)


class Judge(ABC, Generic[N]):
    """From the first sample of `kind` on, of the channel that comes first."""

    def __init__(self, origin_ns: int, kind: Kind, source: BeatSource, make: Callable[[], N]) -> None:
        self._windows = SeenWindows(origin_ns, WINDOW_S * _S, 0, source)
        self._held = HeldEcg(kind)
        self._make = make
        self._net: N | None = None
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

    @abstractmethod
    def _sure(self, window: Window, beats_s: Floats, least_index: float) -> bool | None:
        """What is told without asking the net; None where it is asked."""

    @abstractmethod
    def _ask(self, net: N, wave: Floats, beats_s: Floats, indices: Floats) -> tuple[float, float | None]:
        """`right` and `noisy` as in Usable. Raises ValueError for a wave that is too short, ModelError."""

    def _tell(self, seen: Iterable[Seen]) -> list[Usable]:
        told = []
        for one in seen:
            told.append(self._judge(one.window, one.grains))
            self._held.forget(one.window.end_ns)
        return told

    def _judge(self, window: Window, grains: Sequence[Window]) -> Usable:
        if window.length_ns < WINDOW_S * _S:
            return _answer(window, None, "too_short")
        indices = [grain.index for grain in grains if grain.index is not None]
        if window.good_ns + window.poor_ns < window.length_ns or len(indices) < _GRAINS:
            return _answer(window, None, window.reason or "missing")
        least = min(indices)
        beats_s = np.array([(beat.t_ns - window.start_ns) / _S for beat in window.beats])
        sure = self._sure(window, beats_s, least)
        if sure is not None:
            return _answer(window, sure, window.reason)
        t_ns, wave = self._held.span(window.start_ns, window.end_ns)
        net = self._asked()
        if net is None:
            return _answer(window, least >= GOOD_INDEX, window.reason)
        if self._held.holes(t_ns).any():
            return _answer(window, None, window.reason or "missing")
        try:
            right, noisy = self._ask(net, wave, beats_s, np.array(indices))
        except ValueError:  # fewer samples than the time would hold
            return _answer(window, None, window.reason or "missing")
        except (ModelError, RuntimeError):
            self._net = None
            return _answer(window, least >= GOOD_INDEX, window.reason)
        right = round(right, _DIGITS)
        noisy = None if noisy is None else round(noisy, _DIGITS)
        return _answer(window, right >= net.usable_from, window.reason, right, noisy, f"{net.name} {net.version}")

    def _asked(self) -> N | None:
        """The net, made when it is first asked."""
        if not self._is_tried:
            self._is_tried = True
            try:
                self._net = self._make()
            except (ModelError, OSError):
                self._net = None
        return self._net


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
