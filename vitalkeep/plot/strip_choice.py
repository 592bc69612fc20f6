"""Which ten seconds of a record are drawn in full: its start, its best, its poorest, where each alert began, and where
most beats are called ventricular or supraventricular."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from device_pipeline.alerts.alert import Alert
from device_pipeline.beat import BeatLabel
from vitalkeep.analysis import Analysis
from vitalkeep.plot.trace import Grain, Trace

STRIP_NS = 10 * 10**9
_LEAD_IN_NS = 2 * 10**9  # seen before an alert begins
_GRAINS = 5  # of two seconds
_ENOUGH = 0.5  # share of two strips that makes them one


@dataclass(frozen=True, slots=True, repr=False)
class Choice:
    """Ten seconds from `start_ns` on, and every reason why they are shown."""

    start_ns: int
    why: tuple[str, ...]

    def __repr__(self) -> str:
        return f"<Choice start_ns={self.start_ns}>"


def choose(analysis: Analysis, trace: Trace, most_alerts: int = 8) -> tuple[list[Choice], int]:
    """(choices in order of time, alerts that are not shown). Each rule has its first alert shown before a second."""
    last_ns = max(analysis.start_ns, analysis.end_ns - STRIP_NS)

    def at(start_ns: int, why: str) -> Choice:
        return Choice(max(analysis.start_ns, min(last_ns, start_ns)), (why,))

    chosen = [at(_first_signal_ns(analysis, trace), "start of the signal")]
    stretches = _stretches(trace.grains)
    if stretches:
        best = max(stretches, key=lambda s: (s.good, s.index, -s.start_ns))
        if best.good > 0.99:
            chosen.append(at(best.start_ns, f"best quality, index {best.index:.2f}"))
        worst = min(stretches, key=lambda s: (s.good, s.index, s.start_ns))
        if worst.good < 0.99:
            chosen.append(at(worst.start_ns, f"poorest quality, index {worst.index:.2f}"))
        elif worst.index < best.index:
            chosen.append(at(worst.start_ns, f"least quality, index {worst.index:.2f}, still good"))
    ordered = _by_rule([alert for _, alert in sorted(analysis.alerts.items())])
    for alert in ordered[:most_alerts]:
        start_ns = alert.start_ns - _LEAD_IN_NS if alert.grounds is None else alert.grounds.strip_start_ns
        chosen.append(at(start_ns, f"alert: {alert.rule.replace('_', ' ')}"))
    for label in (BeatLabel.V, BeatLabel.S):
        first_ns = _densest_ns([one.t_ns for one in analysis.types if one.label is label])
        if first_ns is not None:
            chosen.append(at(first_ns - _LEAD_IN_NS, f"most beats called {label}"))
    return _joined(chosen), max(0, len(ordered) - most_alerts)


def _densest_ns(at_ns: Sequence[int]) -> int | None:
    """The moment from which most of them follow within a strip; None without any."""
    if not at_ns:
        return None
    moments = np.array(at_ns)
    following = np.searchsorted(moments, moments + (STRIP_NS - _LEAD_IN_NS)) - np.arange(len(moments))
    return int(moments[np.argmax(following)])


@dataclass(frozen=True, slots=True)
class _Stretch:
    start_ns: int
    good: float
    index: float


def _stretches(grains: Sequence[Grain]) -> list[_Stretch]:
    """Every ten seconds on the grid of two that have a signal throughout."""
    found = []
    for k in range(len(grains) - _GRAINS + 1):
        part = grains[k : k + _GRAINS]
        length_ns = part[-1].end_ns - part[0].start_ns
        if length_ns != STRIP_NS or any(g.index is None or g.good_ns + g.poor_ns < g.end_ns - g.start_ns for g in part):
            continue
        index = sum(g.index for g in part if g.index is not None) / _GRAINS
        found.append(_Stretch(part[0].start_ns, sum(g.good_ns for g in part) / length_ns, index))
    return found


def _first_signal_ns(analysis: Analysis, trace: Trace) -> int:
    heard = (g.start_ns for g in trace.grains if g.good_ns + g.poor_ns > 0)
    return next(heard, analysis.start_ns)


def _by_rule(alerts: Sequence[Alert]) -> list[Alert]:
    """The first alert of each rule, then the second of each, and so on."""
    nth: dict[str, int] = {}
    ranked = []
    for alert in alerts:
        nth[alert.rule] = nth.get(alert.rule, 0) + 1
        ranked.append((nth[alert.rule], alert.start_ns, alert))
    return [alert for _, _, alert in sorted(ranked, key=lambda row: row[:2])]


def _joined(chosen: Sequence[Choice]) -> list[Choice]:
    """In order of time; a choice that lies for half or more in an earlier one lends it its reason instead."""
    kept: list[Choice] = []
    for choice in chosen:
        for at, other in enumerate(kept):
            if abs(other.start_ns - choice.start_ns) <= STRIP_NS * _ENOUGH:
                kept[at] = replace(other, why=other.why + choice.why)
                break
        else:
            kept.append(choice)
    return sorted(kept, key=lambda choice: choice.start_ns)
