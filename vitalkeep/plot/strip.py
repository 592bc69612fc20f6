"""Ten seconds as they were recorded: no filter, nothing bridged; what is poor or missing is marked with its reason."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from device_pipeline.beat import Beat, BeatLabel
from sensors.files.source import FileSource
from sensors.samples import Kind, Samples
from vitalkeep.analysis import Analysis
from vitalkeep.plot.strip_choice import STRIP_NS, Choice
from vitalkeep.plot.trace import Trace
from vitalkeep.plot.trend import Floats

_S = 1e9
_BLOCK_S = 600.0  # read in few large blocks: 10 minutes at 1 kHz are 5 MB
_JOINED = 1.5  # steps between two samples that still touch


@dataclass(frozen=True, slots=True)
class Mark:
    """A beat at `t_s` of the strip. `label` is empty for N, and where it could not be told.

    Not `trusted`: found where the signal is poor.
    """

    t_s: float
    label: str
    trusted: bool


@dataclass(frozen=True, slots=True)
class Shade:
    """[start_s, end_s) of the strip that is poor, or `absent`."""

    start_s: float
    end_s: float
    reason: str
    absent: bool


@dataclass(frozen=True, slots=True, repr=False)
class Strip:
    """`lines`: (times in s from the start of the strip, values), each without a hole. `rr`: (middle in s, ms)."""

    choice: Choice
    start_s: float
    lines: tuple[tuple[Floats, Floats], ...]
    marks: tuple[Mark, ...]
    shades: tuple[Shade, ...]
    rr: tuple[tuple[float, float], ...]

    def __repr__(self) -> str:
        return f"<Strip start_s={self.start_s}>"

    @property
    def rate_bpm(self) -> float | None:
        """60 / mean of the trusted intervals that lie wholly in the strip."""
        return 60_000.0 * len(self.rr) / sum(rr_ms for _, rr_ms in self.rr) if len(self.rr) > 1 else None


def strips(source: FileSource, analysis: Analysis, trace: Trace, choices: Sequence[Choice]) -> list[Strip]:
    """Reads the record once more, up to the last choice. Raises FileFormatError as the first reading did."""
    blocks = _read(source, analysis.channel, choices)
    at_ns = [beat.t_ns for beat in analysis.beats]
    trusted = {beat.t_ns: beat for beat in trace.beats}
    kinds = {one.t_ns: one.label for one in analysis.types}
    made = []
    for choice, mine in zip(choices, blocks, strict=True):
        first, last = bisect_left(at_ns, choice.start_ns), bisect_left(at_ns, choice.start_ns + STRIP_NS)
        beats = analysis.beats[first:last]
        lines = tuple(_lines(mine, choice.start_ns))
        made.append(
            Strip(
                choice,
                (choice.start_ns - analysis.start_ns) / _S,
                lines,
                tuple(
                    _mark(beat, kinds.get(beat.t_ns, beat.label), choice.start_ns, beat.t_ns in trusted)
                    for beat in beats
                ),
                tuple(_shades(analysis, trace, choice.start_ns, lines)),
                tuple(_rr([trusted[b.t_ns] for b in beats if b.t_ns in trusted], choice.start_ns)),
            )
        )
    return made


def _read(source: FileSource, channel: str | None, choices: Sequence[Choice]) -> list[list[Samples]]:
    """The parts of `channel`'s blocks that lie in each choice."""
    found: list[list[Samples]] = [[] for _ in choices]
    if channel is None or not choices:
        return found
    last_ns = max(choice.start_ns for choice in choices) + STRIP_NS
    for item in source.items([channel], _BLOCK_S):
        if not isinstance(item, Samples) or item.channel != channel or item.kind not in (Kind.ECG, Kind.PPG):
            continue
        if item.start_ns >= last_ns:
            break
        for choice, mine in zip(choices, found, strict=True):
            if item.start_ns < choice.start_ns + STRIP_NS and item.end_ns > choice.start_ns:
                first = round((choice.start_ns - item.start_ns) / item.step_ns)
                last = round((choice.start_ns + STRIP_NS - item.start_ns) / item.step_ns)
                part = item.cut(max(0, first), min(len(item), last + 1))
                # a copy: the block itself is to go
                mine.append(Samples(*_fields(part), values=part.values.copy()))
    return found


