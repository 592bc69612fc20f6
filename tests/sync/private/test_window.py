"""Every day lies in exactly one window of each length, and a quarter is three months of 28 days."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.private.window import FIRST_DAY, LENGTHS_DAYS, MONTH_DAYS, QUARTER_DAYS, Window, sealable, window_of

DAYS = st.dates(FIRST_DAY, date(2200, 1, 1))


@given(DAYS)
def test_a_day_lies_in_one_window_of_each_length(day: date) -> None:
    for length in LENGTHS_DAYS:
        mine = window_of(day, length)
        assert day in mine
        assert all(day not in Window(length, index) for index in (mine.index - 1, mine.index + 1) if index >= 0)
        assert len(list(mine.days())) == length


@given(DAYS)
def test_a_month_lies_within_one_quarter(day: date) -> None:
    month, quarter = window_of(day, MONTH_DAYS), window_of(day, QUARTER_DAYS)
    assert month.index // 3 == quarter.index
    assert all(one in quarter for one in month.days())


@given(DAYS)
def test_nothing_is_sealed_before_two_whole_days_have_passed(today: date) -> None:
    for length in LENGTHS_DAYS:
        newest = sealable(today, length)
        following = Window(length, 0 if newest is None else newest.index + 1)
        assert newest is None or today >= newest.sealed_from
        assert today < following.sealed_from
        assert following.sealed_from - following.last_day == timedelta(days=3)


def test_windows_are_counted_from_the_first_day_of_2024() -> None:
    assert window_of(date(2024, 1, 1), MONTH_DAYS) == Window(MONTH_DAYS, 0)
    assert window_of(date(2024, 1, 29), MONTH_DAYS).first_day == date(2024, 1, 29)
    with pytest.raises(ValueError, match="2023-12-31"):
        window_of(date(2023, 12, 31), MONTH_DAYS)
    with pytest.raises(ValueError, match="lengths"):
        Window(30, 0)
