"""Who has gone silent: a card goes on schedule whether anything was worn or not, so none is missing by chance alone.

A window is sealed on the third day after its last one, in the wearer's time zone, and leaves at a moment of the two
days after that, in the order in which the messages were sealed; a device looks once a day. What has not come by the
last day that all of this allows is missing. Why, nobody here knows: off, offline, or broken. What is agreed to a device
tells whenever it changes. Silence says nothing about anybody's health.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from sync.clinic.catalogue import FIRST_DAY, QUESTIONS, first_day, last_day

SEALED_AFTER_DAYS = 3  # at any moment of that day, counted from the last one of the window
SLOT_DAYS = 2  # the longest wait between sealing and slot
LOOK_DAYS = 1  # until the device looks again
ZONE_DAYS = 1  # the wearer's day may end half a day after the clinic's, which is UTC's
TRIES_DAYS = 1  # a try that failed
EXPECTED_AFTER_DAYS = SEALED_AFTER_DAYS + SLOT_DAYS + LOOK_DAYS + ZONE_DAYS + TRIES_DAYS


def expected_by(length_days: int, window: int) -> date:
    """The last day on which a device that is on and reaches the clinic sends its answers about a window."""
    return last_day(length_days, window) + timedelta(days=EXPECTED_AFTER_DAYS)


def newest_due(length_days: int, today: date) -> int | None:
    """The newest window whose answers should all be here; None before there is one."""
    window = (today - FIRST_DAY).days - EXPECTED_AFTER_DAYS
    index = window // length_days - 1
    return index if index >= 0 else None


@dataclass(frozen=True, slots=True)
class Silence:
    """`missing` windows of `length_days` in a row, the newest that are due, about which nothing came: the days from
    `first_day` to `last_day`. `since`: the day by which the first of those answers should have been here."""

    length_days: int
    missing: int
    first_day: date
    last_day: date
    since: date


def silence(agreed: Iterable[str], agreed_on: date, newest: Mapping[int, int], today: date) -> Silence | None:
    """None: nothing is missing, or nothing is due yet.

    `agreed`: the statistics agreed to, by name; `agreed_on`: the day on which the clinic heard so (UTC); `newest`: by
    length, the newest window about which an answer is here, whatever the statistic.
    """
    length = _length_days(agreed)
    if length is None:
        return None
    due = newest_due(length, today)
    first = max(_first_window(agreed_on, length), newest.get(length, -1) + 1)
    if due is None or due < first:
        return None
    return Silence(length, due - first + 1, first_day(length, first), last_day(length, due), expected_by(length, first))


def _length_days(agreed: Iterable[str]) -> int | None:
    """How long the windows are that this device answers about: 28 days; 84 where it answers about quarters alone."""
    names = set(agreed)
    return min((asked.length_days for asked in QUESTIONS if asked.name in names), default=None)


def _first_window(agreed_on: date, length_days: int) -> int:
    """The first one that is answered about. One that ended on that day or before may have been over, in the
    wearer's time zone, before there was consent."""
    return max((agreed_on + timedelta(days=1) - FIRST_DAY).days, 0) // length_days
