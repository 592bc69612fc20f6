"""Which energy peaks are heartbeats: adaptive levels, refractory time, T and P wave rules, search-back.

Works on candidates one by one, in order, and on nothing but their counts and sizes; time advances with `advance`. No
rule looks at when something arrived. The scheme is that of Pan & Tompkins 1985 and Hamilton & Tompkins 1986 on a
different feature, with a limited rise of the levels so that an artefact cannot blind it.
"""

from __future__ import annotations

from dataclasses import dataclass

REFRACTORY_S = 0.2  # no ventricle answers earlier (Pan & Tompkins 1985)
REVISE_S = 0.28  # longest P wave to QRS distance in which a P wave may have been taken for the beat
T_WAVE_S = 0.36  # a T wave comes within this time of its QRS (Pan & Tompkins 1985)
T_SLOPE = 0.5  # and is less than half as steep
P_RATIO = 1.4  # a QRS is that much larger and steeper than the P wave before it
P_SHARE = 0.8  # and the P wave is smaller than beats are
THRESHOLD = 0.25  # between noise and signal level
SEARCH_BACK = 0.5  # share of the threshold when a beat is overdue
OVERDUE_RR = 1.66  # of the usual interval (Pan & Tompkins 1985)
GAIN = 0.2  # weight of a new peak in a level
RISE = 2.0  # a peak counts at most that many times its level
LONG_STEP = 1.05  # most change of the long-term level with a beat
INFLATED = 1.5  # a level that far above the long-term one is given up as soon as beats are missing
MOST_NOISE = 0.2  # share of the signal level
LEARN_S = 2.5
FIRST_RISE = 4.0  # while learning the largest peak counts at most that many times the second third's
RELEARN_S = 6.0  # without any beat the levels are learnt again
HORIZON_S = 3.5  # a beat found later than this is not reported any more
USUAL_RR_S = 0.8
LONGEST_USUAL_RR_S = 1.8
SPIKY = 3.0  # beats stand out of their surroundings by at least this
LEAST_ENERGY_MV = 0.003  # a QRS of 0.02 mV

Peak = tuple[int, float, float]  # count, energy, slope


@dataclass(frozen=True, slots=True)
class Found:
    """A heartbeat at the count `at`; `level` is the energy that beats have about now, both in mV.

    `sure` says that no beat can have been missed since the one before.
    """

    at: int
    energy: float
    level: float
    sure: bool


