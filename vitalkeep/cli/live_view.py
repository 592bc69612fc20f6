"""The live view: the wave as it comes, the rate, how far the signal can be trusted, and what happened.

It only looks: nothing it does changes what is stored or told. It draws what changed, at most ten times a second.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from device_pipeline.alerts.alert import Alert
from device_pipeline.beat import Beat, Quality
from device_pipeline.beat_types import BeatType
from device_pipeline.config import Limits
from device_pipeline.effort import Effort
from device_pipeline.hrv import Hrv
from device_pipeline.motion.activity import Activity
from device_pipeline.oximetry.spo2 import Spo2
from device_pipeline.rhythm import RhythmSpan
from device_pipeline.run import Finding
from device_pipeline.temperature.temperature import Temperature
from device_pipeline.track import Window
from device_pipeline.windows import HeartRate
from sensors.samples import Gap, GapReason, Item, Kind, Reading, Samples
from vitalkeep.cli.live_picture import draw
from vitalkeep.cli.live_state import LONGEST_SHOWN_S, Shown, words
from vitalkeep.cli.pictures import ascii_only
from vitalkeep.cli.say import say

_REFRESH_S = 0.1
_RARE_REFRESH_S = 1.0
_STALE_S = 3.0  # sensors send once a second or more often
_BRIEF_NS = 1_500_000_000  # a shorter hole is an event, but no state
_SAME_NS = 1_000_000_000  # gaps of one reason this close are told once


class LiveView:
    """A Watcher. `open` and `close` frame it; `now_s` is a clock that only ever goes forward, in seconds."""

    def __init__(
        self,
        name: str,
        speed: float | None,
        limits: Limits,
        console: Console | None = None,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        pace = "as fast as it can" if speed is None else "in real time" if speed == 1 else f"{speed:g} times as fast"
        self._shown = Shown(name, pace, limits)
        self._speed = speed or 1.0
        self._console = console or Console()
        self._now_s = now_s
        self._live: Live | None = None
        self._drawn_s = float("-inf")
        self._drawn: tuple[int, int, int] | None = None  # width, height, and seconds of silence of what was drawn last
        self._heard_s: float | None = None
        self._first_ns: int | None = None
        self._gaps: dict[GapReason, Gap] = {}  # the newest of each, joined
        self._troubles: list[str] = []
        self._effort = Effort()

    def heed(self, effort: Effort) -> None:
        """Draws once a second while the machine is spared."""
        self._effort = effort

    def open(self) -> None:
        """Takes the whole terminal, and gives it back as it was on `close`."""
        self._live = Live(console=self._console, auto_refresh=False, screen=True)
        self._live.start()

    def close(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None
        for message in self._troubles:  # what stood in the view went with it
            say(message)
        self._troubles.clear()

    # -- what happens

    def item(self, item: Item) -> None:
        self._heard_s, self._drawn = self._now_s(), None
        shown = self._shown
        shown.started, shown.silent_s = True, None
        if self._first_ns is None:
            self._first_ns = item.t_ns if isinstance(item, Reading) else item.start_ns
        if isinstance(item, Samples):
            shown.now_ns = max(shown.now_ns, item.end_ns)
            self._keep(item)
        else:
            shown.now_ns = max(shown.now_ns, item.end_ns if isinstance(item, Gap) else item.t_ns)
        self._draw()

    def finding(self, finding: Finding) -> None:
        shown, self._drawn = self._shown, None
        match finding:
            case Beat():
                shown.beats.append(finding)
            case BeatType():
                shown.tell_kind(finding)
            case Quality():
                shown.verdicts.append(finding)
                if shown.absent is not None and finding.end_ns > shown.absent.end_ns:
                    shown.absent = None
            case Gap():
                self._gap(finding)
            case Window():
                shown.source = finding.source
            case HeartRate():
                shown.rates.append(finding)
            case Hrv():
                if self._first_ns is not None and finding.start_ns >= self._first_ns:  # else it is not whole
                    shown.hrv = finding
            case Spo2():
                shown.oxygen = finding
            case Activity():
                shown.activity = finding
                if finding.steps is not None:
                    shown.steps = (shown.steps or 0) + finding.steps
            case Temperature():
                shown.temperature = finding
            case RhythmSpan():
                pass  # told when it has ended; the alert tells while it lasts
            case Alert():
                self._alert(finding)

    def tick(self) -> None:
        if self._heard_s is not None:
            stale_s = self._now_s() - self._heard_s
            self._shown.silent_s = stale_s * self._speed if stale_s >= _STALE_S else None
        self._draw()

    def trouble(self, message: str) -> None:
        if self._live is None:
            say(message)
            return
        self._drawn = None
        self._troubles.append(message)
        self._shown.events.append((self._shown.now_ns, message, "bold red"))

    def _keep(self, block: Samples) -> None:
        """The first wave that leads: an ECG, or a pulse wave where there is none."""
        shown = self._shown
        if block.kind not in (Kind.ECG, Kind.PPG) or (block.kind is Kind.PPG and shown.kind is Kind.ECG):
            return
        if block.kind is not shown.kind or (shown.wave and shown.wave[0].channel != block.channel):
            if block.kind is shown.kind:
                return
            shown.wave.clear()
            shown.kind = block.kind
        shown.wave.append(block)
        while shown.wave[0].end_ns < shown.now_ns - LONGEST_SHOWN_S * 1e9:
            shown.wave.popleft()

    def _gap(self, gap: Gap) -> None:
        shown, last = self._shown, self._gaps.get(gap.reason)
        if last is not None and gap.start_ns - last.end_ns <= _SAME_NS:
            whole = replace(gap, start_ns=last.start_ns, end_ns=max(last.end_ns, gap.end_ns))
        else:
            whole = gap
            shown.events.append((gap.start_ns, words(gap.reason), "yellow"))
        self._gaps[gap.reason] = whole
        newest = shown.quality is None or gap.end_ns >= shown.quality.end_ns or gap.reason is GapReason.OFF_BODY
        said = shown.absent is not None and shown.absent.reason is GapReason.OFF_BODY
        if newest and whole.end_ns - whole.start_ns >= _BRIEF_NS and not (said and gap.reason is GapReason.FLAT_LINE):
            shown.absent = whole

    def _alert(self, alert: Alert) -> None:
        shown, name = self._shown, alert.rule.replace("_", " ")
        if alert.end_ns is None:
            shown.alerts[alert.rule] = alert
            shown.events.append((alert.raised_ns, f"ALERT {name}: {alert.text}", "bold red"))
        else:
            shown.alerts.pop(alert.rule, None)
            long_s = (alert.end_ns - alert.start_ns) / 1e9
            shown.events.append((alert.end_ns, f"over: {name}, after {long_s:.0f} s", "green"))

    # -- how it looks

    def _draw(self) -> None:
        now_s = self._now_s()
        if self._live is None or now_s - self._drawn_s < (_RARE_REFRESH_S if self._effort.is_rare else _REFRESH_S):
            return
        width, height = self._console.size
        state = (width, height, round(self._shown.silent_s or 0))
        if state != self._drawn:
            self._drawn_s, self._drawn = now_s, state
            self._live.update(self.picture(), refresh=True)

    def picture(self) -> Group:
        """The whole view as it is now, in the size that the terminal has now."""
        lines = draw(self._shown, self._console.width, self._console.height)
        if not self._console.encoding.startswith("utf"):
            lines = [Text(ascii_only(line.plain), spans=line.spans, style=line.style, no_wrap=True) for line in lines]
        return Group(*lines)
