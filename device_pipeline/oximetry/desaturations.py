"""A desaturation is a fall that is seen from its top to its recovery; where the oximeter is silent, nothing fell.

AASM scoring rules (Berry et al. 2012, J Clin Sleep Med 8:597, doi:10.5664/jcsm.2172) ask for a drop of 3 % or more from
before the event, and for 10 s; the older rule asks for 4 %. Where the drop begins and ends they leave open. Here:

- one odd second is none: each is the median of itself and its neighbours;
- baseline: the highest saturation of the two minutes before, back to the end of the last desaturation (Chung et al.
  2012, Anesth Analg 114:993, take the two minutes' mean, which sinks with every event of a night that has many);
- it begins where the saturation was last within 1 % of the baseline, at the top of the ten seconds before;
- it ends where the saturation is back within 1 % of the baseline, or at the top of a rise of `DROP_PCT` or more that
  turns round or comes to rest, or three minutes after its lowest point;
- it counts if it lasted 10 s or longer from beginning to end;
- an absence ends it uncounted and forgets the baseline: a fall that was not seen to recover may be a probe that slips.
"""

from __future__ import annotations

import statistics
from collections import deque
from dataclasses import dataclass

from device_pipeline.oximetry.desaturation import Desaturation
from device_pipeline.oximetry.seconds import SECOND_NS, Second

DROP_PCT = 3.0
DEEP_DROP_PCT = 4.0
LEAST_S = 10
BASELINE_S = 120
NEAR_PCT = 1.0
REST_S = 10  # a rise that has made no new top for so long has come to rest
LONGEST_AFTER_NADIR_S = 180


@dataclass(slots=True)
class _Fall:
    start_ns: int
    baseline_pct: float
    nadir_pct: float
    nadir_ns: int
    top_pct: float  # since the nadir
    top_ns: int


@dataclass(frozen=True, slots=True, repr=False)
class Drop:
    """A desaturation and how far below its baseline it went."""

    found: Desaturation
    drop_pct: float

    def __repr__(self) -> str:
        return "<Drop>"


class Desaturations:
    """Settled seconds in, in order; each desaturation once it is over."""

    def __init__(self) -> None:
        self._before: deque[tuple[int, float]] = deque()
        self._tops: deque[tuple[int, float]] = deque()  # falling saturations: the first is the highest of `_before`
        self._fall: _Fall | None = None
        self._raw: list[float] = []  # the last two seconds, the newest not yet judged
        self._next_ns: int | None = None

    def push(self, second: Second) -> list[Drop]:
        t_ns, value = second.start_ns, second.spo2_pct
        if value is None or (self._next_ns is not None and t_ns != self._next_ns):
            self._forget()
            self._fall = None
            self._raw = []
        self._next_ns = t_ns + SECOND_NS
        if value is None:
            return []
        before, self._raw = self._raw, [*self._raw[-1:], value]
        if not before:
            return []
        return self._judge(t_ns - SECOND_NS, statistics.median((before[0], before[-1], value)))

    def _judge(self, t_ns: int, value: float) -> list[Drop]:
        if self._fall is None:
            self._fall = self._begun(t_ns, value)
            self._remember(t_ns, value)
            return []
        self._remember(t_ns, value)
        end_ns = self._grown(self._fall, t_ns, value)
        if end_ns is None:
            return []
        over, self._fall = self._fall, None
        self._forget(end_ns)
        if end_ns - over.start_ns < LEAST_S * SECOND_NS:
            return []
        return [Drop(Desaturation(over.start_ns, end_ns, over.nadir_pct), over.baseline_pct - over.nadir_pct)]

    def _begun(self, t_ns: int, value: float) -> _Fall | None:
        if not self._tops or value > self._tops[0][1] - DROP_PCT:
            return None
        baseline = self._tops[0][1]
        return _Fall(self._start_ns(baseline), baseline, value, t_ns, value, t_ns)

    def _start_ns(self, baseline: float) -> int:
        """The last top within ten seconds of where the saturation was last near the baseline."""
        near_ns, top_ns, top = None, 0, -1.0
        for t_ns, value in reversed(self._before):
            if near_ns is None and value >= baseline - NEAR_PCT:
                near_ns = t_ns
            if near_ns is not None:
                if near_ns - t_ns > REST_S * SECOND_NS:
                    break
                if value > top:
                    top_ns, top = t_ns, value
        return top_ns

    def _grown(self, fall: _Fall, t_ns: int, value: float) -> int | None:
        """Where the fall is over; None: not yet."""
        if value < fall.nadir_pct:
            fall.nadir_pct, fall.nadir_ns = value, t_ns
            fall.top_pct, fall.top_ns = value, t_ns
        elif value > fall.top_pct:
            fall.top_pct, fall.top_ns = value, t_ns
        if value >= fall.baseline_pct - NEAR_PCT:
            return t_ns
        rests = t_ns - fall.top_ns >= REST_S * SECOND_NS
        if fall.top_pct - fall.nadir_pct >= DROP_PCT and (value <= fall.top_pct - NEAR_PCT or rests):
            return fall.top_ns
        if t_ns - fall.nadir_ns >= LONGEST_AFTER_NADIR_S * SECOND_NS:
            return t_ns
        return None

    def _remember(self, t_ns: int, value: float) -> None:
        self._before.append((t_ns, value))
        while self._before[0][0] <= t_ns - BASELINE_S * SECOND_NS:
            self._before.popleft()
        while self._tops and self._tops[-1][1] <= value:
            self._tops.pop()
        self._tops.append((t_ns, value))
        while self._tops[0][0] <= t_ns - BASELINE_S * SECOND_NS:
            self._tops.popleft()

    def _forget(self, before_ns: int | None = None) -> None:
        """What lies before `before_ns` makes no baseline any more; None: all of it."""
        if before_ns is None:
            self._before.clear()
            self._tops.clear()
            return
        for kept in (self._before, self._tops):
            while kept and kept[0][0] < before_ns:
                kept.popleft()
