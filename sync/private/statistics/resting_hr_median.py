"""The median of the days' resting heart rates, to one beat a minute."""

from __future__ import annotations

from sync.private.statistics.day_median import DayMedian

RESTING_HR_MEDIAN = DayMedian(
    "resting_hr_median",
    "the median of the resting heart rates of the days of a quarter",
    "bpm",
    tuple(float(bpm) for bpm in range(40, 101)),
    lambda day: day.resting_hr_bpm,
)
