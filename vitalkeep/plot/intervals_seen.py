"""Every RR interval as the HRV window that it lies in judged it: what is left out there is left out here."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

from device_pipeline.intervals import IntervalKind, normal_intervals
from vitalkeep.analysis import Analysis
from vitalkeep.plot.trace import Trace


@dataclass(frozen=True, slots=True, repr=False)
class SeenInterval:
    """The interval that ends at `t_s`. `follows`: the interval before it ends where this one begins.

    `told`: its window gives HRV values, so a normal interval counts in them.
    """

    t_s: float
    rr_ms: float
    kind: IntervalKind
    follows: bool
    told: bool

    def __repr__(self) -> str:
        return f"<SeenInterval {self.kind}>"

    @property
    def counts(self) -> bool:
        return self.told and self.kind is IntervalKind.NORMAL


def seen_windows(analysis: Analysis, trace: Trace) -> list[list[SeenInterval]]:
    """One list for each HRV window, in order of time. Intervals that could not be formed are in none."""
    at_ns = [beat.t_ns for beat in trace.beats]
    windows = []
    for hrv in analysis.hrv:
        first, last = bisect_left(at_ns, hrv.start_ns), bisect_left(at_ns, hrv.start_ns + hrv.length_ns)
        beats = trace.beats[first:last]
        seen: list[SeenInterval] = []
        joined = first > 0 and trace.beats[first - 1].rr_s is not None
        for beat, kind in zip(beats, normal_intervals(beats).kinds, strict=True):
            if beat.rr_s is None:
                joined = False
                continue
            at_s = (beat.t_ns - analysis.start_ns) / 1e9
            seen.append(SeenInterval(at_s, beat.rr_s * 1000.0, kind, joined, hrv.values is not None))
            joined = True
        windows.append(seen)
    return windows
