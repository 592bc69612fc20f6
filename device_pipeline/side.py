"""A side listens to everything of one device and tells windows of its own, beside the beats and never in their way.

The law of the cut holds for it: what it tells, in order, does not depend on how the input was cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from device_pipeline.anomaly.anomaly import Anomaly, LearntShapes
from device_pipeline.motion.activity import Activity
from device_pipeline.oximetry.desaturation import Desaturation
from device_pipeline.oximetry.oxygenation import Oxygenation
from device_pipeline.oximetry.spo2 import Spo2
from device_pipeline.respiration.respiration import Respiration
from device_pipeline.temperature.temperature import Temperature
from device_pipeline.track import Window
from device_pipeline.usability.usable import Usable
from sensors.samples import Item

SideFinding = Respiration | Spo2 | Desaturation | Oxygenation | Activity | Temperature | Anomaly | LearntShapes | Usable


class Side(Protocol):
    """Made by the pipeline with `origin_ns`, where the grids of windows begin, and `live`: whether items come as a
    radio delivers them, late and by turns.

    A side tells nothing of a time in which nothing of its own kind ever came, and no window by window of a hole of
    more than a day.
    """

    def begin(self, start_ns: int) -> None:
        """The record begins here, whenever its first item comes."""

    def push(self, item: Item) -> Sequence[SideFinding]:
        """Takes whatever the device sent, in order of arrival; returns what became final with it."""

    def see(self, windows: Sequence[Window], more: bool) -> Sequence[SideFinding]:
        """The next 2 s of the beats are final: one window for each source of beats, the leading one first, with the
        trusted beats in it. Items that lie later have been pushed already, so a side holds on to what it still needs.
        `more`: the next 2 s follow at once, before anything else is pushed, so what became final may be told with them.
        """

    def flush(self, end_ns: int) -> Sequence[SideFinding]:
        """The input has ended at `end_ns`."""


class MakeSide(Protocol):
    def __call__(self, *, origin_ns: int, live: bool) -> Side: ...
