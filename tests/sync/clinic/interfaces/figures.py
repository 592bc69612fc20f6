"""Figures of a card as they come: one of each kind, and a median that may not be shown."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from sync.clinic.card import Figure
from sync.clinic.catalogue import QUESTIONS, first_day, last_day
from sync.clinic.interfaces.fhir.codes import Names

NAMES = Names("https://clinic.example", "urn:uuid:9c5b94b1-35ad-49bb-b118-8e8fc24abf80")
VALUES = {
    "af_days": (3.0, (0.0, 9.0)),
    "worn_days": (25.0, (19.0, 28.0)),
    "resting_hr_median": (61.0, (58.0, 64.0)),
    "rmssd_median": (33.45, (27.9, 40.1)),
}


def figure(statistic: str = "af_days", window: int = 27) -> Figure:
    asked = next(asked for asked in QUESTIONS if asked.name == statistic)
    value, interval = VALUES[statistic]
    return Figure(
        asked.name,
        asked.version,
        asked.meaning,
        asked.unit,
        first_day(asked.length_days, window),
        last_day(asked.length_days, window),
        value,
        interval,
        asked.epsilon_milli / 1000,
        date(2026, 5, 1),
        note=asked.note,
    )


def hidden(statistic: str = "resting_hr_median", why: str = "worn on too few days") -> Figure:
    return replace(figure(statistic, 9), value=None, interval=None, why=why)
