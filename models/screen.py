"""Half a minute of one lead: normal rhythm, atrial fibrillation, another one, or too noisy to say. No diagnosis."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.interpreter import Net, load
from models.screen_input import LENGTH_S, features, wave
from models.waveform import Floats

CARD = Path(__file__).with_name("weights") / "screen.json"
LEAST_S = 9.0
MOST_S = 61.0


@dataclass(frozen=True, slots=True, repr=False)
class Screened:
    """`probabilities` by label, summing to 1; `label` the likeliest. `model` and `version` are those of the card."""

    label: str
    probabilities: dict[str, float]
    model: str
    version: str

    def __repr__(self) -> str:
        return f"<Screened {self.model} {self.version}>"


class Screen:
    """A recording of LEAST_S to MOST_S in one piece."""

    def __init__(self, net: Net | None = None, threads: int = 1) -> None:
        """Raises ModelError where the weights beside the card cannot be used."""
        self._net = net if net is not None else load(CARD, threads)

    def score(self, ecg_mv: Floats, fs_hz: float, beats_s: Floats) -> Screened:
        """`ecg_mv` shape (n,) in mV at `fs_hz`; `beats_s` the moments of its beats, seconds from its start, ascending.

        What is longer than the net's half minute is seen in two looks, from its start and up to its end, whose
        probabilities are averaged. Raises ValueError for a length outside LEAST_S to MOST_S.
        """
        length_s = len(ecg_mv) / fs_hz
        if not LEAST_S <= length_s <= MOST_S:
            raise ValueError(f"{length_s:.1f} s, {LEAST_S:g} to {MOST_S:g} s expected")
        starts = [0.0] if length_s <= LENGTH_S * 1.1 else [0.0, length_s - LENGTH_S]
        looks = []
        for start_s in starts:
            part = ecg_mv[int(start_s * fs_hz) : int((start_s + LENGTH_S) * fs_hz)]
            seen = wave(part, fs_hz)
            told = features(seen, beats_s - start_s, len(part) / fs_hz)
            looks.append(self._net(wave=seen[:, None], features=told))
        mean = np.mean(looks, axis=0)
        mean = mean / mean.sum()
        labels = self._net.card.labels
        return Screened(
            labels[int(np.argmax(mean))],
            dict(zip(labels, mean.tolist(), strict=True)),
            self._net.card.name,
            self._net.card.version,
        )
