"""A card as the clinic sees it: no figure without its error, its ε and its period; no median where too little was worn.

Everything here is worked out from noisy answers alone, so it costs no privacy. How wide the errors are is public: it
follows from ε for counts; for medians it is what simulated quarters gave (tests/sync/clinic does them again).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sync.clinic.catalogue import MONTH_DAYS, QUARTER_DAYS, Question, first_day, last_day, question
from sync.clinic.tables.answers import StoredAnswer
from sync.clinic.tables.devices import Device
from sync.count_noise import count_within
from sync.release import Answer

LEAST_WORN = 60
MONTHS = QUARTER_DAYS // MONTH_DAYS
# The three noisy worn_days of a quarter, summed, from which on a median lies within ± so much of the true one, 95 times
# of 100: bpm, where the days spread by up to 5 bpm; a factor, where they spread by up to 30 %.
WITHIN_BPM = ((74, 3.0), (67, 4.0), (LEAST_WORN, 6.0))
WITHIN_FACTOR = ((74, 1.2), (67, 1.25), (LEAST_WORN, 1.35))


@dataclass(frozen=True, slots=True)
class Figure:
    """One answer. `value` and `interval` (95 %) are None where it cannot be read, and `why` says why not."""

    statistic: str
    version: int
    meaning: str
    unit: str
    first_day: date
    last_day: date
    value: float | None
    interval: tuple[float, float] | None
    epsilon: float
    received: date
    why: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """The newest period first."""

    pseudonym: str
    label: str | None
    enrolled: date
    agreed: tuple[str, ...]
    figures: tuple[Figure, ...]


def make_card(device: Device, answers: list[StoredAnswer]) -> Card:
    return Card(
        device.pseudonym, device.label, device.enrolled, tuple(sorted(device.statistics)), make_figures(answers)
    )


def make_figures(answers: Sequence[StoredAnswer]) -> tuple[Figure, ...]:
    """In the order of `answers`, all of one patient: a median is shown only with the worn_days of its quarter."""
    worn = {
        stored.answer.window: stored.answer.value
        for stored in answers
        if (stored.answer.statistic, stored.answer.length_days) == ("worn_days", MONTH_DAYS)
    }
    asked = ((question(stored.answer.statistic, stored.answer.version), stored) for stored in answers)
    return tuple(_figure(known, stored, worn) for known, stored in asked if known is not None)


def _figure(asked: Question, stored: StoredAnswer, worn: dict[int, float]) -> Figure:
    answer = stored.answer
    value: float | None = answer.value
    interval: tuple[float, float] | None
    why, note = "", asked.note
    if asked.grid:
        months = [worn.get(MONTHS * answer.window + month) for month in range(MONTHS)]
        interval, why = median_interval(asked, answer, months)
        if interval is None:
            value = None
        else:
            note = "the interval holds where the days of the quarter spread by up to " + (
                "5 bpm" if asked.unit == "bpm" else "30 %"
            )
    else:
        # Around the nearest value that can be true: no range is narrower for being far out, and it holds as often.
        most = count_within(answer.epsilon_milli / 1000)
        nearest = min(max(answer.value, asked.low), asked.high)
        interval = _clamped(asked, nearest - most, nearest + most)
    return Figure(
        asked.name,
        asked.version,
        asked.meaning,
        asked.unit,
        first_day(answer.length_days, answer.window),
        last_day(answer.length_days, answer.window),
        value,
        interval,
        answer.epsilon_milli / 1000,
        stored.received,
        why,
        note,
    )


def median_interval(
    asked: Question, answer: Answer, months: list[float | None]
) -> tuple[tuple[float, float] | None, str]:
    """Where the true median is, 95 times of 100, by the noisy worn_days of its months; or why none is told."""
    known = [month for month in months if month is not None]
    if len(known) < MONTHS:
        return None, f"worn_days is known of {len(known)} of the {MONTHS} months of the quarter, all are needed"
    if (total := sum(known)) < LEAST_WORN:
        return None, f"worn on too few days: the noisy worn_days of the quarter sum to {total:g}, {LEAST_WORN} needed"
    if asked.unit == "bpm":
        within = next(within for least, within in WITHIN_BPM if total >= least)
        return _clamped(asked, answer.value - within, answer.value + within), ""
    factor = next(factor for least, factor in WITHIN_FACTOR if total >= least)
    return _clamped(asked, round(answer.value / factor, 1), round(answer.value * factor, 1)), ""


def _clamped(asked: Question, low: float, high: float) -> tuple[float, float]:
    """What lies outside of the bounds cannot be the true value."""
    assert math.isfinite(low) and math.isfinite(high)
    return min(max(low, asked.low), asked.high), min(max(high, asked.low), asked.high)
