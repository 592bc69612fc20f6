"""Whether ten seconds of a pulse wave can be read: are its pulses the beats of the heart, each and nothing else.

It judges the wave, the beats that were found and the quality index together. No diagnosis.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from models.interpreter import Net, load
from models.quality_ppg_input import LENGTH_S, features, inputs
from models.waveform import Floats

CARD = Path(__file__).with_name("weights") / "quality_ppg.json"
_MOST_OFF_S = 0.1  # two samples at 20 Hz


class PulseQualityNet:
    """Ten seconds at a time."""

    def __init__(self, net: Net | None = None, threads: int = 1) -> None:
        """Raises ModelError where the weights beside the card cannot be used."""
        self._net = net if net is not None else load(CARD, threads)

    @property
    def name(self) -> str:
        return self._net.card.name

    @property
    def version(self) -> str:
        return self._net.card.version

    @property
    def usable_from(self) -> float:
        """What `right` must reach for a window to be usable."""
        return self._net.card.thresholds["usable"]

    def right(self, ppg: Floats, fs_hz: float, beats_s: Floats, indices: Floats) -> float:
        """How likely every beat was found and nothing else, 0 to 1. `ppg` shape (n,), any unit, LENGTH_S of it;
        `beats_s`: trusted beats, seconds from its start; `indices`: the quality index of its stretches of 2 s, 0 for
        one without a signal. Raises ValueError for another length.
        """
        if abs(len(ppg) / fs_hz - LENGTH_S) > _MOST_OFF_S:
            raise ValueError(f"{len(ppg) / fs_hz:.2f} s, {LENGTH_S:g} s expected")
        return float(self._net(features=inputs(features(ppg, fs_hz, beats_s, indices)).astype(np.float32))[0])
