"""Every window of a grid is handed out once, in order, whatever the steps in which time passes."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from device_pipeline.windows import Grid


@given(
    st.integers(-(10**6), 10**6),
    st.integers(1, 50),
    st.integers(1, 50),
    st.lists(st.integers(0, 100), max_size=30),
)
def test_every_window_comes_once_however_time_passes(origin: int, length: int, step: int, steps: list[int]) -> None:
    piecewise, at_once = Grid(origin, length, step), Grid(origin, length, step)
    now, told = origin, []
    for forward in steps:
        now += forward
        told += list(piecewise.closed_by(now))
    assert told == list(at_once.closed_by(now))
    assert all(end - start == length for start, end in told)
    assert all(after[0] - before[0] == step for before, after in pairwise(told))


@given(st.integers(0, 1000))
def test_the_end_of_the_record_closes_the_last_window_there(end: int) -> None:
    grid = Grid(0, 10, 10)
    told = list(grid.rest(end))
    assert sum(stop - start for start, stop in told) == end


def test_skipping_begins_with_the_window_that_holds_the_moment() -> None:
    grid = Grid(5, 10, 10)
    grid.skip_to(37)
    assert next(grid.closed_by(1000)) == (35, 45)


def test_skipping_never_goes_back() -> None:
    grid = Grid(0, 10, 10)
    list(grid.closed_by(50))
    grid.skip_to(12)
    assert grid.next_start_ns == 50
