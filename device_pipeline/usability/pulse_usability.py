"""A Side that judges every ten seconds of a PPG that leads: can they be read. It decides nothing about beats and rates.

Where the quality index trusts no part of a window no beat of it is told, and no net is asked: it is not usable. Where
the index of every stretch is high and the beats are even no net is asked either, since hardly such a window has an
error; a high index alone says too little of a pulse wave. Where the net cannot be used the index judges alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from device_pipeline.beat import BeatSource
from device_pipeline.signal.filters import Floats
from device_pipeline.track import Window
from device_pipeline.usability.judge import Judge
from device_pipeline.usability.usable import Usable
from models.quality_ppg import PulseQualityNet
from models.quality_ppg_input import is_plain
from sensors.samples import Item, Kind, Samples

MakeNet = Callable[[], PulseQualityNet]


class PulseUsability(Judge[PulseQualityNet]):
    """From the first PPG sample on, of the channel that comes first, until an ECG comes: that leads, and is judged."""

    def __init__(self, *, origin_ns: int, live: bool, make: MakeNet = PulseQualityNet) -> None:
        super().__init__(origin_ns, Kind.PPG, BeatSource.PPG, make)
        self._is_over = False

    def push(self, item: Item) -> Sequence[Usable]:
        if not self._is_over and isinstance(item, Samples) and item.kind is Kind.ECG and len(item):
            self._is_over = True
            self._held.forget(item.end_ns)
        return () if self._is_over else super().push(item)

    def see(self, windows: Sequence[Window], more: bool) -> Sequence[Usable]:
        return () if self._is_over else super().see(windows, more)

    def flush(self, end_ns: int) -> Sequence[Usable]:
        return () if self._is_over else super().flush(end_ns)

    def _sure(self, window: Window, beats_s: Floats, least_index: float) -> bool | None:
        if not window.good_ns:
            return False
        return True if is_plain(beats_s, least_index) else None

    def _ask(self, net: PulseQualityNet, wave: Floats, beats_s: Floats, indices: Floats) -> tuple[float, float | None]:
        return net.right(wave, self._held.fs_hz, beats_s, indices), None
