"""A year of a practice that nobody has: 131 made people, what becomes of them, and what their devices send.

The same each time. The truth is made first, a day at a time, and the noise is drawn onto it as a device would: discrete
Laplace for counts, the exponential mechanism for medians, with the ε of the catalogue.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from random import Random
from typing import Any

from sync.clinic.catalogue import MONTH_DAYS, QUARTER_DAYS, QUESTIONS, Question, first_day, last_day
from sync.pairing import base32
from sync.release import Answer, Content, Delete

TODAY = date(2026, 5, 4)
FIRST_WINDOW, LAST_WINDOW = 17, 29  # months of 28 days: 21 April 2025 to 19 April 2026
BEGAN = first_day(MONTH_DAYS, FIRST_WINDOW)
ALL = tuple(each.name for each in QUESTIONS)
COUNTS = ("af_days", "worn_days")
PEOPLE = 131
_SEED = 20260504
# What a label can be that is typed in by hand, pasted, or meant to harm.
HOSTILE_LABELS = (
    "<script>document.title = 'ran'</script>",
    '"><img src=x onerror=alert(1)>',
    "'; DROP TABLE devices; --",
    "{{ 7 * 7 }} ${7 * 7} %s",
    '=HYPERLINK("http://clinic.example/?x="&A1)',
    "\u202eevil.exe \u05d0\u05d1\u05d2 \u0645\u0631\u064a\u0636",
    "W" * 90,
    "Zoë \U0001f469\u200d\U0001f680 Ångström-Łuczak, 3rd floor, on Tuesdays & Thursdays only",
)


@dataclass(frozen=True, slots=True)
class Person:
    """`af`: days of it in each month, from that window on; `worn`: the share of days; `sends_until`: the last window;
    `off`: windows with none worn."""

    number: int
    label: str | None
    enrolled: date
    statistics: tuple[str, ...] = ALL
    af: tuple[tuple[int, int], ...] = ()
    worn: float = 0.9
    bpm: float = 62.0
    rmssd_ms: float = 32.0
    sends_until: int = LAST_WINDOW
    off: tuple[int, ...] = ()
    withdraws: date | None = None

    @property
    def pseudonym(self) -> str:
        return f"P-{base32(Random(f'{_SEED} name {self.number}').randbytes(5))}"

    @property
    def key_bytes(self) -> bytes:
        return Random(f"{_SEED} key {self.number}").randbytes(32)

    def af_days(self, window: int) -> int:
        return next((days for begins, days in reversed(self.af) if window >= begins), 0)


@dataclass(frozen=True, slots=True, order=True)
class Event:
    """`content` None: enrols."""

    day: date
    number: int
    order: int
    content: Content | None = field(compare=False)


# Who is not like most: what is said of them here.
_NAMED: Mapping[int, Mapping[str, Any]] = {
    4: {"af": ((17, 24),)},  # persistent
    9: {"af": ((17, 3), (20, 6), (24, 9), (27, 13))},  # more each quarter
    17: {"af": ((17, 2), (22, 5), (26, 17))},  # new
    23: {"af": ((17, 21), (23, 2), (25, 0))},  # treated
    31: {"af": ((25, 9),), "statistics": COUNTS},
    36: {"af": ((17, 4),), "worn": 0.55},
    44: {"af": ((17, 27),), "bpm": 84.0, "rmssd_ms": 78.0},
    58: {"af": ((21, 12),)},
    73: {"af": ((24, 7),)},
    12: {"sends_until": 27},  # silent, from a month ago to half a year
    28: {"sends_until": 26},
    39: {"sends_until": 24, "af": ((17, 8),)},
    52: {"sends_until": 22},
    67: {"sends_until": 27},
    15: {"worn": 0.28},
    26: {"worn": 0.2},
    33: {"worn": 0.35},
    48: {"worn": 0.1},
    61: {"worn": 0.0},
    70: {"off": (24, 25)},
    19: {"statistics": ("worn_days", "resting_hr_median")},
    42: {"statistics": ("af_days",)},
    55: {"statistics": COUNTS},
    64: {"statistics": ("worn_days", "rmssd_median")},
    21: {"withdraws": date(2025, 9, 16)},
    46: {"withdraws": date(2026, 1, 22)},
    81: {"withdraws": date(2026, 4, 27)},
}


def people(*, hostile: bool = True) -> tuple[Person, ...]:
    """In the order of their numbers, from 1 on. `hostile`: with labels that mean harm among theirs."""
    return tuple(_person(number, hostile) for number in range(1, PEOPLE + 1))


def _person(number: int, hostile: bool) -> Person:
    random = Random(f"{_SEED} person {number}")
    label: str | None = f"Patient {number}"
    if hostile and 100 <= number < 100 + len(HOSTILE_LABELS):
        label = HOSTILE_LABELS[number - 100]
    elif number % 16 == 0:
        label = None
    # A third from the first month on, the others over the year; the last four in the last days.
    joined = 0 if number <= 45 else int((number - 45) * 3.6)
    enrolled = BEGAN + timedelta(days=random.randrange(14) + joined)
    if number > 127:
        enrolled = TODAY - timedelta(days=2 * (131 - number))
    person = Person(
        number,
        label,
        enrolled,
        worn=random.choice((0.75, 0.85, 0.9, 0.95, 1.0)),
        bpm=random.gauss(63.0, 6.5),
        rmssd_ms=math.exp(random.gauss(math.log(31.0), 0.4)),
    )
    return replace(person, **_NAMED.get(number, {}))


def events(of: Iterable[Person]) -> list[Event]:
    """All that the clinic is sent of them, in the order in which it comes."""
    return sorted(event for person in of for event in _events(person))


def _events(person: Person) -> Iterator[Event]:
    yield Event(person.enrolled, person.number, 0, None)
    random = Random(f"{_SEED} {person.number}")
    for order, answer in enumerate(_answers(person, random), 1):
        sealed = last_day(answer.length_days, answer.window) + timedelta(days=2)
        came = sealed + timedelta(days=1 + random.randrange(5))
        if person.enrolled <= came <= TODAY and (person.withdraws is None or came <= person.withdraws):
            yield Event(came, person.number, order, answer)
    if person.withdraws is not None:
        yield Event(person.withdraws, person.number, 999, Delete())


def _answers(person: Person, random: Random) -> Iterator[Answer]:
    bpm: list[float] = []
    rmssd: list[float] = []
    for window in range(FIRST_WINDOW, min(LAST_WINDOW, person.sends_until) + 1):
        begins, ends = first_day(MONTH_DAYS, window), last_day(MONTH_DAYS, window)
        if ends < person.enrolled:
            continue
        days = MONTH_DAYS - max(0, (person.enrolled - begins).days)
        worn = 0 if window in person.off else sum(random.random() < person.worn for _ in range(days))
        af = sum(random.random() < person.af_days(window) / MONTH_DAYS for _ in range(worn))
        bpm += [random.gauss(person.bpm + (3.0 if af > 10 else 0.0), 2.5) for _ in range(worn)]
        rmssd += [person.rmssd_ms * math.exp(random.gauss(0.0, 0.2)) for _ in range(worn)]
        for asked in QUESTIONS:
            if asked.length_days == QUARTER_DAYS and not _closes_quarter(window):
                continue
            if asked.grid:
                value = _median(asked, bpm if asked.unit == "bpm" else rmssd, random)
            else:
                value = float((af if asked.name == "af_days" else worn) + _laplace(asked, random))
            if asked.name in person.statistics:
                at = window * MONTH_DAYS // asked.length_days
                yield Answer(asked.name, asked.version, asked.length_days, at, value, asked.epsilon_milli)
        if _closes_quarter(window):
            bpm, rmssd = [], []


def _closes_quarter(window: int) -> bool:
    return (window + 1) * MONTH_DAYS % QUARTER_DAYS == 0


def _laplace(asked: Question, random: Random) -> int:
    """The difference of two geometric draws (Inusah and Kozubowski 2006)."""
    log_a = -asked.epsilon_milli / 1000
    return int(math.log(1.0 - random.random()) / log_a) - int(math.log(1.0 - random.random()) / log_a)


def _median(asked: Question, days: list[float], random: Random) -> float:
    """A point of the grid, the likelier the more evenly it parts the days."""
    epsilon = asked.epsilon_milli / 1000
    scores = [-abs(sum(day < at for day in days) - sum(day > at for day in days)) / 2 for at in asked.grid]
    best = max(scores)
    return random.choices(asked.grid, [math.exp(epsilon * (score - best) / 2) for score in scores])[0]
