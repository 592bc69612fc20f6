"""Days with at least half an hour of a rhythm of the kind atrial fibrillation makes."""

from __future__ import annotations

from device_pipeline.day_summary import DaySummary
from sync.private.statistics.day_count import DayCount

LEAST_S = 1800.0


def _holds(day: DaySummary) -> bool:
    return day.af_s is not None and day.af_s >= LEAST_S


AF_DAYS = DayCount("af_days", "days with at least 30 minutes of a rhythm of the kind atrial fibrillation makes", _holds)
