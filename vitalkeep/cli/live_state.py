"""What the live view knows: the newest of everything, and whether a number can be trusted now."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime

from device_pipeline.alerts.alert import Alert
from device_pipeline.beat import Beat, BeatLabel, BeatSource, Quality
from device_pipeline.beat_types import BeatType
from device_pipeline.config import Limits
from device_pipeline.hrv import Hrv
from device_pipeline.motion.activity import Activity
from device_pipeline.oximetry.spo2 import Spo2
from device_pipeline.temperature.temperature import Site, Temperature
from device_pipeline.windows import HeartRate
from sensors.samples import Gap, Kind, Samples

LONGEST_SHOWN_S = 12.0
MOST_WINDOWS = 160
_RATE_BEATS = 6
_RATE_FRESH_NS = 6_000_000_000
_SPANS_MV = (0.5, 0.75, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 7.5, 10.0, 15.0, 20.0)
_WORDS = {
    "off_body": "not worn",
    "link_lost": "out of reach",
    "lost_frame": "part of it was lost on the way",
    "flat_line": "flat line",
    "silent": "the sensor is silent",
    "undecodable": "what came cannot be read",
    "low_perfusion": "too little blood flow",
    "sensor_fault": "the sensor has a fault",
    "out_of_range": "out of range",
    "clock_jump": "the sensor's clock jumped",
    "missing": "marked as missing",
    "truncated": "the recording is cut short",
    "noise": "noise",
    "motion": "motion",
    "unsure": "no rate stands out",
    "clipped": "clipped",
    "baseline": "baseline wanders",
    "low_amplitude": "too small",
    "no_beats": "no beats in it",
    "too_few_beats": "too few beats",
    "too_short": "too short",
    "irregular": "irregular rhythm",
    "poor_signal": "poor signal",
    "no_data": "no data",
    "settling": "settling",
    "leap": "a leap that blood cannot make",
    "disagreement": "two colours disagree",
    "no_level": "no level of light",
    "saturated": "beyond the sensor's range",
    "stuck_axis": "an axis is stuck",
}


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
    kinds: dict[int, BeatLabel] = field(default_factory=dict)  # of the newest beats, by moment
    source: BeatSource | None = None
    verdicts: deque[Quality] = field(default_factory=lambda: deque(maxlen=12))
    absent: Gap | None = None
    rates: deque[HeartRate] = field(default_factory=lambda: deque(maxlen=MOST_WINDOWS))
    hrv: Hrv | None = None
    oxygen: Spo2 | None = None
    steps: int | None = None  # since the view began
    activity: Activity | None = None
    temperature: Temperature | None = None
    events: deque[tuple[int, str, str]] = field(default_factory=lambda: deque(maxlen=24))  # (t_ns, words, style)
    alerts: dict[str, Alert] = field(default_factory=dict)

    def tell_kind(self, told: BeatType) -> None:
        """Held for as long as a strip shows it."""
        if told.label is not None:
            self.kinds[told.t_ns] = told.label
        for t_ns in [t_ns for t_ns in self.kinds if t_ns < self.now_ns - LONGEST_SHOWN_S * 1e9]:
            del self.kinds[t_ns]

    @property
    def quality(self) -> Quality | None:
        """The newest verdict on the signal."""
        return self.verdicts[-1] if self.verdicts else None

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
    def beside(self) -> str:
        """What is known beside the beats, in words; empty where nothing is read for it."""
        parts = []
        if (oxygen := self.oxygen) is not None:
            value = words(oxygen.reason or "no_data") if oxygen.spo2_pct is None else f"{oxygen.spo2_pct:.0f} %"
            doubt = " (uncalibrated)" if oxygen.method.endswith("uncalibrated") else ""
            parts.append(f"oxygen {value}{doubt}")
        if (activity := self.activity) is not None:
            steps = "" if self.steps is None else f"{self.steps:,} steps"
            now = [words(activity.reason or "")] if activity.level is None else [activity.level, activity.posture or ""]
            parts.append(", ".join(part for part in (steps, *now) if part))
        if (temperature := self.temperature) is not None and temperature.temperature_c is not None:
            place = "skin " if temperature.site is Site.SKIN else ""
            parts.append(f"{place}temperature {temperature.temperature_c:.1f} °C")
        return "   ".join(parts)

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
