"""Days on which the sensor was worn well enough for a resting heart rate."""

from __future__ import annotations

from device_pipeline.day_summary import DaySummary
from sync.private.statistics.day_count import DayCount


def _holds(day: DaySummary) -> bool:
    return day.resting_hr_bpm is not None


WORN_DAYS = DayCount("worn_days", "days with a valid resting heart rate", _holds)
