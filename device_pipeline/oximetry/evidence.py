"""What the alerts may build on: the saturation that an oximeter told, and whether it could tell one."""

from __future__ import annotations

from device_pipeline.beat import BeatSource
from device_pipeline.oximetry.oximeter import METHOD
from device_pipeline.oximetry.seconds import LOW_PERFUSION, OUT_OF_RANGE
from device_pipeline.oximetry.settled import LEAP, SETTLING
from device_pipeline.oximetry.spo2 import Spo2
from device_pipeline.track import Window

# Something was there to measure on.
_POOR = frozenset({LOW_PERFUSION, OUT_OF_RANGE, SETTLING, LEAP, "poor_signal"})


def is_measured(window: Spo2) -> bool:
    """Whether an oximeter speaks: what comes of two colours without calibration warns nobody."""
    return window.method == METHOD


def signal_window(window: Spo2) -> Window:
    """How far an oximeter, where nothing else is worn, had a signal in its window."""
    good = window.spo2_pct is not None
    poor = not good and (window.quality is not None or window.reason in _POOR)
    return Window(
        source=BeatSource.RR,
        start_ns=window.start_ns,
        end_ns=window.start_ns + window.length_ns,
        beats=(),
        good_ns=window.length_ns if good else 0,
        poor_ns=window.length_ns if poor else 0,
        index=window.quality,
        reason=window.reason,
    )
