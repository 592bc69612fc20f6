"""The side of oxygen saturation: an oximeter that was calibrated on people leads, two colours stand in where none is.

They are never merged, and every window says by its method which of them told it.
"""

from __future__ import annotations

from collections.abc import Sequence

from device_pipeline.oximetry.desaturation import Desaturation
from device_pipeline.oximetry.oximeter import Oximeter
from device_pipeline.oximetry.oxygenation import Oxygenation
from device_pipeline.oximetry.seconds import MISSING, SILENT
from device_pipeline.oximetry.spo2 import Spo2
from device_pipeline.oximetry.two_colours import TwoColours
from device_pipeline.track import Window
from sensors.samples import Gap, Item, Samples


class Saturation:
    """See Side."""

    def __init__(self, *, origin_ns: int, live: bool) -> None:
        self._oximeter = Oximeter(origin_ns=origin_ns, live=live)
        self._colours = TwoColours(origin_ns, SILENT if live else MISSING)

    def begin(self, start_ns: int) -> None:
        self._oximeter.begin(start_ns)

    def push(self, item: Item) -> Sequence[Spo2 | Desaturation | Oxygenation]:
        told = list(self._oximeter.push(item))
        if isinstance(item, Samples | Gap):
            told += self._instead(self._colours.push(item))
        return told

    def see(self, windows: Sequence[Window], more: bool) -> Sequence[Spo2]:
        return ()

    def flush(self, end_ns: int) -> Sequence[Spo2 | Desaturation | Oxygenation]:
        return [*self._oximeter.flush(end_ns), *self._instead(self._colours.flush(end_ns))]

    def _instead(self, windows: list[Spo2]) -> list[Spo2]:
        return [] if self._oximeter.is_heard else windows
