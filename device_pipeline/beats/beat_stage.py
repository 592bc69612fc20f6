"""A BeatStage turns one sampled channel into beats and a verdict on its quality, each final when it comes out."""

from __future__ import annotations

from typing import Protocol

from device_pipeline.beat import Beat, Quality
from sensors.samples import Gap, Samples


class BeatStage(Protocol):
    """Obeys the law of the cut. Outputs of each type come in order of time.

    Takes the gaps of its channel in their place between blocks, and no interval bridges one. A constant stretch is an
    absence: the stage reports it as a Gap of its own.
    """

    @property
    def final_ns(self) -> int | None:
        """Everything before this moment has been put out; None before the first sample."""

    def push(self, block: Samples | Gap) -> list[Beat | Quality | Gap]: ...

    def flush(self) -> list[Beat | Quality | Gap]: ...
