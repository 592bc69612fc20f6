"""QRS complexes in one unbroken ECG signal, each told within 1.5 s of its R peak and never changed after.

Candidates are scored twice by small nets, alone and then in their context (`qrs_candidates`, `qrs_context`,
`models.qrs`); what passes becomes a beat, and the R peak is then looked for on the samples as they came. Nothing here
looks at where blocks end.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from device_pipeline.signal.filters import Floats, Track
from device_pipeline.signal.qrs_candidates import CELL_S, LEARN_CELLS, LOOK_S, Candidates, PastLevels, QrsCandidates
from device_pipeline.signal.qrs_context import AHEAD_S, DOUBTS, LIKENESS, REFRACTORY_S, PastBeats, QrsContext
from device_pipeline.signal.r_peak import RPeaks
from models.qrs import PLACES_S, QrsNets, qrs_nets

SETTLE_S = LOOK_S + AHEAD_S + REFRACTORY_S + 0.3  # with this much more signal everything above is final
FADE_S = 0.4
EDGE_S = 0.05  # nothing is told of what comes so shortly before the end
LEARN_S = LEARN_CELLS * CELL_S
# A candidate is a beat from this logit on, and from one more on where all candidates of the last seconds were doubtful:
# in people left out as many beats are missed as made up.
LEAST_LOGIT = -1.0
# what is known of a candidate
COUNT, SCORE, LIKE, ENERGY, PLACES = range(5)
COLUMNS = PLACES + len(PLACES_S)


@dataclass(frozen=True, slots=True)
class Past:
    """What one stretch of signal leaves to the next, if that follows soon."""

    levels: PastLevels
    beats: PastBeats


@dataclass(frozen=True, slots=True)
class Complexes:
    """Beats in order, counted in samples from the start of the signal: `peak` of the energy, `at` of the R peak.

    `score` is how far the logit of being a beat is above the least one, `like` the highest correlation with the likely
    beats before. Of what was refused, `refused_at` is the peak and `refused_score` the same.
    """

    at: Floats
    peak: NDArray[np.int64]
    energy: Floats
    score: Floats
    like: Floats
    refused_at: NDArray[np.int64]
    refused_score: Floats

    def __len__(self) -> int:
        return len(self.at)


_NOBODY = np.empty((0, COLUMNS))
_NONE = np.empty(0)
NOTHING = Complexes(_NONE, np.empty(0, dtype=np.int64), _NONE, _NONE, _NONE, np.empty(0, dtype=np.int64), _NONE)


class Qrs:
    """`push` samples, `flush` at the end; each returns the complexes that became final."""

    def __init__(self, fs_hz: float, past: Past | None = None, nets: QrsNets | None = None) -> None:
        self._fs_hz = fs_hz
        self._nets = nets or qrs_nets()
        self.candidates = QrsCandidates(fs_hz, None if past is None else past.levels)
        self.thin = self.candidates.thin
        self.thin_hz = self.candidates.fs_hz
        self._context = QrsContext(self.candidates.fs_hz, None if past is None else past.beats)
        self._raw = Track()
        self._refractory = int(REFRACTORY_S * self.candidates.fs_hz)
        self._r_peaks = RPeaks(fs_hz, PLACES_S)
        self._reach = round(float(PLACES_S[-1]) * fs_hz) + 2
        # of the candidates without a second score: energy, logits of the places of the R peak
        self._scored: Floats = np.empty((0, COLUMNS - ENERGY))
        self._open: Floats | None = None  # the beat that a better one may still replace
        self._final = 0
        self._decided = 0
        self.count = 0

    @property
    def final(self) -> int:
        """Every complex whose R peak lies before this sample is out."""
        return self._final

    @property
    def past(self) -> Past:
        return Past(self.candidates.past, self._context.past)

    def push(self, x: Floats) -> Complexes:
        """Takes the next samples, shape (n,), mV."""
        self.count += len(x)
        self._raw.add(x)
        new = self.candidates.push(x)
        if self.candidates.decided == self._decided:
            return NOTHING
        return self._decide(new, ended=False)

    def flush(self) -> Complexes:
        """The signal ends here; it is taken to go on as it came, back from its end, and to fade to its last value."""
        if self.count == 0:
            return NOTHING
        short_s = max(0.0, LEARN_S + 0.1 - self.count / self._fs_hz)
        rest = np.repeat(self._raw.view(self.count - 1, self.count), round((SETTLE_S + short_s) * self._fs_hz))
        n = min(round(FADE_S * self._fs_hz), self.count - 1)
        back = self._raw.view(self.count - 1 - n, self.count - 1)[::-1]
        # a sudden end, of hum say, would look like a beat
        rest[:n] += (rest[:n] - back) * np.exp(np.arange(n) / (-0.1 * FADE_S * self._fs_hz))
        return self._decide(self.candidates.push(rest), ended=True)

    def energy(self, start: int, stop: int) -> Floats:
        """Energy at counts [start, stop) of the thinned signal, in mV."""
        return self.candidates.energy(start, stop)

    def thinned(self, start: int, stop: int) -> Floats:
        """The signal itself at counts [start, stop) of the thinned signal, in mV."""
        return self.candidates.thinned(start, stop)

    def raw(self, start: int, stop: int) -> Floats:
        """The signal as it came at counts [start, stop)."""
        return self._raw.view(start, stop)

    def forget(self, before: int) -> None:
        """Drops what is needed only for samples before the count `before`."""
        before = min(before, self.final - self._reach)
        fade = self.count - round(FADE_S * self._fs_hz) - 1
        self._raw.forget(min(before - self._r_peaks.reach - self._reach, fade))
        self.candidates.forget(before // self.thin)

    def _decide(self, new: Candidates | None, ended: bool) -> Complexes:
        decided = self._decided = self.candidates.decided
        first: Floats = np.empty(0)
        if new is not None:
            first, places = self._nets.first(new.shape, new.scalars)
            self._scored = np.concatenate((self._scored, np.concatenate((new.energy[:, None], places), axis=1)))
        at, features = self._context.push(new, first, decided)
        told = decided - self._context.ahead
        if len(at):
            score = self._nets.second(features) - LEAST_LOGIT - features[:, DOUBTS]
            fresh = np.empty((len(at), COLUMNS))
            fresh[:, COUNT], fresh[:, SCORE], fresh[:, LIKE] = at, score, features[:, LIKENESS]
            fresh[:, ENERGY:] = self._scored[: len(at)]
            self._scored = self._scored[len(at) :]
        else:
            fresh = _NOBODY
        if ended:
            fresh = fresh[fresh[:, COUNT] * self.thin < self.count - EDGE_S * self._fs_hz]
        beats = self._choose(fresh)
        if self._open is not None and (ended or told > self._open[COUNT] + self._refractory):
            beats.append(self._open)
            self._open = None
        if ended:
            self._final = self.count
        else:
            at_most = told if self._open is None else min(told, int(self._open[COUNT]))
            self._final = max(self._final, at_most * self.thin - self._reach)
        return self._told(np.array(beats).reshape(-1, COLUMNS), fresh[fresh[:, SCORE] <= 0.0])

    def _choose(self, fresh: Floats) -> list[Floats]:
        """Of those that passed and lie within the refractory time the best is a beat."""
        good = fresh[fresh[:, SCORE] > 0.0]
        beats: list[Floats] = []
        last = self._open
        count, score = (-np.inf, 0.0) if last is None else (float(last[COUNT]), float(last[SCORE]))
        for row, its_count, its_score in zip(good, good[:, COUNT].tolist(), good[:, SCORE].tolist(), strict=True):
            if its_count - count > self._refractory:
                if last is not None:
                    beats.append(last)
            elif its_score <= score:
                continue
            last, count, score = row, its_count, its_score
        self._open = last
        return beats

    def _told(self, beats: Floats, refused: Floats) -> Complexes:
        middle = (self.thin - 1) / 2
        peak = beats[:, COUNT] * self.thin + middle
        at = self._r_peaks.find(self._raw, peak, beats[:, PLACES:]) if len(beats) else peak
        return Complexes(
            np.clip(at, 0, self.count - 1),
            np.floor(peak + 0.5).astype(np.int64),
            beats[:, ENERGY],
            beats[:, SCORE],
            beats[:, LIKE],
            np.floor(refused[:, COUNT] * self.thin + middle + 0.5).astype(np.int64),
            refused[:, SCORE],
        )
