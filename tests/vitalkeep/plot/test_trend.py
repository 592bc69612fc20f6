"""What is thinned keeps its extremes; what is not known is never bridged."""

from __future__ import annotations

import numpy as np
import pytest

from vitalkeep.plot.time_axis import stamp, tick, ticks_s
from vitalkeep.plot.trend import shares, trend


def test_a_value_that_is_not_known_breaks_the_line() -> None:
    shown = trend([(0, 60.0), (10, 61.0), (20, None), (30, 62.0), (40, None)], 50, 100, 25)
    assert shown.t_s.tolist() == [0, 10, 30]
    assert shown.runs == ((0, 2), (2, 3))
    assert not shown.thinned


def test_a_hole_without_a_window_breaks_the_line_too() -> None:
    assert trend([(0, 60.0), (10, 61.0), (100, 62.0)], 110, 100, 25).runs == ((0, 2), (2, 3))


def test_nothing_known_draws_nothing() -> None:
    shown = trend([(0, None), (10, None)], 20, 100, 25)
    assert (len(shown), shown.runs) == (0, ())
    assert len(trend([], 20, 100, 25)) == 0


def test_thinning_keeps_every_extreme_and_every_hole() -> None:
    rng = np.random.default_rng(3)
    values = rng.normal(70, 5, 10_000)
    values[4321] = 190.0
    points = [(float(k), None if 2000 <= k < 3000 else float(value)) for k, value in enumerate(values)]
    shown = trend(points, 10_000.0, 100, 2.5)
    assert shown.thinned
    assert len(shown) == 90
    assert shown.high.max() == 190.0
    assert shown.low.min() == min(value for _, value in points if value is not None)
    assert len(shown.runs) == 2
    assert np.all((shown.low <= shown.middle) & (shown.middle <= shown.high))
    assert np.isfinite(np.concatenate([shown.t_s, shown.low, shown.middle, shown.high])).all()
    assert not ((shown.t_s > 2000) & (shown.t_s < 3000)).any()


def test_shares_add_up_to_the_time_that_they_cover() -> None:
    edges_s, share = shares([(0.0, 5.0, 1.0), (5.0, 10.0, 0.5), (12.0, 14.0, 1.0)], 20.0, 8)
    assert len(edges_s) == 9
    assert share.sum() * 2.5 == pytest.approx(5.0 + 2.5 + 2.0)
    assert share.tolist()[:2] == [1.0, 1.0]
    assert share.tolist()[-2:] == [0.0, 0.0]


@pytest.mark.parametrize("end_s", [0.5, 9, 61, 850, 1806, 7200, 86_400, 7 * 86_400, 200 * 86_400])
def test_an_axis_of_time_has_few_round_ticks(end_s: float) -> None:
    at_s = ticks_s(end_s, 12)
    assert 1 <= len(at_s) <= 13
    assert at_s[0] == 0.0
    assert all(t_s == int(t_s) and t_s <= end_s for t_s in at_s)


def test_times_are_told_as_the_length_of_the_record_asks_for() -> None:
    assert (stamp(40, 850), stamp(40, 86_400), tick(5400, 86_400)) == ("0:40", "0:00:40", "1:30")