class QrsRules:
    """Keeps the levels from one stretch of signal to the next."""

    def __init__(self, fs_hz: float) -> None:
        self._fs_hz = fs_hz
        self._refractory = REFRACTORY_S * fs_hz
        self._revise = REVISE_S * fs_hz
        self._t_wave = T_WAVE_S * fs_hz
        self._horizon = HORIZON_S * fs_hz
        self._relearn = RELEARN_S * fs_hz
        self.signal = 0.0
        self.noise = 0.0
        self._long_signal = 0.0  # follows the signal level slowly: what it was before an artefact
        self._learnt = False
        self._rr: list[float] = []
        self.start(0, keep=False)

    def start(self, count: int, keep: bool) -> None:
        """A new stretch begins at `count`; `keep` says whether the levels and the rhythm still hold."""
        self._learnt = self._learnt and keep
        if not keep:
            self._rr = []
        self._usual = self._usual_rr()
        self._began = count
        self._last: Peak | None = None
        self._before: tuple[float, list[float], Peak | None] = (self.signal, self._rr, None)
        self._open = False
        self._since = float(count)  # the last beat, or where the waiting began
        self._look = self._since + OVERDUE_RR * self._usual
        self._waiting: list[Peak] = []  # peaks that may turn out to be beats
        self._done: list[Found] = []
        self._sure = False
        self.final = count

    def push(self, at: list[int], energy: list[float], slope: list[float]) -> None:
        """Takes candidates in order."""
        for peak in zip(at, energy, slope, strict=True):
            if self._learnt:
                self._decide(peak)
            else:
                self._waiting.append(peak)

    def advance(self, now: int, ended: bool = False) -> list[Found]:
        """All candidates before the count `now` have been pushed: the beats that became final."""
        learnt_at = self._began + round(LEARN_S * self._fs_hz)
        if not self._learnt and (ended or now >= learnt_at):
            self._learn([peak for peak in self._waiting if peak[0] < learnt_at], min(now, learnt_at))
            first, self._waiting = self._waiting, []
            self._learnt = True
            for peak in first:
                self._decide(peak)
        if self._learnt:
            while self._look < now:
                self._look_back(self._look)
        if self._open and self._last is not None and (ended or now >= self._last[0] + self._revise):
            self._close()
        if self._open and self._last is not None:
            self.final = self._last[0]
        elif self._learnt:
            self.final = max(self.final, int(now - self._horizon))
            if self._last is not None:
                self.final = max(self.final, self._last[0] + 1)
        if ended:
            self.final = now
        done, self._done = self._done, []
        return done

    def _learn(self, peaks: list[Peak], now: int) -> bool:
        """Levels from the peaks of a short stretch: the largest of each third, so that one artefact does not rule."""
        if not peaks:
            return False
        third = max(1.0, (now - peaks[0][0]) / 3)
        tops = [0.0, 0.0, 0.0]
        for at, energy, _ in peaks:
            k = min(2, int((at - peaks[0][0]) / third))
            tops[k] = max(tops[k], energy)
        tops.sort()
        signal = min(tops[2], FIRST_RISE * tops[1]) if tops[1] > 0 else tops[2]
        energies = sorted(energy for _, energy, _ in peaks)
        noise = 0.5 * energies[(len(energies) - 1) // 2]
        self.signal = max(signal, LEAST_ENERGY_MV)
        self.noise = min(noise, MOST_NOISE * self.signal)
        self._long_signal = self.signal
        return signal >= LEAST_ENERGY_MV and signal >= SPIKY * noise * 2

    def _decide(self, peak: Peak) -> None:
        at, energy, slope = peak
        while self._look < at:
            self._look_back(self._look)
        if self._open and self._last is not None and at >= self._last[0] + self._revise:
            self._close()
        last = self._last
        strong = energy > max(self.noise + THRESHOLD * (self.signal - self.noise), LEAST_ENERGY_MV)
        if last is not None:
            since = at - last[0]
            if since < self._refractory:
                if strong and self._open and energy > last[1]:
                    self._replace(peak)
                return
            p_before = energy > P_RATIO * last[1] and slope > P_RATIO * last[2] and last[1] < P_SHARE * self.signal
            if strong and self._open and since < self._revise and p_before:
                self._replace(peak)
                return
            if since < self._t_wave and slope < T_SLOPE * last[2]:
                if strong:
                    self.noise += GAIN * (min(energy, self.signal) - self.noise)
                    return
                self.noise += GAIN * (energy - self.noise)
                return
        if strong:
            self._accept(peak)
            return
        self.noise += GAIN * (energy - self.noise)
        self._waiting.append(peak)

    def _replace(self, peak: Peak) -> None:
        """The open beat was a P wave or a lesser peak of the same complex: `peak` takes its place in everything."""
        self.signal, self._rr, self._last = self._before
        self._open = False
        self._accept(peak)

    def _accept(self, peak: Peak) -> None:
        if self._open:
            self._close()
        at, energy, _ = peak
        self._before = (self.signal, list(self._rr), self._last)
        if self._last is not None and at - self._last[0] < 3 * self._fs_hz:
            self._rr.append(float(at - self._last[0]))
            del self._rr[:-8]
            self._usual = self._usual_rr()
        self.signal += GAIN * (min(energy, RISE * self.signal) - self.signal)
        lowest, highest = self._long_signal / LONG_STEP, self._long_signal * LONG_STEP
        self._long_signal = min(max(self.signal, lowest), highest)
        self._last = peak
        self._open = True
        self._since = float(at)
        self._look = self._since + OVERDUE_RR * self._usual
        self._waiting = [p for p in self._waiting if p[0] > at + self._refractory]

    def _close(self) -> None:
        if self._last is not None:
            level = min(self.signal, RISE * self._long_signal)
            self._done.append(Found(self._last[0], self._last[1], level, self._sure))
        self._open = False
        self._sure = True

    def _usual_rr(self) -> float:
        if not self._rr:
            return USUAL_RR_S * self._fs_hz
        return min(sorted(self._rr)[len(self._rr) // 2], LONGEST_USUAL_RR_S * self._fs_hz)

    def _look_back(self, now: float) -> None:
        """A beat is overdue at `now`: takes the first peak that passes a lower threshold, or waits on."""
        self._waiting = [p for p in self._waiting if p[0] > now - self._horizon]
        if now - self._since >= self._relearn:
            self._since = now - self._relearn + 2 * self._fs_hz
            if self._waiting:
                before = (self.signal, self.noise, self._long_signal)
                if self._learn(self._waiting, int(now)):
                    self._sure = False  # the beats were smaller all the time, and some are past the horizon
                else:
                    self.signal, self.noise, self._long_signal = before
        strong = self._overlooked(now)
        if not strong and self.signal > INFLATED * self._long_signal:
            self.signal = self._long_signal
            self.noise = min(self.noise, MOST_NOISE * self.signal)
            strong = self._overlooked(now)
        if not strong:
            self._look = now + 0.66 * self._usual
            return
        first = strong[0][0]
        self._accept(max((p for p in strong if p[0] <= first + 0.6 * self._usual), key=lambda p: p[1]))

    def _overlooked(self, now: float) -> list[Peak]:
        low = self.noise + THRESHOLD * SEARCH_BACK * (self.signal - self.noise)
        low = max(low, LEAST_ENERGY_MV)
        return [peak for peak in self._waiting if peak[0] <= now and peak[1] > low]
