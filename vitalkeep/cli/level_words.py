"""The levels of a live run's effort in words."""

from __future__ import annotations

from device_pipeline.effort import Level

IN_WORDS = {
    Level.FULL: "everything is done again",
    Level.CADENCE: "windows come once a minute",
    Level.MODELS: "optional models rest too",
    Level.WAVEFORM: "the raw waveform is not stored either; finding beats and warning go on",
}
