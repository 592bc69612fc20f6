"""The statistics there are: card v1. What stands here is enrolled in their laws."""

from __future__ import annotations

from sync.private.statistic import Statistic
from sync.private.statistics.af_days import AF_DAYS
from sync.private.statistics.resting_hr_median import RESTING_HR_MEDIAN
from sync.private.statistics.rmssd_median import RMSSD_MEDIAN
from sync.private.statistics.worn_days import WORN_DAYS

STATISTICS: tuple[Statistic, ...] = (AF_DAYS, WORN_DAYS, RESTING_HR_MEDIAN, RMSSD_MEDIAN)
