"""Beats from intervals that a sensor or a file worked out itself; what no interval covers is a gap."""

from __future__ import annotations

from device_pipeline.beat import Beat, BeatSource, Quality
from sensors.samples import Gap, GapReason, Quantity, Reading

# Recorders drop out for minutes and write the hole as one interval, so a longer one is a hole and not a pause. A pause
# can be told only where the signal itself is at hand.
LONGEST_RR_S = 3.0
# Below the refractory time of the ventricles.
SHORTEST_RR_S = 0.2
# The clock of the beats may run against the host clock this far before a hole is believed.
_SLACK_NS = 50_000_000


class RrBeats:
    """`Reading`s of `Quantity.RR` (each ends at its `t_ns`) and gaps of their channel to beats."""

    def __init__(self) -> None:
        self._covered_ns: int | None = None

    @property
    def final_ns(self) -> int | None:
        return self._covered_ns

    def push(self, item: Reading | Gap) -> list[Beat | Quality | Gap]:
        if isinstance(item, Gap):
            return self._cover(item.end_ns, item.reason)
        if item.quantity is not Quantity.RR:
            return []
        rr_s = item.value / 1000.0
        start_ns = item.t_ns - round(item.value * 1e6)
        out: list[Beat | Quality | Gap] = []
        if not SHORTEST_RR_S <= rr_s <= LONGEST_RR_S:
            return [*self._cover(item.t_ns, GapReason.MISSING), Beat(item.t_ns, BeatSource.RR, None)]
        if self._covered_ns is None:
            self._covered_ns = start_ns
        if start_ns - self._covered_ns > _SLACK_NS:
            out += self._cover(start_ns, GapReason.MISSING)
        if item.t_ns > self._covered_ns:
            out.append(Quality(self._covered_ns, item.t_ns, 1.0, good=True))
            self._covered_ns = item.t_ns
        out.append(Beat(item.t_ns, BeatSource.RR, rr_s))
        return out

    def flush(self) -> list[Beat | Quality | Gap]:
        return []

    def _cover(self, end_ns: int, reason: GapReason) -> list[Beat | Quality | Gap]:
        start_ns = self._covered_ns
        if start_ns is None or end_ns <= start_ns:
            self._covered_ns = end_ns if start_ns is None else start_ns
            return []
        self._covered_ns = end_ns
        return [Gap("rr", start_ns, end_ns, reason)]
