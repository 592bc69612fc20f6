"""The statistics as the clinic knows them: what each can be, and how far from the truth. Public, and written out here:
whoever has a network reaches none of what computes them. tests/sync/clinic holds it against what devices compute.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from sync.release import Answer

FIRST_DAY = date(2024, 1, 1)
MONTH_DAYS = 28
QUARTER_DAYS = 84
_LAST_DAY = date(2100, 1, 1)
# A count beyond its bounds by more than this is not noise: chance gives it less than once in 10^40.
_MOST_NOISE = 200

_LOW_MS, _HIGH_MS, _POINTS = 5.0, 150.0, 35


@dataclass(frozen=True, slots=True)
class Question:
    """One statistic and version. `grid`: the values it can have; empty: a count of days, with noise either way."""

    name: str
    version: int
    length_days: int
    epsilon_milli: int
    unit: str
    meaning: str
    low: float
    high: float
    grid: tuple[float, ...] = ()
    note: str = ""

    def admits(self, answer: Answer) -> bool:
        """Whether such an answer can have come from a device that keeps to the rules."""
        if (answer.length_days, answer.epsilon_milli) != (self.length_days, self.epsilon_milli):
            return False
        if not 0 <= answer.window < (_LAST_DAY - FIRST_DAY).days // self.length_days:
            return False
        if self.grid:
            return answer.value in self.grid
        return answer.value == int(answer.value) and self.low - _MOST_NOISE <= answer.value <= self.high + _MOST_NOISE


QUESTIONS = (
    Question(
        "af_days",
        1,
        MONTH_DAYS,
        500,
        "days",
        "days with at least 30 minutes of a rhythm of the kind atrial fibrillation makes",
        0.0,
        float(MONTH_DAYS),
        note="of a person who has no such day, about 1 card in 20 shows 5 or more",
    ),
    Question("worn_days", 1, MONTH_DAYS, 500, "days", "days with a valid resting heart rate", 0.0, float(MONTH_DAYS)),
    Question(
        "resting_hr_median",
        1,
        QUARTER_DAYS,
        500,
        "bpm",
        "the median of the resting heart rates of the days of a quarter",
        40.0,
        100.0,
        tuple(float(bpm) for bpm in range(40, 101)),
    ),
    Question(
        "rmssd_median",
        1,
        QUARTER_DAYS,
        500,
        "ms",
        "the median of the days' RMSSD, a measure of heart-rate variability",
        _LOW_MS,
        _HIGH_MS,
        tuple(round(_LOW_MS * (_HIGH_MS / _LOW_MS) ** (k / (_POINTS - 1)), 2) for k in range(_POINTS)),
    ),
)


def question(name: str, version: int) -> Question | None:
    return next((each for each in QUESTIONS if (each.name, each.version) == (name, version)), None)


def first_day(length_days: int, window: int) -> date:
    return FIRST_DAY + timedelta(days=length_days * window)


def last_day(length_days: int, window: int) -> date:
    return first_day(length_days, window + 1) - timedelta(days=1)
