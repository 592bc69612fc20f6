"""When a model that was put into service is to go back by itself: it fails, is much slower, or warns much more often.

Nothing here has a clock or knows a disk. Each rule compares with the same device, wearer and program before: calls with
those on the golden inputs when the model was installed, alerts with those before it was promoted.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import median

CALLS = 64  # of which the median is taken
SLOW_IN_A_ROW = 3  # such stretches: a hot or busy device is slow for a while
SLOW_TIMES, SLOW_US = 5.0, 200.0
LEAST_ALERTS = 5
MORE_TIMES = 3.0
BY_CHANCE = 1e-4
# Where too little was seen before: as if so much had been, half an alert a day, the most that is aimed at.
_PRIOR_ALERTS, _PRIOR_HOURS = 1.0, 48.0


@dataclass(frozen=True, slots=True)
class Before:
    """`latency_us`: the median of a call when it was installed; `alerts` in `hours` of good signal before it served."""

    latency_us: float
    alerts: int = 0
    hours: float = 0.0


class Watch:
    """Of one version in service; `alerts` and `hours` since it has been. Each method gives why it is to go back."""

    def __init__(self, before: Before, alerts: int = 0, hours: float = 0.0) -> None:
        self._before = before
        self._alerts = alerts
        self._hours = hours
        self._took_us: list[float] = []
        self._slow = 0

    def called(self, took_us: float) -> str | None:
        """A call took so long, in processor time."""
        self._took_us.append(took_us)
        if len(self._took_us) < CALLS:
            return None
        usual_us = median(self._took_us)
        self._took_us.clear()
        most_us = max(SLOW_TIMES * self._before.latency_us, self._before.latency_us + SLOW_US)
        self._slow = self._slow + 1 if usual_us > most_us else 0
        if self._slow < SLOW_IN_A_ROW:
            return None
        return f"slow: {usual_us:.0f} µs a call, {self._before.latency_us:.0f} µs when it was installed"

    def passed(self, hours: float) -> None:
        """So much more good signal was read."""
        self._hours += hours

    def alerted(self) -> str | None:
        """An alert that it has part in was raised."""
        self._alerts += 1
        alerts, hours = self._before.alerts + _PRIOR_ALERTS, self._before.hours + _PRIOR_HOURS
        expected = alerts * self._hours / hours
        if self._alerts < LEAST_ALERTS or self._alerts <= MORE_TIMES * expected:
            return None
        if at_least(self._alerts, alerts, self._hours / hours) >= BY_CHANCE:
            return None
        return f"alerts: {self._alerts} in {self._hours:.1f} h, {expected:.1f} expected from before"


def at_least(n: int, before: float, times: float) -> float:
    """The chance of `n` or more events in `times` the time in which `before` were seen, where nothing has changed.

    Negative binomial: a Poisson count whose rate is known no better than `before` events tell it.
    """
    share = times / (1.0 + times)
    below, term = 0.0, math.exp(-before * math.log1p(times))
    for k in range(n):
        below += term
        term *= (k + before) / (k + 1) * share
    return max(0.0, 1.0 - below)
