"""How the live view looks: a pure function of what is known, the size of the terminal, and nothing else.

Every line is made to fit, so nothing wraps or scrolls; where there is no trust there is no number, but a word.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from rich.text import Text

from device_pipeline.alerts.alert import Alert
from device_pipeline.beat import Beat, BeatSource, Quality
from device_pipeline.config import Limits
from device_pipeline.hrv import Hrv
from device_pipeline.windows import HeartRate
from sensors.samples import Gap, Kind, Samples
from vitalkeep.cli.app import NOT_MEDICAL
from vitalkeep.cli.pictures import DIGIT_ROWS, DOT_COLUMNS, DOT_ROWS, bars, clock, digits, dot_row, strip

FOOT = f"Nothing leaves this device. {NOT_MEDICAL}"
LONGEST_SHOWN_S = 12.0

_COLUMNS_PER_S = 13  # one paper speed, however wide the terminal
_WIDEST = 120
_GUTTER = 8
_LEAST_WIDTH, _LEAST_HEIGHT = 56, 17  # below, the numbers alone are shown
_INTERVALS_SHOWN_S = 60.0
_RATE_BEATS = 6
_RATE_FRESH_NS = 6_000_000_000
_SPANS_MV = (0.5, 0.75, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 7.5, 10.0, 15.0, 20.0)
_BARS_MV = (10.0, 5.0, 2.0, 1.0, 0.5, 0.2)
_WORDS = {
    "off_body": "not worn",
    "link_lost": "out of reach",
    "lost_frame": "part of it was lost on the way",
    "flat_line": "flat line",
    "silent": "the sensor is silent",
    "undecodable": "what came cannot be read",
    "clock_jump": "the sensor's clock jumped",
    "missing": "marked as missing",
    "truncated": "the recording is cut short",
    "noise": "noise",
    "motion": "motion",
    "clipped": "clipped",
    "baseline": "baseline wanders",
    "low_amplitude": "too small",
    "low_perfusion": "too small",
    "no_beats": "no beats in it",
    "too_few_beats": "too few beats",
    "too_short": "too short",
    "irregular": "irregular rhythm",
    "poor_signal": "poor signal",
    "no_data": "no data",
}
_SOURCE = {BeatSource.ECG: "ECG", BeatSource.PPG: "pulse wave", BeatSource.RR: "the sensor"}


@dataclass(slots=True)
class Scale:
    """What lies at the bottom and the top of the strip. It holds still, so that heights can be compared."""

    low: float = 0.0
    high: float = 0.0

    def fit(self, lowest: float, highest: float, is_mv: bool) -> None:
        """Moves only where the wave would leave the strip, or has long filled little of it."""
        span, wanted = self.high - self.low, highest - lowest
        inside = span > 0 and self.low <= lowest and highest <= self.high
        if inside and wanted > 0.4 * span:
            return
        roomy = 1.1 * wanted
        fitting = (span for span in _SPANS_MV if span >= roomy)
        new = next(fitting, roomy) if is_mv else 1.4 * wanted or 1.0
        if inside and new >= span:
            return
        middle = (lowest + highest) / 2
        self.low, self.high = middle - new / 2, middle + new / 2


@dataclass(slots=True, repr=False)
class Shown:
    """Everything that is known and shown."""

    name: str
    pace: str
    limits: Limits
    started: bool = False
    now_ns: int = 0
    silent_s: float | None = None  # nothing has come for so long
    kind: Kind | None = None
    wave: deque[Samples] = field(default_factory=deque)
    scale: Scale = field(default_factory=Scale)
    beats: deque[Beat] = field(default_factory=lambda: deque(maxlen=256))
    source: BeatSource | None = None
    quality: Quality | None = None
    absent: Gap | None = None
    rates: deque[HeartRate] = field(default_factory=lambda: deque(maxlen=_WIDEST))
    hrv: Hrv | None = None
    events: deque[tuple[int, str, str]] = field(default_factory=lambda: deque(maxlen=24))  # (t_ns, words, style)
    alerts: dict[str, Alert] = field(default_factory=dict)

    @property
    def why_not(self) -> str:
        """Why there is no number now; empty where there can be one."""
        if not self.started:
            return "waiting for the sensor"
        if self.silent_s is not None:
            return f"nothing has come for {self.silent_s:.0f} s"
        if self.absent is not None:
            return words(self.absent.reason)
        if self.quality is not None and not self.quality.good:
            return words(self.quality.reason or "poor_signal")
        return ""

    @property
    def rate_bpm(self) -> float | None:
        """Mean over the newest intervals; None unless the signal is good now."""
        if self.why_not:
            return None
        recent = [
            beat.rr_s
            for beat in list(self.beats)[-_RATE_BEATS:]
            if beat.rr_s is not None and beat.source is self.source and self.now_ns - beat.t_ns < _RATE_FRESH_NS
        ]
        return 60.0 * len(recent) / sum(recent) if len(recent) > 1 else None


def words(reason: str) -> str:
    return _WORDS.get(reason, reason.replace("_", " "))


def time_of_day(t_ns: int) -> str:
    return datetime.fromtimestamp(t_ns / 1e9).astimezone().strftime("%H:%M:%S")


def draw(shown: Shown, width: int, height: int) -> list[Text]:
    """At most `height` lines of at most `width` columns."""
    width = max(1, min(width, _WIDEST))
    if width < _LEAST_WIDTH or height < _LEAST_HEIGHT:
        return _small(shown, width, height)
    foot = _wrapped(FOOT, width - 2, "dim")[:3]
    trend_rows = 3 if height >= 34 else 2 if height >= 22 else 0
    left = height - (2 + 3 + 1 + DIGIT_ROWS + trend_rows + 1 + len(foot))
    wave_rows = min(14, max(2, round(left * 0.6)))
    lines = [_title(shown, width), _status(shown, width)]
    lines += _wave(shown, width, wave_rows)
    lines += _numbers(shown, width)
    lines += _trend(shown, width, trend_rows)
    lines.append(Text("── what happened " + "─" * (width - 17), style="dim"))
    lines += _events(shown, width, min(left - wave_rows, 14))
    lines += [_joined(Text(" "), line) for line in foot]
    return [_fitted(line, width) for line in lines][:height]


def _small(shown: Shown, width: int, height: int) -> list[Text]:
    """What matters most comes first."""
    bpm = shown.rate_bpm
    number = "– – –" if bpm is None else f"{bpm:.0f} bpm"
    rate = Text.assemble((number, "bold"), (f"  {shown.why_not}", "yellow"))
    lines = [_status(shown, width), rate]
    if height > 3:
        lines.append(_signal(shown)[0])
    foot = _wrapped(NOT_MEDICAL, width, "dim")[: max(1, height // 4)]
    room = height - len(lines) - len(foot)
    if room > 0:
        lines += _events(shown, width, room)
    return [_fitted(line, width) for line in [*lines, *foot]][: max(1, height)]


def _joined(*parts: Text) -> Text:
    """Each part keeps its style and lends it to no other."""
    return Text.assemble(*parts)


def _fitted(line: Text, width: int) -> Text:
    line.no_wrap = True
    line.truncate(width, overflow="ellipsis")
    return line


def _wrapped(sentence: str, width: int, style: str) -> list[Text]:
    lines: list[str] = []
    for word in sentence.split():
        if lines and len(lines[-1]) + 1 + len(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return [Text(line, style=style) for line in lines]


def _beside(left: Text, right: Text, width: int) -> Text:
    left.truncate(max(0, width - right.cell_len - 1), overflow="ellipsis", pad=True)
    return _joined(left, Text(" "), right)


def _title(shown: Shown, width: int) -> Text:
    when = f"{time_of_day(shown.now_ns)}  {shown.pace}" if shown.started else shown.pace
    return _beside(Text(f" vitalkeep  {shown.name}", style="bold"), Text(f"{when} ", style="dim"), width)


def _status(shown: Shown, width: int) -> Text:
    if shown.alerts:
        parts = [
            f"{alert.rule.replace('_', ' ')} since {time_of_day(alert.start_ns)}" for alert in shown.alerts.values()
        ]
        line = Text(f" ALERT  {', '.join(parts)}", style="bold reverse red")
        line.truncate(width, overflow="ellipsis", pad=True)
        return line
    if not shown.started or shown.silent_s is not None:
        return Text(f" ○ {shown.why_not}", style="yellow")
    if shown.absent is not None:
        return Text(f" ○ no data: {shown.why_not}", style="yellow")
    if shown.why_not:
        return Text(f" ○ the signal is too poor to read: {shown.why_not}", style="yellow")
    if shown.source is None:
        return Text(" ○ the sensor is there, nothing is known yet", style="dim")
    return Text.assemble((" ● reading", "green"), (", no alert is open", "dim"))


# -- the wave


def _wave(shown: Shown, width: int, rows: int) -> list[Text]:
    """The strip in its frame: the newest sample at the right edge, a mark above every beat, a tick every second.

    A sensor without a wave shows the length of its intervals instead, over a minute.
    """
    cells = width - _GUTTER - 3
    waveless = shown.kind is None and shown.source is BeatSource.RR
    shown_s = _INTERVALS_SHOWN_S if waveless else min(LONGEST_SHOWN_S, cells / _COLUMNS_PER_S)
    tick_s = 10 if waveless else 1
    title = {Kind.ECG: " ECG ", Kind.PPG: " pulse wave, own scale "}.get(shown.kind or Kind.ACC, " wave ")
    title = " intervals between beats " if waveless else title
    top = Text.assemble(("╭─", "dim"), (title, "bold"), ("─" * (width - 3 - len(title)) + "╮", "dim"))
    edge = ["─"] * cells
    for second in range(tick_s, int(shown_s) + 1, tick_s):
        edge[max(0, cells - 1 - round(second * cells / shown_s))] = "┴"
    label = f" ticks {tick_s} s "
    floor = "╰" + "─" * (_GUTTER + 1) + "".join(edge) + "╯"
    bottom = Text(floor[: width - 2 - len(label)] + label + floor[width - 2 :], style="dim")
    columns = _interval_columns(shown, cells, shown_s) if waveless else _columns(shown, cells, shown_s)
    known = [column for column in columns if column is not None]
    bar = Text("│", style="dim")
    blank = " " * (_GUTTER + 1)
    if not known:
        body = [Text(" " * (width - 2)) for _ in range(rows + 1)]
        said = shown.why_not or "nothing yet"
        body[rows // 2] = Text(said.center(width - 2)[: width - 2], style="yellow" if shown.started else "dim")
    else:
        low, high = min(low for low, _ in known), max(high for _, high in known)
        if waveless:  # whole tenths of a second
            low, high = 100 * np.floor(low / 100), 100 * np.floor(high / 100 + 1)
            gutter = [f"{high:.0f} ms ", *[""] * (rows - 2), f"{low:.0f} ms "]
        else:
            shown.scale.fit(low, high, shown.kind is Kind.ECG)
            low, high = shown.scale.low, shown.scale.high
            gutter = _ruler(rows, low, high) if shown.kind is Kind.ECG else [""] * rows
        style = "green" if not shown.why_not else "yellow"
        marks = " " * cells if waveless else _marks(shown, cells, shown_s)
        body = [Text.assemble(blank, (marks, "bold red"))]
        for left, line in zip(gutter, strip(columns, rows, low, high), strict=True):
            body.append(Text.assemble((f"{left:>{_GUTTER}} ", "dim"), (line, style)))
    return [top, *(_joined(bar, line, bar) for line in body), bottom]


def _columns(shown: Shown, cells: int, shown_s: float) -> list[tuple[float, float] | None]:
    n = DOT_COLUMNS * cells
    lowest, highest = np.full(n, np.inf), np.full(n, -np.inf)
    per_ns = n / (shown_s * 1e9)
    for block in shown.wave:
        first = (block.start_ns - (shown.now_ns - shown_s * 1e9)) * per_ns
        at = np.floor(first + np.arange(len(block)) * (block.step_ns * per_ns)).astype(np.int64)
        inside = (at >= 0) & (at < n)
        np.minimum.at(lowest, at[inside], block.values[inside])
        np.maximum.at(highest, at[inside], block.values[inside])
        # Where samples come less often than columns, each holds until the next.
        filled = at[inside]
        for column in np.setdiff1d(np.arange(filled[0], filled[-1] + 1), filled) if len(filled) else ():
            lowest[column], highest[column] = lowest[column - 1], highest[column - 1]
    pairs = zip(lowest.tolist(), highest.tolist(), strict=True)
    return [None if low > high else (low, high) for low, high in pairs]


def _interval_columns(shown: Shown, cells: int, shown_s: float) -> list[tuple[float, float] | None]:
    """Each interval from its first beat to its last, in ms."""
    n = DOT_COLUMNS * cells
    columns: list[tuple[float, float] | None] = [None] * n
    per_ns = n / (shown_s * 1e9)
    for beat in shown.beats:
        if beat.rr_s is None or beat.source is not shown.source:
            continue
        end = n - (shown.now_ns - beat.t_ns) * per_ns
        for column in range(max(0, int(end - beat.rr_s * 1e9 * per_ns)), min(n, max(0, int(end)))):
            columns[column] = (beat.rr_s * 1e3, beat.rr_s * 1e3)
    return columns


def _marks(shown: Shown, cells: int, shown_s: float) -> str:
    marks = [" "] * cells
    for beat in shown.beats:
        at = int(cells - (shown.now_ns - beat.t_ns) * cells / (shown_s * 1e9))
        if beat.source is shown.source and 0 <= at < cells:
            marks[at] = "▾"
    return "".join(marks)


def _ruler(rows: int, low: float, high: float) -> list[str]:
    """A bar of stated height in mV, as on ECG paper."""
    bar_mv = next((bar for bar in _BARS_MV if bar <= 0.7 * (high - low)), _BARS_MV[-1])
    middle = (low + high) / 2
    top, bottom = (dot_row(middle + sign * bar_mv / 2, rows, low, high) for sign in (1, -1))
    lines = strip([(middle - bar_mv / 2, middle + bar_mv / 2), None], rows, low, high)
    label = f"{bar_mv:g} mV"
    at = (top + bottom) // 2 // DOT_ROWS
    return [f"{label if row == at else '':>{_GUTTER - 2}} {line}" for row, line in enumerate(lines)]


# -- the numbers


def _numbers(shown: Shown, width: int) -> list[Text]:
    third = width // 3
    rate, signal, rhythm = _rate(shown), _signal(shown), _rhythm(shown, third)
    titles = [Text(title, style="dim") for title in ("heart rate", "signal", "rhythm, variability")]
    lines = []
    for row in zip((titles[0], *rate), (titles[1], *signal), (titles[2], *rhythm), strict=True):
        for cell in row:
            cell.truncate(third - 2, overflow="ellipsis", pad=True)
        lines.append(_joined(*(part for cell in row for part in (Text(" "), cell, Text(" ")))))
    return lines


def _rate(shown: Shown) -> list[Text]:
    bpm = shown.rate_bpm
    if bpm is None:
        return [Text(""), Text("– – –", style="bold"), Text("")]
    fast, slow = bpm >= shown.limits.tachycardia_bpm, bpm <= shown.limits.bradycardia_bpm
    beside = ["bpm", f"by {_SOURCE.get(shown.source, '')}" if shown.source else "", ""]
    if fast or slow:
        beside[2] = "above limit" if fast else "below limit"
    style = "bold red" if fast or slow else "bold"
    return [
        Text.assemble((line, style), (f"  {word}", "" if row == 0 else "red" if row == 2 else "dim"))
        for row, (line, word) in enumerate(zip(digits(round(bpm)), beside, strict=True))
    ]


def _signal(shown: Shown) -> list[Text]:
    quality = shown.quality
    if shown.why_not and (not shown.started or shown.silent_s is not None or shown.absent is not None):
        return [Text("no data", style="bold yellow"), Text(shown.why_not, style="yellow"), Text("")]
    if quality is None:
        why = "not judged yet" if shown.source is not BeatSource.RR else "this sensor tells none"
        return [Text("–", style="bold"), Text(why, style="dim"), Text("")]
    full = round(quality.index * 10)
    style = "green" if quality.good else "yellow"
    word = "  good" if quality.good else "  poor"
    line = Text.assemble(("█" * full, style), ("░" * (10 - full), "dim"), (word, f"bold {style}"))
    return [line, Text("" if quality.good else shown.why_not, style="yellow"), Text("")]


def _rhythm(shown: Shown, room: int) -> list[Text]:
    if "irregular_rhythm" in shown.alerts:
        rhythm = Text("irregular when last seen" if shown.why_not else "irregular", style="bold red")
    else:
        rhythm = Text("no rhythm alert", style="dim")
    hrv = shown.hrv
    if hrv is None:
        return [rhythm, Text("every five minutes", style="dim"), Text("")]
    over = f"{hrv.length_ns / 60e9:.0f} min from {time_of_day(hrv.start_ns)[:5]}"
    if hrv.values is None:
        return [rhythm, Text(f"none: {words(hrv.reason or '')}"), Text(over, style="dim")]
    told = [f"{name} {_ms(hrv.values.get(key))}" for name, key in (("RMSSD", "rmssd_ms"), ("SDNN", "sdnn_ms"))]
    return [rhythm, Text("  ".join(told)), Text(over, style="dim")]


def _ms(value: float | None) -> str:
    return "–" if value is None else f"{value:.0f} ms"


def _trend(shown: Shown, width: int, rows: int) -> list[Text]:
    if not rows:
        return []
    room = width - 12
    rates = list(shown.rates)[-room:]
    known = [rate.bpm for rate in rates if rate.bpm is not None]
    if not known:
        empty = Text(" trend  no heart rate yet", style="dim")
        return [empty, *(Text("") for _ in range(rows - 1))]
    lines = bars([rate.bpm for rate in rates], room, rows)
    labels = [""] * rows
    labels[0], labels[-1] = f"{max(known):.0f}", f"{min(known):.0f}"
    long = f" {clock((rates[-1].start_ns + rates[-1].length_ns - rates[0].start_ns) / 1e9)}"
    out = []
    for row, (label, line) in enumerate(zip(labels, lines, strict=True)):
        name = {0: "trend", rows - 1: "bpm"}.get(row, "")
        out.append(Text.assemble((f" {name:<5} {label:>3} ", "dim"), (line, "red")))
    if len(rates) + len(long) <= room:
        out[-1].append(f" in{long}", "dim")
    return out


def _events(shown: Shown, width: int, rows: int) -> list[Text]:
    """The newest at the bottom; long ones take more than a line while there is room."""
    if not shown.events:
        return [Text(" nothing yet", style="dim"), *(Text("") for _ in range(rows - 1))]
    lines: list[Text] = []
    for t_ns, said, style in reversed(shown.events):
        mine = _wrapped(said, max(8, width - 11), style)
        heads = [f" {time_of_day(t_ns)} ", *(" " * 10 for _ in mine[1:])]
        if len(lines) + len(mine) > rows:
            if lines:
                break
            mine = mine[:rows]
        lines = [*(_joined(Text(head, style="dim"), line) for head, line in zip(heads, mine, strict=False)), *lines]
    return [*lines, *(Text("") for _ in range(rows - len(lines)))]
