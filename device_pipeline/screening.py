"""A short recording of one ECG lead, held to the screening net; what is too long, short or broken is not screened.

It looks at the recording as a whole, so it speaks only at its end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from device_pipeline.beat import Beat
from models.errors import ModelError
from models.screen import LEAST_S, MOST_S, Screen, Screened
from sensors.samples import Kind, Samples

# Of a longer recording a gap may be missing; a short one is seen as one piece.
_MOST_MISSING_STEPS = 1.5


@dataclass(frozen=True, slots=True, repr=False)
class Screening:
    """`screened` None where it was not screened, and then `reason` says why: "no_ecg", "too_short", "too_long",
    "broken" (it has holes) or "no_model" (its weights or their runtime cannot be used)."""

    screened: Screened | None
    reason: str | None

    def __repr__(self) -> str:
        return f"<Screening reason={self.reason}>"


class ScreenedLead:
    """Holds on to at most MOST_S of the lead."""

    def __init__(self, channel: str | None) -> None:
        self._channel = channel
        self._blocks: list[Samples] = []
        self._n = 0
        self._reason: str | None = None

    def push(self, block: Samples) -> None:
        if block.kind is not Kind.ECG or block.channel != self._channel or len(block) == 0 or self._reason:
            return
        if self._blocks and abs(block.start_ns - self._blocks[-1].end_ns) > _MOST_MISSING_STEPS * block.step_ns:
            self._reason = "broken"
        self._n += len(block)
        if self._n > MOST_S * block.fs_hz:
            self._reason = "too_long"
        self._blocks.append(block)
        if self._reason:
            self._blocks.clear()

    def end(self, beats: Sequence[Beat]) -> Screening:
        """The recording has ended; `beats` are all that were found in it, in order."""
        if self._reason:
            return Screening(None, self._reason)
        if not self._blocks:
            return Screening(None, "no_ecg")
        first = self._blocks[0]
        if self._n < LEAST_S * first.fs_hz:
            return Screening(None, "too_short")
        ecg_mv = np.concatenate([block.values for block in self._blocks])
        beats_s = np.array([(beat.t_ns - first.start_ns) / 1e9 for beat in beats])
        try:
            return Screening(Screen().score(ecg_mv, first.fs_hz, beats_s), None)
        except ModelError:
            return Screening(None, "no_model")
