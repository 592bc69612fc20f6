"""What pages say in the same words everywhere: what is claimed, to the unit, the ε and the period, and no more."""

from __future__ import annotations

TITLES = {
    "af_days": "AF-days",
    "worn_days": "Days worn",
    "resting_hr_median": "Resting heart rate",
    "rmssd_median": "RMSSD",
}
# Where there is little room.
SHORT = {**TITLES, "resting_hr_median": "Heart rate"}
EXPLAINED = {
    "af_days": "days of 28 with at least 30 minutes of a rhythm of the kind atrial fibrillation makes",
    "worn_days": "days of 28 with a valid resting heart rate",
    "resting_hr_median": "the median over the days of a quarter (84 days)",
    "rmssd_median": "heart-rate variability: the median over the days of a quarter (84 days)",
}
MONTHLY = ("af_days", "worn_days")


def title(statistic: str) -> str:
    return TITLES.get(statistic, statistic)
