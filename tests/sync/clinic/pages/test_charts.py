"""A chart tells what its numbers tell: places in order, whiskers around points, gaps and what is hidden as such."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.clinic.catalogue import FIRST_DAY
from sync.clinic.pages.charts import HEIGHT_PX, Datum, Level, Mark, make_chart, number


def _datum(window: int, value: float | None = 3.0, mark: Mark = Mark.FIGURE) -> Datum:
    first = FIRST_DAY + timedelta(days=28 * window)
    last = first + timedelta(days=27)
    if value is None:
        return Datum(first, last, mark, "no figure")
    return Datum(first, last, mark, "a figure", value, (value - 6, value + 6))


def _percent(text: str) -> float:
    assert text.endswith("%")
    return float(text[:-1])


@given(st.lists(st.integers(-40, 70), min_size=1, max_size=60), st.booleans())
def test_every_point_is_on_the_chart_between_its_whiskers_and_in_order(values: list[int], bounded: bool) -> None:
    data = [_datum(window, float(value)) for window, value in enumerate(values)]
    chart = make_chart("c", "C", "days", data, bounds=(0.0, 28.0) if bounded else None, step=7.0 if bounded else None)
    assert chart is not None
    across = [_percent(whisker.x) for whisker in chart.whiskers]
    assert across == sorted(set(across))
    assert all(0 < x < 100 for x in across)
    for whisker, value in zip(chart.whiskers, values, strict=True):
        assert 0 <= whisker.high_y < whisker.y < whisker.low_y <= HEIGHT_PX
        tops = [tick for tick in chart.y_ticks if float(tick.words.replace("−", "-")) >= value]
        assert all(tick.y <= whisker.y + 0.1 for tick in tops)
    heights = [tick.y for tick in chart.y_ticks]
    assert heights == sorted(heights, reverse=True)
    assert 2 <= len(heights) <= 25


def test_what_has_no_figure_has_a_mark_of_its_own_and_no_point() -> None:
    chart = make_chart("c", "C", "bpm", [_datum(0), _datum(1, None, Mark.GAP), _datum(2, None, Mark.HIDDEN), _datum(3)])
    assert chart is not None
    assert (len(chart.whiskers), len(chart.gaps), len(chart.hidden)) == (2, 1, 1)
    assert _percent(chart.gaps[0].x) + _percent(chart.gaps[0].width) == pytest.approx(
        _percent(chart.hidden[0].x), abs=0.02
    )
    assert "nothing came" in chart.description
    assert "may not be shown" in chart.description


def test_a_chart_of_nothing_but_gaps_is_drawn_and_has_no_scale() -> None:
    chart = make_chart("c", "C", "bpm", [_datum(0, None, Mark.HIDDEN)])
    assert chart is not None
    assert not chart.whiskers
    assert not chart.y_ticks
    counted = make_chart("c", "C", "days", [_datum(0, None, Mark.GAP)], bounds=(0.0, 28.0), step=7.0)
    assert counted is not None
    assert len(counted.y_ticks) == 5
    assert make_chart("c", "C", "bpm", []) is None


def test_a_figure_beyond_its_range_is_told() -> None:
    day = FIRST_DAY
    for value, strays in ((-3.0, True), (0.0, False), (3.0, False)):
        datum = Datum(day, day + timedelta(days=27), Mark.FIGURE, "w", value, (0.0, max(3.0, value)))
        chart = make_chart("c", "C", "days", [datum])
        assert chart is not None
        assert chart.strays is strays


def test_a_figure_without_an_interval_is_not_drawn() -> None:
    bare = Datum(date(2026, 1, 1), date(2026, 1, 28), Mark.FIGURE, "bare", 3.0)
    with pytest.raises(ValueError, match="interval"):
        make_chart("c", "C", "days", [bare])


def test_the_clinics_own_line_is_on_the_chart() -> None:
    chart = make_chart("c", "C", "days", [_datum(0, 1.0)], level=Level(20.0, "set"))
    assert chart is not None
    assert chart.level is not None
    assert 0 <= chart.level.y <= HEIGHT_PX


@pytest.mark.parametrize("windows", [1, 3, 13, 26, 70])
def test_time_has_some_words_and_not_too_many(windows: int) -> None:
    chart = make_chart("c", "C", "days", [_datum(window) for window in range(windows)])
    assert chart is not None
    assert 1 <= len(chart.x_ticks) <= 11
    across = [_percent(tick.x) for tick in chart.x_ticks]
    assert across == sorted(across)
    assert all(0 <= x < 97 for x in across)


@pytest.mark.parametrize(
    ("value", "words"), [(0.0, "0"), (-0.04, "0"), (-2.0, "−2"), (12.0, "12"), (33.45, "33.5"), (100.0, "100")]
)
def test_numbers_have_no_needless_zeros_and_a_true_minus(value: float, words: str) -> None:
    assert number(value) == words
