"""The whole record at one look: what was told over time, and wherever nothing was, that and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from device_pipeline.motion.activity import Level
from vitalkeep.analysis import Analysis
from vitalkeep.plot.trace import Trace
from vitalkeep.plot.trend import Floats, Trend, shares, trend

_S = 1e9
_MOST_DRAWN_GAPS = 400
_LEVELS = (Level.STILL, Level.LIGHT, Level.MODERATE, Level.VIGOROUS)


@dataclass(frozen=True, slots=True)
class Span:
    """[start_s, end_s) of the record and what it is called."""

    start_s: float
    end_s: float
    name: str


@dataclass(frozen=True, slots=True, repr=False)
class Shares:
    """Of each column of time, how much of the signal was good and how much too poor to read; the rest is absent."""

    edges_s: Floats
    good: Floats
    poor: Floats

    def __repr__(self) -> str:
        return f"<Shares n={len(self.good)}>"


@dataclass(frozen=True, slots=True, repr=False)
class Quantity:
    """Values of windows, and the stretches where no window has one, called by why most of them have none."""

    shown: Trend
    absent: tuple[Span, ...]

    def __repr__(self) -> str:
        return f"<Quantity n={len(self.shown)}>"


@dataclass(frozen=True, slots=True, repr=False)
class Day:
    """All in seconds from the start. A trend without a point is one of which nothing is known.

    `untold`: where no heart rate is told and neither a gap nor a poor signal is most of the reason.
    """

    end_s: float
    rate: Trend
    envelope: Trend | None
    absent: tuple[Span, ...]
    poor: tuple[Span, ...]
    untold: tuple[Span, ...]
    quality: Shares
    rhythm: tuple[Span, ...]
    alerts: tuple[tuple[str, tuple[Span, ...]], ...]
    respiration: Quantity
    spo2: Quantity
    spo2_uncalibrated: bool
    desaturations: tuple[Span, ...]
    activity: tuple[Span, ...]
    activity_absent: tuple[Span, ...]
    posture: tuple[Span, ...]
    steps: int | None
    temperature: Quantity
    temperature_sites: tuple[str, ...]

    def __repr__(self) -> str:
        return "<Day>"


def day(analysis: Analysis, trace: Trace, most: int = 900) -> Day:
    """`most`: columns that the picture has room for."""
    start_ns = analysis.start_ns
    end_s = max((analysis.end_ns - start_ns) / _S, 1e-3)

    def at_s(t_ns: float) -> float:
        return float(t_ns - start_ns) / _S

    def clipped(first_ns: int, last_ns: int, name: str) -> Span:
        return Span(max(0.0, at_s(first_ns)), min(end_s, at_s(last_ns)), name)

    def windows(rows: Sequence[tuple[int, int, float | None]]) -> Trend:
        apart_s = 2.5 * max(_usual_step_s([start for start, _, _ in rows]), 1e-9)
        points = [(min(end_s, at_s(start + length / 2)), value) for start, length, value in rows]
        return trend(points, end_s, most, apart_s)

    def quantity(rows: Sequence[tuple[int, int, float | None, str | None]]) -> Quantity:
        untold = [(start, length, value is not None, reason) for start, length, value, reason in rows]
        return Quantity(windows([row[:3] for row in rows]), _untold(untold, clipped))

    alerts: dict[str, list[Span]] = {}
    for _, alert in sorted(analysis.alerts.items()):
        last_ns = analysis.end_ns if alert.end_ns is None else alert.end_ns
        alerts.setdefault(alert.rule, []).append(clipped(alert.start_ns, last_ns, alert.rule.replace("_", " ")))
    absent = tuple(clipped(g.start_ns, g.end_ns, g.reason.value.replace("_", " ")) for g in analysis.gaps)
    poor = _poor(trace, clipped)
    rates = _untold([(w.start_ns, w.length_ns, w.bpm is not None, w.reason) for w in analysis.heart_rate], clipped)
    active = [window for window in analysis.activity if window.level is not None]
    return Day(
        end_s=end_s,
        rate=windows([(w.start_ns, w.length_ns, w.bpm) for w in analysis.heart_rate]),
        envelope=_envelope(trace, at_s, end_s, most),
        absent=absent,
        poor=poor,
        untold=tuple(span for span in rates if _overlap_s(span, (*absent, *poor)) < 0.5 * (span.end_s - span.start_s)),
        quality=_quality(trace, at_s, end_s, most),
        rhythm=tuple(clipped(span.start_ns, span.end_ns, span.kind.value) for span in analysis.rhythm),
        alerts=tuple((rule, tuple(spans)) for rule, spans in alerts.items()),
        respiration=quantity([(w.start_ns, w.length_ns, w.rate_bpm, w.reason) for w in analysis.respiration]),
        spo2=quantity([(w.start_ns, w.length_ns, w.spo2_pct, w.reason) for w in analysis.spo2]),
        spo2_uncalibrated=any("uncalibrated" in w.method for w in analysis.spo2),
        desaturations=tuple(clipped(d.start_ns, d.end_ns, "desaturation") for d in analysis.desaturations),
        activity=_joined(clipped(w.start_ns, w.start_ns + w.length_ns, str(w.level.value)) for w in active if w.level),
        activity_absent=_untold(
            [(w.start_ns, w.length_ns, w.level is not None, w.reason) for w in analysis.activity], clipped
        ),
        posture=_joined(
            clipped(w.start_ns, w.start_ns + w.length_ns, str(w.posture.value))
            for w in analysis.activity
            if w.posture is not None
        ),
        steps=sum(window.steps or 0 for window in active) if active else None,
        temperature_sites=tuple(dict.fromkeys(str(w.site.value) for w in analysis.temperature)),
        temperature=quantity([(w.start_ns, w.length_ns, w.temperature_c, w.reason) for w in analysis.temperature]),
    )


def level_rank(name: str) -> int:
    """0 for still to 3 for vigorous."""
    return [level.value for level in _LEVELS].index(Level(name))


def broad(spans: Sequence[Span], least_s: float) -> list[Span]:
    """Those that a picture can show: at least `least_s` long, and of a great many only the longest."""
    wide = [span for span in spans if span.end_s - span.start_s >= least_s]
    longest = sorted(wide, key=lambda span: span.start_s - span.end_s)[:_MOST_DRAWN_GAPS]
    return sorted(longest, key=lambda span: span.start_s)


def not_told(analysis: Analysis) -> list[str]:
    """What no value is known of, and why, in words."""
    rows: list[tuple[str, list[tuple[bool, str | None]]]] = [
        ("Respiration", [(w.rate_bpm is not None, w.reason) for w in analysis.respiration]),
        ("Oxygen saturation", [(w.spo2_pct is not None, w.reason) for w in analysis.spo2]),
        ("Activity", [(w.level is not None, w.reason) for w in analysis.activity]),
        ("Temperature", [(w.temperature_c is not None, w.reason) for w in analysis.temperature]),
    ]
    told = []
    for name, windows in rows:
        if not windows:
            told.append(f"{name}: not in this record.")
        elif not any(known for known, _ in windows):
            reasons = Counter(reason or "unknown" for _, reason in windows).most_common(3)
            told.append(f"{name}: no value, {', '.join(reason.replace('_', ' ') for reason, _ in reasons)}.")
    return told


def _untold(
    rows: Sequence[tuple[int, int, bool, str | None]], clipped: Callable[[int, int, str], Span]
) -> tuple[Span, ...]:
    """What the windows (start, length, known, reason) leave untold: of windows that overlap, the middles count."""
    spans: list[Span] = []
    for known, group in groupby(enumerate(rows), key=lambda row: row[1][2]):
        mine = list(group)
        if known:
            continue
        (first, (start_ns, _, _, _)), (last, (last_ns, length_ns, _, _)) = mine[0], mine[-1]
        if first:
            before_ns, before_length_ns = rows[first - 1][:2]
            start_ns = max(start_ns, before_ns + before_length_ns // 2)
        end_ns = last_ns + length_ns
        if last + 1 < len(rows):
            after_ns, after_length_ns = rows[last + 1][:2]
            end_ns = min(end_ns, after_ns + after_length_ns // 2)
        reason = Counter(why or "unknown" for _, (_, _, _, why) in mine).most_common(1)[0][0]
        spans.append(clipped(start_ns, end_ns, reason.replace("_", " ")))
    return tuple(spans)


def _overlap_s(span: Span, others: Iterable[Span]) -> float:
    return sum(max(0.0, min(span.end_s, other.end_s) - max(span.start_s, other.start_s)) for other in others)


def _usual_step_s(starts_ns: Sequence[int]) -> float:
    return float(np.median(np.diff(starts_ns))) / _S if len(starts_ns) > 1 else 0.0


def _quality(trace: Trace, at_s: Callable[[float], float], end_s: float, most: int) -> Shares:
    most = max(1, min(most, len(trace.grains)))
    good, poor = [], []
    for grain in trace.grains:
        first_s, last_s = at_s(grain.start_ns), at_s(grain.end_ns)
        length_ns = grain.end_ns - grain.start_ns
        good.append((first_s, last_s, grain.good_ns / length_ns))
        poor.append((first_s, last_s, grain.poor_ns / length_ns))
    edges_s, good_share = shares(good, end_s, most)
    return Shares(edges_s, good_share, shares(poor, end_s, most)[1])


def _poor(trace: Trace, clipped: Callable[[int, int, str], Span]) -> tuple[Span, ...]:
    """Stretches that touch as one, called by the reason that most of it has."""
    spans: list[Span] = []
    blame_ns: dict[str, int] = {}
    first_ns = last_ns = 0
    for stretch in trace.poor:
        if blame_ns and stretch.start_ns > last_ns:
            spans.append(clipped(first_ns, last_ns, max(blame_ns, key=lambda reason: blame_ns[reason])))
            blame_ns = {}
        if not blame_ns:
            first_ns = stretch.start_ns
        reason = (stretch.reason or "poor").replace("_", " ")
        blame_ns[reason] = blame_ns.get(reason, 0) + stretch.end_ns - stretch.start_ns
        last_ns = stretch.end_ns
    if blame_ns:
        spans.append(clipped(first_ns, last_ns, max(blame_ns, key=lambda reason: blame_ns[reason])))
    return tuple(spans)


def _envelope(trace: Trace, at_s: Callable[[float], float], end_s: float, most: int) -> Trend | None:
    seconds_ns, low, high = trace.extremes()
    if not len(seconds_ns):
        return None
    t_s = [min(end_s, at_s(ns + _S / 2)) for ns in seconds_ns.tolist()]
    lows = trend(list(zip(t_s, low.tolist(), strict=True)), end_s, most, 1.5)
    highs = trend(list(zip(t_s, high.tolist(), strict=True)), end_s, most, 1.5)
    return Trend(lows.t_s, lows.low, (lows.low + highs.high) / 2, highs.high, lows.runs, lows.thinned)


def _joined(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Neighbours of one name as one."""
    joined: list[Span] = []
    for span in spans:
        if joined and joined[-1].name == span.name and span.start_s <= joined[-1].end_s + 1e-6:
            joined[-1] = Span(joined[-1].start_s, max(joined[-1].end_s, span.end_s), span.name)
        else:
            joined.append(span)
    return tuple(joined)