def _fields(part: Samples) -> tuple[Kind, str, float, int, float, int]:
    return part.kind, part.channel, part.fs_hz, part.anchor_ns, part.step_ns, part.offset


def _lines(blocks: Sequence[Samples], start_ns: int) -> list[tuple[Floats, Floats]]:
    """Blocks that touch as one line."""
    lines: list[list[tuple[Floats, Floats]]] = []
    reached_ns: float | None = None
    for block in blocks:
        if not len(block):
            continue
        t_s: Floats = (block.anchor_ns - start_ns + (block.offset + np.arange(len(block))) * block.step_ns).astype(
            np.float64
        ) / _S
        if reached_ns is None or abs(block.start_ns - reached_ns) > (_JOINED - 1) * block.step_ns:
            lines.append([])
        lines[-1].append((t_s, block.values))
        reached_ns = block.end_ns
    return [(np.concatenate([t for t, _ in line]), np.concatenate([v for _, v in line])) for line in lines]


def _mark(beat: Beat, label: BeatLabel | None, start_ns: int, trusted: bool) -> Mark:
    shown = "" if label is None or label is BeatLabel.N else label.value
    return Mark((beat.t_ns - start_ns) / _S, shown, trusted)


def _rr(beats: Sequence[Beat], start_ns: int) -> list[tuple[float, float]]:
    """Of intervals that lie wholly in the strip."""
    rows = []
    for beat in beats:
        if beat.rr_s is not None and beat.t_ns - round(beat.rr_s * _S) >= start_ns:
            rows.append(((beat.t_ns - start_ns) / _S - beat.rr_s / 2, beat.rr_s * 1000.0))
    return rows


def _shades(analysis: Analysis, trace: Trace, start_ns: int, lines: Sequence[tuple[Floats, Floats]]) -> list[Shade]:
    """What is absent, also where no gap says so, and what is poor outside of it."""
    end_ns = start_ns + STRIP_NS
    absent = [(max(g.start_ns, start_ns), min(g.end_ns, end_ns), g.reason.value) for g in analysis.gaps]
    absent = [span for span in absent if span[1] > span[0]]
    if analysis.end_ns < end_ns:
        absent.append((max(start_ns, analysis.end_ns), end_ns, "end of the record"))
    for first, last in _holes_ns(lines, start_ns):
        if all(first >= gap_last or last <= gap_first for gap_first, gap_last, _ in absent):
            absent.append((first, last, "no signal"))
    shades = [(first, last, reason, True) for first, last, reason in absent]
    for stretch in trace.poor:  # a gap is not poor as well
        first, last = max(stretch.start_ns, start_ns), min(stretch.end_ns, end_ns)
        for hole_first, hole_last, _ in sorted(absent):
            if hole_first > first:
                shades.append((first, min(last, hole_first), stretch.reason or "poor", False))
            first = max(first, hole_last)
        shades.append((first, last, stretch.reason or "poor", False))
    told = [
        Shade((first - start_ns) / _S, (last - start_ns) / _S, reason.replace("_", " "), missing)
        for first, last, reason, missing in shades
        if last > first
    ]
    return sorted(told, key=lambda shade: shade.start_s)


def _holes_ns(lines: Sequence[tuple[Floats, Floats]], start_ns: int) -> list[tuple[int, int]]:
    """Longer than a twentieth of a second, which a picture shows."""
    edges_s = [0.0]
    for t_s, _ in lines:
        edges_s += [float(t_s[0]), float(t_s[-1])]
    edges_s.append(STRIP_NS / _S)
    pairs = zip(edges_s[::2], edges_s[1::2], strict=True)
    return [(start_ns + round(a * _S), start_ns + round(b * _S)) for a, b in pairs if b - a > 0.05]
