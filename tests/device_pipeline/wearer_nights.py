"""Nights of windows in a store, as a sensor would leave them."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

from device_pipeline.baseline.wearer_day import WearerDay
from device_pipeline.beat import BeatSource
from device_pipeline.clock import ManualClock
from device_pipeline.hrv import Hrv
from device_pipeline.motion.activity import Activity, Level
from device_pipeline.respiration.respiration import Respiration
from device_pipeline.store.store import open_store
from device_pipeline.store.writer import SessionKind
from device_pipeline.temperature.temperature import Site, Temperature
from device_pipeline.track import Window
from device_pipeline.windows import HeartRate
from sensors.samples import Quantity, Reading

_S = 1_000_000_000
FIRST = date(2026, 3, 10)


def nth(k: int) -> date:
    return FIRST + timedelta(days=k)


def keep_night(
    folder: Path,
    day: date,
    *,
    hr_bpm: float = 58.0,
    rmssd_ms: float = 42.0,
    hours: float = 6.0,
    source: BeatSource = BeatSource.ECG,
    method: str = "made/1",
    respiration_bpm: float | None = 14.5,
    temperature_c: float | None = 34.6,
    steps: int | None = 8000,
    synchronised: bool = True,
) -> None:
    """A session from 23:00 of the evening before, `hours` long; steps over ten hours of the date."""
    bounds = WearerDay.of(day)
    start_ns = bounds.night_ns + 2 * 3600 * _S
    clock = ManualClock(start_ns, 0, synchronised)
    with open_store(folder, clock).writer() as writer:
        writer.begin_session(SessionKind.LIVE, "made", "0")
        writer.add_item(Reading(Quantity.RR, "rr", start_ns, 1.0))
        writer.add_item(Reading(Quantity.RR, "rr", bounds.start_ns + 20 * 3600 * _S, 1.0))
        stretches = round(hours * 12)
        for k in range(stretches):
            at = start_ns + k * 300 * _S
            swing = (k % 12 - 6) * 0.25
            writer.add_finding(Window(source, at, at + 300 * _S, (), 300 * _S, 0, 1.0, None))
            for part in range(0, 300, 10):
                bpm = hr_bpm + 4.0 + swing
                writer.add_finding(HeartRate(at + part * _S, 10 * _S, bpm, 1.0, None, source))
            values = {"rmssd_ms": rmssd_ms + swing}
            writer.add_finding(Hrv(at, 300 * _S, 300, 0.0, method, values, None))
            if respiration_bpm is not None:
                writer.add_finding(Respiration(at, 32 * _S, respiration_bpm + swing / 5, 0.9, None, "ecg, made 1"))
            if temperature_c is not None:
                writer.add_finding(Temperature(at, 60 * _S, temperature_c, None, None, Site.SKIN))
        if steps is not None:
            for k in range(120):
                at = bounds.start_ns + 10 * 3600 * _S + k * 300 * _S
                writer.add_finding(Activity(at, 60 * _S, steps // 120, Level.LIGHT, None, 1.0, None))
        clock.advance(bounds.end_ns - 1 - start_ns)
