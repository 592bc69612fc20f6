"""How the live view looks: a pure function of what is known, the size of the terminal, and nothing else.

Every line is made to fit, so nothing wraps or scrolls; where there is no trust there is no number, but a word.
"""

from __future__ import annotations

from rich.text import Text

from device_pipeline.beat import BeatSource
from vitalkeep.cli.app import NOT_MEDICAL
from vitalkeep.cli.live_state import Shown, time_of_day, words
from vitalkeep.cli.live_wave import wave
from vitalkeep.cli.pictures import DIGIT_ROWS, bars, clock, digits

FOOT = f"Nothing leaves this device. {NOT_MEDICAL}"

_WIDEST = 160
_LEAST_WIDTH, _LEAST_HEIGHT = 56, 17  # below, the numbers alone are shown
_SOURCE = {BeatSource.ECG: "ECG", BeatSource.PPG: "pulse wave", BeatSource.RR: "the sensor"}


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
    lines += wave(shown, width, wave_rows)
    lines += _numbers(shown, width)
    lines += _trend(shown, width, trend_rows)
    if shown.beside:
        lines.append(Text(f" {shown.beside}"))
    lines.append(Text("── what happened " + "─" * (width - 17), style="dim"))
    lines += _events(shown, width, min(left - wave_rows - bool(shown.beside), 14))
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


# -- the numbers


def _numbers(shown: Shown, width: int) -> list[Text]:
    third = width // 3
    rate, signal, rhythm = _rate(shown), _signal(shown), _rhythm(shown, third)
    last = "rhythm, variability" if third > 20 else "rhythm"
    titles = [Text(title, style="dim") for title in ("heart rate", "signal", last)]
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
