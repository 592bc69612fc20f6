"""How much of its work a live run may do at present: what the machine cannot bear is left out, the least needed first.

Finding beats and rates, and warning, is never left out. A recording or a file is always read with all effort.
"""

from __future__ import annotations

from enum import IntEnum


class Level(IntEnum):
    """Each leaves out what the ones before it do, and one thing more."""

    FULL = 0
    CADENCE = 1  # windows are worked out many at a time, and drawn once a second
    MODELS = 2  # models that nothing warns by rest
    WAVEFORM = 3  # raw samples are not stored


class Effort:
    """Shared by all that heed it; `level` is set by the one governor of a run."""

    def __init__(self) -> None:
        self.level = Level.FULL

    @property
    def is_rare(self) -> bool:
        """Windows are told later than they could be, many at a time."""
        return self.level >= Level.CADENCE

    @property
    def is_optional_off(self) -> bool:
        """Models that nothing warns by rest."""
        return self.level >= Level.MODELS

    @property
    def is_waveform_off(self) -> bool:
        """Raw samples are not stored."""
        return self.level >= Level.WAVEFORM
