"""The live view: the wave as it comes, the rate, how far the signal can be trusted, and what happened."""

from __future__ import annotations

import math
import time
from collections import deque
from datetime import datetime

from rich.align import Align
from rich.console import Console, Group
from rich.layout import Layout
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from device_pipeline.alerts.alert import Alert
from device_pipeline.beat import Beat, BeatSource, Quality
from device_pipeline.config import Limits
from device_pipeline.hrv import Hrv
from device_pipeline.rhythm import RhythmSpan
from device_pipeline.run import Finding
from device_pipeline.track import Window
from device_pipeline.windows import HeartRate
from sensors.samples import Gap, GapReason, Item, Kind, Samples
from vitalkeep.cli.app import NOT_MEDICAL
from vitalkeep.cli.pictures import sparkline, strip

_SHOWN_S = 6.0
_REFRESH_S = 0.1
_STRIP_HEIGHT = 7
_RATE_BEATS = 6
_FRESH_S = 6.0
_EVENTS = 8
_TREND = 120
_REASON = {
    None: "",
    "off_body": "not worn",
    "link_lost": "out of reach",
    "flat_line": "flat line",
    "silent": "silent",
    "noise": "too much noise",
    "too_few_beats": "no beats to count",
}


class LiveView:
    """A Watcher. `open` and `close` frame it; it draws at most ten times a second."""

    def __init__(self, name: str, speed: float | None, limits: Limits, console: Console | None = None) -> None:
        self._name = name
        self._speed = "as fast as it can" if speed is None else f"{speed:g}x"
        self._limits = limits
        self._console = console or Console()
        self._live: Live | None = None
        self._drawn_s = 0.0
        self._first_ns: int | None = None
        self._now_ns = 0
        self._wave: deque[Samples] = deque()
        self._beats: deque[Beat] = deque(maxlen=64)
        self._quality: Quality | None = None
        self._absent: Gap | None = None
        self._rates: deque[float | None] = deque(maxlen=_TREND)
        self._hrv: Hrv | None = None
        self._source: BeatSource | None = None
        self._events: deque[Text] = deque(maxlen=_EVENTS)
        self._open_alerts: dict[str, Alert] = {}
        self._last_gap: Gap | None = None

    def open(self) -> None:
        self._live = Live(console=self._console, auto_refresh=False, screen=False, transient=True)
        self._live.start()

    def close(self) -> None:
        if self._live is not None:
            self._live.update(self.picture(), refresh=True)
            self._live.stop()
            self._live = None

    # -- what happens

    def item(self, item: Item) -> None:
        if isinstance(item, Samples):
            self._reach(item.end_ns)
            if item.kind in (Kind.ECG, Kind.PPG):
                self._wave.append(item)
                while self._wave and self._wave[0].end_ns < self._now_ns - _SHOWN_S * 1e9:
                    self._wave.popleft()
        elif isinstance(item, Gap):
            self._reach(item.end_ns)
        else:
            self._reach(item.t_ns)
        self._draw()

    def finding(self, finding: Finding) -> None:
        match finding:
            case Beat():
                self._beats.append(finding)
            case Quality():
                self._quality, self._absent = finding, None
            case Gap():
                self._absent = finding
                self._gap(finding)
            case Window():
                self._source = finding.source
            case HeartRate():
                self._rates.append(finding.bpm)
            case Hrv():
                if finding.values is not None:
                    self._hrv = finding
            case RhythmSpan():
                pass
            case Alert():
                self._alert(finding)

    def tick(self) -> None:
        self._draw()

    def trouble(self, message: str) -> None:
        self._events.append(Text(message, style="red"))

    def _reach(self, t_ns: int) -> None:
        if self._first_ns is None:
            self._first_ns = t_ns
        self._now_ns = max(self._now_ns, t_ns)

    def _gap(self, gap: Gap) -> None:
        last = self._last_gap
        if last is None or gap.reason is not last.reason or gap.start_ns - last.end_ns > 1e9:
            self._event(gap.start_ns, _words(gap.reason), "yellow")
        self._last_gap = gap

    def _alert(self, alert: Alert) -> None:
        name = alert.rule.replace("_", " ")
        if alert.end_ns is None:
            self._open_alerts[alert.rule] = alert
            self._event(alert.raised_ns, f"ALERT {name}: {alert.text}", "bold red")
        else:
            self._open_alerts.pop(alert.rule, None)
            self._event(alert.end_ns, f"over: {name}, after {(alert.end_ns - alert.start_ns) / 1e9:.0f} s", "green")

    def _event(self, t_ns: int, words: str, style: str) -> None:
        line = Text(f"{_time(t_ns)}  ", style="dim", no_wrap=True, overflow="ellipsis")
        self._events.append(line + Text(words, style=style))

    # -- how it looks

    def _draw(self) -> None:
        now_s = time.monotonic()
        if self._live is not None and now_s - self._drawn_s >= _REFRESH_S:
            self._drawn_s = now_s
            self._live.update(self.picture(), refresh=True)

    def picture(self) -> Layout | Group:
        """The whole view as it is now."""
        width = max(40, min(self._console.width, 120))
        numbers = Table.grid(expand=True, padding=(0, 2))
        for _ in range(3):
            numbers.add_column(ratio=1)
        numbers.add_row(self._rate_text(), self._signal_text(), self._hrv_text())
        trend = Text(sparkline(list(self._rates), width - 16), style="red")
        events = Group(*self._events) if self._events else Text("nothing yet", style="dim")
        return Group(
            Panel(
                self._wave_text(width - 4),
                title=Text(self._name, style="bold"),
                title_align="left",
                subtitle=Text(f"{_time(self._now_ns)}  {self._speed}", style="dim"),
                subtitle_align="right",
                width=width,
            ),
            Panel(Group(numbers, Text("trend  ", style="dim") + trend), width=width),
            Panel(events, title="what happened", title_align="left", width=width, height=_EVENTS + 2),
            Align(Text("Nothing leaves this device. " + NOT_MEDICAL, style="dim"), width=width),
        )

    def _wave_text(self, width: int) -> Text:
        low_ns = self._now_ns - round(_SHOWN_S * 1e9)
        highs: list[float] = []
        points: list[list[float]] = [[] for _ in range(2 * width)]
        for block in self._wave:
            scale = 2 * width / (_SHOWN_S * 1e9)
            for k, value in enumerate(block.values.tolist()):
                at = int((block.t_ns(k) - low_ns) * scale)
                if 0 <= at < len(points):
                    points[at].append(value)
                    highs.append(value)
        if not highs:
            blank = ["\n"] * (_STRIP_HEIGHT // 2) + [
                _words(self._absent.reason) if self._absent else "waiting for the sensor"
            ]
            return Text("".join(blank) + "\n" * (_STRIP_HEIGHT - _STRIP_HEIGHT // 2), style="dim", justify="center")
        low, high = min(highs), max(highs)
        if high - low < 0.2:
            middle = (high + low) / 2
            low, high = middle - 0.1, middle + 0.1
        lines = strip(_even(points), width, _STRIP_HEIGHT, low, high)
        marks = [" "] * width
        for beat in self._beats:
            if beat.source is not self._source:
                continue
            at = int((beat.t_ns - low_ns) * width / (_SHOWN_S * 1e9))
            if 0 <= at < width:
                marks[at] = "▾"
        return Text("".join(marks) + "\n", style="red") + Text("\n".join(lines), style="green")

    def _rate_text(self) -> Text:
        recent = [
            beat.rr_s
            for beat in list(self._beats)[-_RATE_BEATS:]
            if beat.rr_s is not None and beat.source is self._source and self._now_ns - beat.t_ns < _FRESH_S * 1e9
        ]
        title = Text("heart rate\n", style="dim")
        if not recent or self._why_not():
            return title + Text("– – –", style="bold") + Text(f"  {self._why_not() or 'wait'}", style="yellow")
        bpm = 60.0 * len(recent) / sum(recent)
        beyond = bpm >= self._limits.tachycardia_bpm or bpm <= self._limits.bradycardia_bpm
        return title + Text(f"{bpm:.0f} bpm", style="bold red" if beyond else "bold") + Text(f"  from {self._source}")

    def _signal_text(self) -> Text:
        title = Text("signal\n", style="dim")
        if self._absent is not None:
            return title + Text("no data", style="bold yellow") + Text(f"  {_words(self._absent.reason)}")
        if self._quality is None:
            return title + Text("–")
        filled = round(self._quality.index * 10)
        style = "green" if self._quality.good else "yellow"
        words = "good" if self._quality.good else f"poor: {_words(self._quality.reason)}"
        return title + Text("█" * filled + "░" * (10 - filled), style=style) + Text(f"  {words}")

    def _hrv_text(self) -> Text:
        rhythm = "irregular_rhythm" in self._open_alerts
        title = Text("variability (5 min)\n", style="dim")
        if self._hrv is None or self._hrv.values is None:
            body = Text("after five minutes", style="dim")
        else:
            rmssd, sdnn = self._hrv.values.get("rmssd_ms"), self._hrv.values.get("sdnn_ms")
            body = Text(f"RMSSD {_ms(rmssd)}  SDNN {_ms(sdnn)}")
        return title + body + (Text("\nirregular rhythm", style="bold red") if rhythm else Text("\n"))

    def _why_not(self) -> str:
        if self._absent is not None:
            return _words(self._absent.reason)
        if self._quality is not None and not self._quality.good:
            return _words(self._quality.reason)
        return ""


def _even(points: list[list[float]]) -> list[float]:
    """As many values a column, so that the strip can be cut into columns again: lowest and highest of each."""
    pairs = [(min(column), max(column)) if column else (math.nan, math.nan) for column in points]
    return [value for pair in pairs for value in pair]


def _ms(value: float | None) -> str:
    return "–" if value is None else f"{value:.0f} ms"


def _words(reason: str | GapReason | None) -> str:
    return _REASON.get(reason, (reason or "").replace("_", " "))


def _time(t_ns: int) -> str:
    return datetime.fromtimestamp(t_ns / 1e9).astimezone().strftime("%H:%M:%S")
