"""How likely each respiration rate is, given what breathing left in one window of an ECG or a PPG.

One small dense net per source looks at every rate of a logarithmic grid alike: at the spectra and autocorrelations of
the traces there, beside it, and at its harmonics and subharmonics. Being the same at every rate it cannot learn which
rates people have, but for the two inputs that say where on the grid it is. `weights/respiration.json` is its card.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.card import ModelCard
from models.held_weights import FLOAT_STEP, arrays_of, held_weights

Floats = NDArray[np.float64]

SOURCES = ("ecg", "ppg")
TRACES = 9  # traces of breathing in each source
LOWEST_BPM = 4.0
OCTAVE = 24  # bins to a factor of two: 2.9 % from one to the next
RATES_N = 95  # up to 60.4 a minute
BELOW, ABOVE = 38, OCTAVE  # the bins beyond either end that a third and twice the rate need
RATES_BPM: Floats = LOWEST_BPM * 2.0 ** (np.arange(RATES_N) / OCTAVE)
WIDE_BPM: Floats = LOWEST_BPM * 2.0 ** (np.arange(-BELOW, RATES_N + ABOVE) / OCTAVE)
# what the net sees of the power: here, beside, twice the rate, half of it and a third; of the autocorrelation: the
# period, half of it and twice
POWER_AT = (0, -2, 2, -5, 5, OCTAVE, -OCTAVE, -BELOW)
ALIKE_AT = (0, OCTAVE, -OCTAVE)
INPUTS_N = TRACES * (len(POWER_AT) + len(ALIKE_AT)) + 4
_MIDDLE_BPM = 16.0
_HERE: Floats = np.log2(RATES_BPM / _MIDDLE_BPM)
_HERE_SQUARED: Floats = _HERE * _HERE
_WEIGHTS = Path(__file__).parent / "weights" / "respiration.npz"
CARD = _WEIGHTS.with_suffix(".json")


def inputs(power: Floats, alike: Floats, pulse_bpm: Floats | float) -> Floats:
    """(..., INPUTS_N, RATES_N) from what the windows hold at WIDE_BPM.

    `power`, `alike`: (..., TRACES, len(WIDE_BPM)), log10 of the power and the autocorrelation at the period of each
    rate; `pulse_bpm` (...): how often the traces were sampled by a beat, since nothing above half of that is seen.
    """
    share = np.minimum(np.maximum(_HERE - np.log2(np.asarray(pulse_bpm)[..., None] / _MIDDLE_BPM), -4.0), 1.0)
    one = np.ones((*share.shape[:-1], 1, 1))
    return np.concatenate(
        (
            *(power[..., BELOW + by : BELOW + by + RATES_N] for by in POWER_AT),
            *(alike[..., BELOW + by : BELOW + by + RATES_N] for by in ALIKE_AT),
            share[..., None, :],
            np.minimum(np.maximum(share + 1.0, 0.0), 1.0)[..., None, :],
            _HERE * one,
            _HERE_SQUARED * one,
        ),
        axis=-2,
    )


@dataclass(frozen=True, slots=True)
class Layers:
    """One hidden layer: `w` (hidden, INPUTS_N), `b` (hidden, 1), `v` (hidden,)."""

    w: Floats
    b: Floats
    v: Floats

    def logits(self, x: Floats) -> Floats:
        """(..., INPUTS_N, RATES_N) to (..., RATES_N)."""
        hidden = self.w @ x
        hidden += self.b
        return np.asarray(self.v @ np.maximum(hidden, 0.0, out=hidden), dtype=np.float64)


class RespirationModel:
    """The trained nets. Raises ModelError or CardMismatchError where the weights are not the ones of the card."""

    def __init__(self, weights: Path = _WEIGHTS) -> None:
        held = held_weights(weights)
        self.name = held.name
        self.version = held.version
        self._nets = _nets(held.arrays)

    def logits(self, source: str, power: Floats, alike: Floats, pulse_bpm: Floats) -> Floats:
        """(k, RATES_N) for k windows of `source`, each what it is alone, bit for bit; see `inputs`."""
        return self._nets[source].logits(inputs(power, alike, pulse_bpm))


class GoldenRespiration:
    """What each net sees of one window, `ecg` and `ppg`, each (INPUTS_N, RATES_N), in; the logits of both out."""

    step = FLOAT_STEP

    def __init__(self, weights: bytes, card: ModelCard) -> None:
        self._nets = _nets(arrays_of(weights, card))

    def __call__(self, **inputs: Floats) -> Floats:
        return np.concatenate([self._nets[source].logits(inputs[source]) for source in SOURCES])


def _nets(arrays: dict[str, Floats]) -> dict[str, Layers]:
    return {source: Layers(*(arrays[f"{source}_{part}"] for part in ("w", "b", "v"))) for source in SOURCES}
