"""How unlike the wearer's own beats a beat is: an autoencoder looks at its shape, a calibration knows the wearer.

A score is a distance, in times of the usual one of the wearer's own beats: 1 is as usual as they come. It says that a
beat looks different, not what it is. No diagnosis.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from models.interpreter import Net, load
from models.morphology_calibration import Calibration, calibration_of, features
from models.morphology_input import FAST, looks, qrs_size, without_neighbours
from models.waveform import Floats

CARD = Path(__file__).with_name("weights") / "morphology.json"
CODE = 12  # numbers of the code; the rest of what the net says is the wave as it understood it
LEAST_BEATS = 300  # that a calibration needs
_DIGITS = 4  # sums differ in their last bits with the number of beats at once, in which the law of the cut has no say


class Morphology:
    """The net, and what it takes to make a score of what it says."""

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
    def odd_from(self) -> float:
        """The score from which a beat is called odd."""
        return self._net.card.thresholds["odd"]

    def calibrate(self, waves: Floats, pace_s: Floats) -> Calibration:
        """From `waves` (n, POINTS) of models/beat_input.py, mV: beats of the wearer, most of them (80 %) of the usual
        kind, whichever that is; `pace_s` (n,): the median interval of the minute of each, NaN where
        it is not known. Raises ValueError for fewer than LEAST_BEATS.
        """
        if len(waves) < LEAST_BEATS:
            raise ValueError(f"{len(waves)} beats, at least {LEAST_BEATS} expected")
        size_mv = float(np.median(qrs_size(waves)))
        known = pace_s[np.isfinite(pace_s)]
        usual_rr_s = float(np.median(known)) if len(known) else 1.0
        usual_look = np.asarray(np.median(looks(waves, size_mv), axis=0), dtype=np.float64)
        said = self._say(waves, pace_s, size_mv, usual_rr_s, usual_look)
        return calibration_of(
            said[:, :CODE],
            said[:, CODE:],
            size_mv=size_mv,
            usual_rr_s=usual_rr_s,
            usual_look=usual_look,
            model=self.name,
            version=self.version,
        )

    def fits(self, calibration: Calibration) -> bool:
        """Whether it was made with this very net: another one has another code."""
        return (calibration.model, calibration.version) == (self.name, self.version)

    def score(self, waves: Floats, pace_s: Floats, calibration: Calibration) -> Floats:
        """Of each of `waves` (n, POINTS), mV, and the pace of their minutes; (n,). Raises ValueError for a calibration
        of another net."""
        if not self.fits(calibration):
            raise ValueError(
                f"a calibration of {calibration.model} {calibration.version}, {self.name} {self.version} expected"
            )
        if not len(waves):
            return np.empty(0)
        usual_look = np.array(calibration.usual_look)
        said = self._say(waves, pace_s, calibration.size_mv, calibration.usual_rr_s, usual_look)
        rows = features(said[:, :CODE], said[:, CODE:], np.array(calibration.usual_wave))
        return np.round(calibration.distances(rows) / calibration.usual_distance, _DIGITS)

    def _say(self, waves: Floats, pace_s: Floats, size_mv: float, usual_rr_s: float, usual_look: Floats) -> Floats:
        looked = looks(np.asarray(waves, dtype=np.float64), size_mv)
        return self._net.rows(wave=without_neighbours(looked, usual_look, pace_s < FAST * usual_rr_s))
