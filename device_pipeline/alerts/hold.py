"""Hold and hysteresis: one alert for one episode, however much the signal dithers around the threshold."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from device_pipeline.alerts.alert import Alert, Grounds


class Verdict(Enum):
    MET = "met"  # at or beyond the threshold
    BETWEEN = "between"  # inside the band of hysteresis: keeps what is
    CLEAR = "clear"
    UNKNOWN = "unknown"  # no number: neither for nor against


@dataclass(slots=True)
class Hold:
    """Turns verdicts over touching or parted stretches of time, in order, into alerts.

    Raised once the condition has been met for `hold_ns`, over once it has been clear for `clear_ns`. Without a number
    an episode waits for `patience_ns`; then an open alert ends where it was last known to hold.
    """

    rule: str
    hold_ns: int
    clear_ns: int
    patience_ns: int
    dates_back: bool = False  # clear evidence may reach back to before the last that was met, and then corrects it
    _met_since_ns: int | None = None
    _last_met_ns: int = 0
    _met_ns: int = 0
    _clear_ns: int = 0
    _unknown_ns: int = 0
    _open: Alert | None = None

    def push(
        self, start_ns: int, end_ns: int, verdict: Verdict, text: str, grounds: Grounds | None = None
    ) -> list[Alert]:
        """One stretch of evidence; `text` and `grounds` are used if the alert is raised on it."""
        span_ns = end_ns - start_ns
        if verdict is Verdict.UNKNOWN:
            self._unknown_ns += span_ns
            return self._stop() if self._unknown_ns >= self.patience_ns else []
        self._unknown_ns = 0
        if verdict is Verdict.CLEAR:
            self._clear_ns += span_ns
            if self.dates_back:
                self._last_met_ns = min(self._last_met_ns, start_ns)
            if self._open is None or self._clear_ns >= self.clear_ns:
                return self._stop()
            return []
        if verdict is Verdict.BETWEEN and self._open is None:
            return self._stop()
        self._clear_ns = 0
        if self._met_since_ns is None:
            self._met_since_ns = start_ns
        self._met_ns += span_ns
        self._last_met_ns = end_ns
        if self._open is None and self._met_ns >= self.hold_ns:
            self._open = Alert(self.rule, self._met_since_ns, end_ns, None, text, grounds)
            return [self._open]
        return []

    def flush(self) -> list[Alert]:
        """The input has ended: an open alert ends where it was last known to hold."""
        return self._stop()

    def _stop(self) -> list[Alert]:
        ended = [] if self._open is None else [self._open.ended(self._last_met_ns)]
        self._open, self._met_since_ns = None, None
        self._met_ns = self._clear_ns = self._unknown_ns = 0
        return ended
