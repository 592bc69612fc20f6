"""Heartbeats of one ECG lead, with what kind of beat each one is told beside them and never in their way."""

from __future__ import annotations

from device_pipeline.beat import Beat, Quality
from device_pipeline.beat_types import BeatTypes, MakeTyper
from device_pipeline.beats.ecg import EcgBeats
from sensors.samples import Gap, Samples


class TypedEcgBeats(EcgBeats):
    """EcgBeats, to the bit; `types` knows what they are."""

    def __init__(self, fs_hz: float, channel: str, make_typer: MakeTyper) -> None:
        super().__init__(fs_hz, channel)
        self.types = BeatTypes(fs_hz, make_typer)

    def push(self, block: Samples | Gap) -> list[Beat | Quality | Gap]:
        if isinstance(block, Gap):
            return super().push(block)  # which flushes
        out = super().push(block)
        self.types.push(block)
        self.types.take(out)
        return out

    def flush(self) -> list[Beat | Quality | Gap]:
        out = super().flush()
        self.types.take(out)
        self.types.end()
        return out
