"""A Side that judges every ten seconds of an ECG: can they be read. It decides nothing about beats, rates and rhythm.

Where the quality index of every stretch is high no net is asked, since hardly such a window has an error; that spares
most of a quiet day. Where the net cannot be used the index judges alone.
"""

from __future__ import annotations

from collections.abc import Callable

from device_pipeline.beat import BeatSource
from device_pipeline.signal.filters import Floats
from device_pipeline.track import Window
from device_pipeline.usability.judge import Judge
from models.quality import QualityNet
from models.quality_input import SURE
from sensors.samples import Kind

MakeNet = Callable[[], QualityNet]


class Usability(Judge[QualityNet]):
    """From the first ECG sample on, of the channel that comes first."""

    def __init__(self, *, origin_ns: int, live: bool, make: MakeNet = QualityNet) -> None:
        super().__init__(origin_ns, Kind.ECG, BeatSource.ECG, make)

    def _sure(self, window: Window, beats_s: Floats, least_index: float) -> bool | None:
        return True if least_index >= SURE else None

    def _ask(self, net: QualityNet, wave: Floats, beats_s: Floats, indices: Floats) -> tuple[float, float | None]:
        judged = net.judge(wave, self._held.fs_hz, beats_s, indices)
        return judged.right, judged.noisy
