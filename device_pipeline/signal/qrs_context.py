"""What stands around a candidate: its rivals within 0.9 s, the rhythm and the look of the likely beats before it.

A likely beat is one that the first score believes in and no rival within the refractory time beats; the second score
decides, and nothing here depends on its decisions, so that one mistake never breeds the next.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from device_pipeline.signal.filters import Floats
from device_pipeline.signal.qrs_candidates import QRS_POINTS, TINY_MV, Candidates

REFRACTORY_S = 0.2  # no ventricle answers earlier (Pan & Tompkins 1985)
AHEAD_S = 0.6  # how far the rivals after a candidate are looked at
SPANS_S = (
    (-0.9, -0.6),
    (-0.6, -0.42),
    (-0.42, -0.3),
    (-0.3, -0.2),
    (-0.2, -0.03),
    (0.03, 0.2),
    (0.2, 0.3),
    (0.3, 0.42),
    (0.42, 0.6),
)
SCORE_LIMIT = 8.0
PAST_BEATS = 8
ALIKE_BACK = 4  # a beat is compared with so many likely beats before it
USUAL_RR_S = 0.8
MOST_BEHIND, MOST_AHEAD = 10, 6  # candidates within SPANS_S: none is nearer to another than 0.09 s
DOUBT = 3.0  # a first score nearer to nothing is none
DOUBT_S = 4.0
SOME_SCALARS = (0, 1, 3, 4, 7, 8, 11)
FEATURES = 32
LIKENESS = 20  # the feature that is the highest correlation with the likely beats before
DOUBTS = 22  # the feature that is the share of candidates with a small first score


@dataclass(frozen=True, slots=True)
class PastBeats:
    """The likely beats before an absence: interval to the one before (NaN: none), logs of energy and slope, look."""

    rr_s: Floats  # (n,)
    size: Floats  # (n, 2)
    look: Floats  # (n, points)
    alike: Floats  # (n,)


class QrsContext:
    """One unbroken stretch of signal, told in counts of the thinned signal at `fs_hz`."""

    def __init__(self, fs_hz: float, past: PastBeats | None = None) -> None:
        points = QRS_POINTS.stop - QRS_POINTS.start
        self._fs_hz = fs_hz
        self.ahead = int(AHEAD_S * fs_hz)
        self._refractory = int(REFRACTORY_S * fs_hz)
        self._behind = int(-SPANS_S[0][0] * fs_hz)
        self._span_of = _spans(self._behind, self.ahead, fs_hz)
        self._at: NDArray[np.int64] = np.empty(0, dtype=np.int64)
        self._score: Floats = np.empty(0)
        self._size: Floats = np.empty((0, 2))
        self._some: Floats = np.empty((0, len(SOME_SCALARS)))
        self._look: Floats = np.empty((0, points))
        self._told = 0  # how many of those held have been told
        self._ranked = 0  # how many of those held are known to be likely beats or not
        # the likely beats
        n = 0 if past is None else len(past.rr_s)
        self._beat_at: Floats = np.full(n, -np.inf)
        self._beat_rr_s: Floats = np.empty(0) if past is None else past.rr_s
        self._beat_size: Floats = np.empty((0, 2)) if past is None else past.size
        self._beat_look: Floats = np.empty((0, points)) if past is None else past.look
        self._beat_alike: Floats = np.empty(0) if past is None else past.alike

    @property
    def past(self) -> PastBeats:
        keep = slice(-PAST_BEATS, None)
        return PastBeats(self._beat_rr_s[keep], self._beat_size[keep], self._beat_look[keep], self._beat_alike[keep])

    def push(self, new: Candidates | None, score: Floats, decided: int) -> tuple[NDArray[np.int64], Floats]:
        """Takes the next candidates with their first scores; all before the count `decided` have now been given.

        Returns the counts of the candidates of which everything is known, and their features, (n, FEATURES).
        """
        if new is not None:
            look = new.shape[:, QRS_POINTS]
            look = look - look.mean(axis=1)[:, None]
            look /= (np.sqrt((look * look).sum(axis=1)) + 1e-6)[:, None]
            self._at = np.concatenate((self._at, new.at))
            self._score = np.concatenate((self._score, np.clip(score, -SCORE_LIMIT, SCORE_LIMIT)))
            size = np.log(np.maximum(np.stack((new.energy, new.slope), axis=1), TINY_MV))
            self._size = np.concatenate((self._size, size))
            self._some = np.concatenate((self._some, new.scalars[:, SOME_SCALARS]))
            self._look = np.concatenate((self._look, look))
        self._rank(int(np.searchsorted(self._at, decided - self._refractory)))
        first, stop = self._told, int(np.searchsorted(self._at, decided - self.ahead))
        if stop <= first:
            return self._at[:0], np.empty((0, FEATURES))
        features = self._features(first, stop)
        at = self._at[first:stop]
        self._told = stop
        self._forget()
        return at, features

    def _rank(self, stop: int) -> None:
        """Finds the likely beats among the candidates before `stop`."""
        first = self._ranked
        if stop <= first:
            return
        self._ranked = stop
        n = len(self._at)
        mine = np.arange(first, stop)
        at, score = self._at[mine], self._score[mine]
        best = score > 0
        for back in (-2, -1, 1, 2):
            other = np.clip(mine + back, 0, n - 1)
            best &= (np.abs(self._at[other] - at) > self._refractory) | (score >= self._score[other])
        mine = mine[best]
        if len(mine) == 0:
            return
        at_beats = self._at[mine].astype(np.float64)
        last = self._beat_at[-1] if len(self._beat_at) else -np.inf
        rr_s = np.diff(at_beats, prepend=last) / self._fs_hz
        self._beat_at = np.concatenate((self._beat_at, at_beats))
        self._beat_rr_s = np.concatenate((self._beat_rr_s, np.where(np.isfinite(rr_s), rr_s, np.nan)))
        self._beat_size = np.concatenate((self._beat_size, self._size[mine]))
        looks = np.concatenate((self._beat_look[-ALIKE_BACK:], self._look[mine]))
        known = len(looks) - len(mine)
        alike = np.zeros(len(looks))
        for back in range(1, ALIKE_BACK + 1):
            np.maximum(alike[back:], (looks[back:] * looks[:-back]).sum(axis=1), out=alike[back:])
        self._beat_alike = np.concatenate((self._beat_alike, alike[known:]))
        self._beat_look = np.concatenate((self._beat_look, looks[known:]))

    def _features(self, first: int, stop: int) -> Floats:
        n = stop - first
        at, score = self._at[first:stop], self._score[first:stop]
        out = np.empty((n, FEATURES))
        out[:, 0] = score
        out[:, 1:10] = self._rivals(first, stop)
        known = np.searchsorted(self._beat_at, at - self._refractory)
        back = known[:, None] - 1 - np.arange(PAST_BEATS)[None, :]
        there = back >= 0
        back = np.maximum(back, 0)
        if len(self._beat_at) == 0:
            there[:] = False
            rr_s, size = np.full(back.shape, np.nan), np.zeros((*back.shape, 2))
            alike = np.zeros(back.shape)
            before_s = np.full((n, 2), np.inf)
        else:
            rr_s, size = self._beat_rr_s[back], self._beat_size[back]
            alike = np.empty(back.shape)
            look = self._look[first:stop]
            for column in range(PAST_BEATS):
                np.einsum("ij,ij->i", self._beat_look[back[:, column]], look, out=alike[:, column])
            before_s = (at[:, None] - self._beat_at[back[:, :2]]) / self._fs_hz
            before_s[~there[:, :2]] = np.inf
        has_rr = there & np.isfinite(rr_s)
        usual_s = np.clip(_middle(rr_s, has_rr, USUAL_RR_S), 0.3, 1.8)
        uneven = _middle(np.abs(rr_s - usual_s[:, None]) / usual_s[:, None], has_rr, 0.3)
        since_s = np.minimum(before_s, (3.0, 6.0))
        turns = since_s / usual_s[:, None]
        out[:, 10] = np.minimum(turns[:, 0], 4.0)
        out[:, 11] = np.abs(np.minimum(turns[:, 0], 2.0) - 1.0)
        out[:, 12] = np.minimum(turns[:, 1], 6.0)
        out[:, 13] = np.abs(np.minimum(turns[:, 1], 3.0) - 2.0)
        out[:, 14] = since_s[:, 0]
        out[:, 15] = usual_s
        out[:, 16] = np.minimum(uneven, 1.0)
        out[:, 17] = has_rr.sum(axis=1) / PAST_BEATS
        any_there = there[:, 0]
        out[:, 18] = np.where(any_there, self._size[first:stop, 0] - _middle(size[:, :, 0], there, 0.0), 0.0)
        out[:, 19] = np.where(any_there, self._size[first:stop, 1] - _middle(size[:, :, 1], there, 0.0), 0.0)
        out[:, LIKENESS] = np.where(any_there, np.where(there, alike, -1.0).max(axis=1), 0.0)
        out[:, 21] = _middle(alike, there, 0.0)
        doubts = np.concatenate(([0.0], np.cumsum(np.abs(self._score) < DOUBT)))
        mine = np.arange(first, stop)
        oldest = np.searchsorted(self._at, at - int(DOUBT_S * self._fs_hz))
        out[:, DOUBTS] = (doubts[mine] - doubts[oldest]) / np.maximum(mine - oldest, 1)
        out[:, 23] = np.minimum((mine - oldest) / 16.0, 2.0)
        out[:, 24] = 0.0 if len(self._beat_at) == 0 else _middle(self._beat_alike[back], there, 0.0)
        out[:, 25:] = self._some[first:stop]
        return out

    def _rivals(self, first: int, stop: int) -> Floats:
        """The highest first score in each of SPANS_S around each candidate."""
        n, total = stop - first, len(self._at)
        spans = len(SPANS_S) + 1
        out = np.full(n * spans, -SCORE_LIMIT)
        at = self._at[first:stop]
        for back in range(-MOST_BEHIND, MOST_AHEAD + 1):
            low, high = max(first, -back), min(stop, total - back)
            if back == 0 or high <= low:
                continue
            apart = self._at[low + back : high + back] - at[low - first : high - first]
            near = np.flatnonzero((apart >= -self._behind) if back < 0 else (apart <= self.ahead))
            if len(near) == 0:
                continue
            place = (near + (low - first)) * spans + self._span_of[apart[near] + self._behind]
            out[place] = np.maximum(out[place], self._score[near + (low + back)])
        return out.reshape(n, spans)[:, :-1]

    def _forget(self) -> None:
        """Drops the candidates and likely beats that no later one can see."""
        oldest = self._at[self._told - 1] - int((DOUBT_S + 1.0) * self._fs_hz)
        spare = min(int(np.searchsorted(self._at, oldest)), self._told, self._ranked)
        if spare > 0:
            self._at, self._score = self._at[spare:], self._score[spare:]
            self._size, self._some, self._look = self._size[spare:], self._some[spare:], self._look[spare:]
            self._told -= spare
            self._ranked -= spare
        known = int(np.searchsorted(self._beat_at, self._at[self._told - 1] - self._refractory))
        spare = known - PAST_BEATS
        if spare > 0:
            self._beat_at, self._beat_rr_s = self._beat_at[spare:], self._beat_rr_s[spare:]
            self._beat_size, self._beat_look = self._beat_size[spare:], self._beat_look[spare:]
            self._beat_alike = self._beat_alike[spare:]


def _spans(behind: int, ahead: int, fs_hz: float) -> NDArray[np.int64]:
    """Which of SPANS_S each distance from -behind to ahead lies in; their number where in none."""
    apart_s = np.arange(-behind, ahead + 1) / fs_hz
    out = np.full(len(apart_s), len(SPANS_S), dtype=np.int64)
    for k, (start_s, stop_s) in enumerate(SPANS_S):
        out[(apart_s >= start_s) & (apart_s < stop_s)] = k
    return out


def _middle(values: Floats, there: NDArray[np.bool_], otherwise: float) -> Floats:
    """The lower median of each row among the values that are there."""
    counts = there.sum(axis=1)
    ordered = np.sort(np.where(there, values, np.inf), axis=1)
    middle = ordered[np.arange(len(values)), np.maximum((counts - 1) // 2, 0)]
    return np.where(counts > 0, middle, otherwise)
