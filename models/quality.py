"""Whether ten seconds of one ECG lead can be read: is every beat found, would a person call it noise.

It judges the wave, the beats that were found and the quality index together. No diagnosis.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.interpreter import Net, load
from models.quality_input import LENGTH_S, features, inputs, seen
from models.waveform import Floats

CARD = Path(__file__).with_name("weights") / "quality.json"
_MOST_OFF_S = 0.05


@dataclass(frozen=True, slots=True, repr=False)
class Judged:
    """`right`: how likely every beat was found and nothing else; `noisy`: how likely a person calls it noise."""

    right: float
    noisy: float


class QualityNet:
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

    def judge(self, ecg_mv: Floats, fs_hz: float, beats_s: Floats, indices: Floats) -> Judged:
        """`ecg_mv` shape (n,) in mV, LENGTH_S of it; `beats_s`: trusted beats, seconds from its start; `indices`: the
        quality index of its stretches of 2 s, 0 for one without a signal. Raises ValueError for another length.
        """
        if abs(len(ecg_mv) / fs_hz - LENGTH_S) > _MOST_OFF_S:
            raise ValueError(f"{len(ecg_mv) / fs_hz:.2f} s, {LENGTH_S:g} s expected")
        measured = features(*seen(ecg_mv, fs_hz), beats_s, indices)
        right, noisy = self._net(features=inputs(measured).astype(np.float32))
        return Judged(float(right), float(noisy))
