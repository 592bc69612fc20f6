"""All that is drawn of one record, gathered before anything is drawn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from device_pipeline.beat import BeatLabel, BeatSource
from device_pipeline.hrv import Hrv
from sensors.files.source import FileSource
from sensors.samples import Kind
from vitalkeep.analysis import Analysis
from vitalkeep.cli.pictures import clock
from vitalkeep.plot.day import Day, Span, day, not_told
from vitalkeep.plot.intervals_seen import seen_windows
from vitalkeep.plot.poincare import Poincare, poincare
from vitalkeep.plot.spectrum import Spectrum, spectrum
from vitalkeep.plot.strip import Strip, strips
from vitalkeep.plot.strip_choice import choose
from vitalkeep.plot.tachogram import Tachogram, tachogram
from vitalkeep.plot.time_axis import began
from vitalkeep.plot.trace import Trace

_WHAT = {
    BeatSource.ECG: "ECG, one lead",
    BeatSource.PPG: "PPG (pulses, not heart beats)",
    BeatSource.RR: "RR intervals that the sensor worked out",
    BeatSource.ANNOTATION: "beats read from a file",
}

_SCREENED = {
    "N": "normal rhythm",
    "A": "of the kind of atrial fibrillation",
    "O": "another rhythm",
    "~": "too noisy to say",
}


@dataclass(frozen=True, slots=True, repr=False)
class Picture:
    """`facts`: what the record is, in short lines. `absent`: what is not drawn, and why."""

    record: str
    facts: tuple[str, ...]
    notes: tuple[str, ...]
    absent: tuple[str, ...]
    start_ns: int
    kind: Kind | None
    day: Day
    tachogram: Tachogram
    poincare: Poincare
    spectrum: Spectrum
    hrv: tuple[Hrv, ...]
    strips: tuple[Strip, ...]
    alerts: tuple[tuple[Span, str], ...]

    def __repr__(self) -> str:
        return f"<Picture {self.record}>"

    @property
    def end_s(self) -> float:
        return self.day.end_s


def picture(analysis: Analysis, trace: Trace, source: FileSource, most_alert_strips: int = 8) -> Picture:
    """`source`: the same record, opened again; of it only the strips are read. Raises FileFormatError."""
    trace.close(analysis.source, analysis.channel)
    view = day(analysis, trace)
    windows = seen_windows(analysis, trace)
    absent = not_told(analysis)
    drawn: list[Strip] = []
    if trace.kind is None or analysis.source not in (BeatSource.ECG, BeatSource.PPG):
        absent.insert(0, "No strips: the record holds no signal that was read, only " + _what(analysis) + ".")
    else:
        choices, left_out = choose(analysis, trace, most_alert_strips)
        drawn = strips(source, analysis, trace, choices)
        if left_out:
            absent.append(f"{left_out} more alerts have no strip here.")
    return Picture(
        record=analysis.record,
        facts=_facts(analysis, view),
        notes=tuple(analysis.notes),
        absent=tuple(absent),
        start_ns=analysis.start_ns,
        kind=trace.kind if drawn else None,
        day=view,
        tachogram=tachogram(
            windows,
            view,
            kinds=[((t.t_ns - analysis.start_ns) / 1e9, t.label) for t in analysis.types if t.label is not None],
        ),
        poincare=poincare(windows),
        spectrum=spectrum(windows),
        hrv=tuple(analysis.hrv),
        strips=tuple(drawn),
        alerts=_alerts(analysis, view),
    )


def _what(analysis: Analysis) -> str:
    return "readings, and nothing that beats could be found in" if analysis.source is None else _WHAT[analysis.source]


def _facts(analysis: Analysis, view: Day) -> tuple[str, ...]:
    channel = "" if analysis.channel is None else f"channel {analysis.channel}, "
    rate = "" if analysis.fs_hz is None else f"{analysis.fs_hz:g} Hz, "
    beats = "pulses" if analysis.source is BeatSource.PPG else "beats"
    date = began(analysis.start_ns)
    mean = "not known" if analysis.mean_hr_bpm is None else f"{analysis.mean_hr_bpm:.1f} bpm"
    none_ns = max(0, analysis.end_ns - analysis.start_ns - analysis.good_ns - analysis.poor_ns)
    facts: tuple[str, ...] = (
        f"{_what(analysis)}: {channel}{rate}{clock(view.end_s)} long, "
        + ("no date in the file" if date is None else f"from {date}"),
        f"{analysis.beats_n:,} {beats} that can be trusted; mean heart rate {mean}",
        f"Signal good for {clock(analysis.good_ns / 1e9)}, poor for {clock(analysis.poor_ns / 1e9)}, "
        f"none for {clock(none_ns / 1e9)}",
    )
    if analysis.types and analysis.untyped is None:
        counts = Counter(analysis.labels())
        kinds = ", ".join(f"{counts[label]:,} {label}" for label in BeatLabel if counts[label])
        model = f"{analysis.types[0].model} {analysis.types[0].version}"
        facts = (*facts, f"Kinds of beats, no diagnosis: {kinds or 'none told'}; {counts[None]:,} not told ({model})")
    screened = None if analysis.screening is None else analysis.screening.screened
    if screened is None:
        return facts
    share = 100.0 * screened.probabilities[screened.label]
    said = _SCREENED.get(screened.label, screened.label)
    return (*facts, f"Screened as a whole, no diagnosis: {said} ({share:.0f} %, {screened.model} {screened.version})")


def _alerts(analysis: Analysis, view: Day) -> tuple[tuple[Span, str], ...]:
    rows = []
    for _, alert in sorted(analysis.alerts.items()):
        last_ns = analysis.end_ns if alert.end_ns is None else alert.end_ns
        start_s, end_s = (max(0.0, (t_ns - analysis.start_ns) / 1e9) for t_ns in (alert.start_ns, last_ns))
        rows.append((Span(start_s, min(end_s, view.end_s), alert.rule.replace("_", " ")), alert.text))
    return tuple(rows)


def gap_rows(spans: Sequence[Span], most: int) -> tuple[list[Span], int]:
    """(the longest, in order of time; how many are left out)."""
    longest = sorted(spans, key=lambda span: span.start_s - span.end_s)[:most]
    return sorted(longest, key=lambda span: span.start_s), max(0, len(spans) - most)
