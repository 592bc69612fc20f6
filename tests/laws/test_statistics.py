"""The law of the statistic: one day moves the true count by at most one, whatever is in it, and ε is what is claimed.

The audit draws from neighbouring inputs, end to end from summaries, and bounds ε from below by Clopper and Pearson; a
mechanism with half the noise is found out by the same draws.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from operator import eq
from zoneinfo import ZoneInfo

import numpy as np
import opendp.prelude as dp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta

from device_pipeline.day_reader import bounds_ns
from device_pipeline.day_summary import DaySummary, day_summary
from sensors.samples import Quantity, Reading
from sync.private.ledger import CAP_MILLI
from sync.private.noise import get_ready
from sync.private.registry import STATISTICS
from sync.private.statistic import Statistic
from sync.private.statistics.day_count import DayCount
from sync.private.statistics.day_median import DayMedian
from sync.private.window import FIRST_DAY, window_of

Days = list[DaySummary | None]
Event = Callable[[float], bool]
ALPHA = 1e-6
DRAWS = 15_000
PLANTED_DRAWS = 40_000  # by which half the noise shows with a margin of seven standard deviations
MANY_DRAWS = 100_000
CROWD = 10  # days at the top beside the one that changes: there half the noise shows soonest
IDS = [statistic.name for statistic in STATISTICS]

anything = st.none() | st.floats(allow_nan=True, allow_infinity=True)
summaries = st.none() | st.builds(DaySummary, st.just(FIRST_DAY), anything, anything, anything)


def test_a_day_of_all_statistics_costs_the_cap_and_no_more() -> None:
    assert sum(statistic.epsilon_milli for statistic in STATISTICS) == CAP_MILLI


@pytest.mark.parametrize("statistic", [s for s in STATISTICS if isinstance(s, DayCount)], ids=lambda s: s.name)
@given(days=st.lists(summaries, min_size=28, max_size=28), at=st.integers(0, 27), other=summaries)
def test_one_day_moves_a_count_by_at_most_one(
    statistic: DayCount, days: Days, at: int, other: DaySummary | None
) -> None:
    replaced = [*days[:at], other, *days[at + 1 :]]
    before, after = statistic.true_value(days), statistic.true_value(replaced)
    assert before is not None and after is not None
    assert abs(before - after) <= 1
    assert 0 <= before <= 28


@pytest.mark.parametrize("statistic", [s for s in STATISTICS if isinstance(s, DayMedian)], ids=lambda s: s.name)
@given(days=st.lists(summaries, min_size=84, max_size=84))
def test_a_median_takes_one_value_of_a_day_inside_its_bounds(statistic: DayMedian, days: Days) -> None:
    true = statistic.true_value(days)
    low, high = statistic.bounds
    assert true is None or low <= true <= high
    assert statistic.draw(days) in statistic.grid


@pytest.mark.parametrize("statistic", STATISTICS, ids=IDS)
def test_what_is_drawn_keeps_its_claim(statistic: Statistic) -> None:
    one, other, event = _neighbours(statistic)[0]
    assert _epsilon_at_least(statistic.draw, one, other, event, DRAWS) <= statistic.epsilon_milli / 1000


@pytest.mark.parametrize("statistic", STATISTICS, ids=IDS)
def test_half_the_noise_would_be_found_out(statistic: Statistic) -> None:
    one, other, event = _neighbours(statistic)[0]
    found = _epsilon_at_least(_with_half_the_noise(statistic), one, other, event, PLANTED_DRAWS)
    assert found > statistic.epsilon_milli / 1000


@pytest.mark.slow
@pytest.mark.parametrize("statistic", STATISTICS, ids=IDS)
def test_what_is_drawn_keeps_its_claim_over_many_draws_and_neighbours(statistic: Statistic) -> None:
    for one, other, event in _neighbours(statistic):
        assert _epsilon_at_least(statistic.draw, one, other, event, MANY_DRAWS) <= statistic.epsilon_milli / 1000


@pytest.mark.parametrize("statistic", [s for s in STATISTICS if isinstance(s, DayMedian)], ids=lambda s: s.name)
def test_a_day_between_two_points_of_the_grid_still_tells_where_it_lies(statistic: DayMedian) -> None:
    """84 days of 61.3 bpm once gave any rate from 40 to 100: every point was equally far from the median in rank."""
    days: Days = [DaySummary(FIRST_DAY, 0.0, 61.3, 41.7)] * 84
    true = statistic.true_value(days)
    assert true is not None
    draws = [statistic.draw(days) for _ in range(50)]
    assert sorted(draws)[25] == pytest.approx(true, rel=0.06)


@pytest.mark.slow
def test_from_raw_data_on_one_day_replaced_by_extremes_or_by_nothing_keeps_every_claim() -> None:
    """What the store holds of a day goes through the pipeline; so does what is put in its place."""
    racing, slow = from_raw(0.42, irregular=True), from_raw(1.45, irregular=False)
    assert racing is not None
    assert slow is not None
    assert racing.resting_hr_bpm is not None
    assert slow.resting_hr_bpm is not None
    assert racing.resting_hr_bpm > 100
    assert slow.resting_hr_bpm < 45
    for statistic in STATISTICS:
        rest = statistic.length_days - 1
        crowd: Days = [racing] * min(CROWD, rest) + [None] * (rest - CROWD)
        for other in (slow, None):
            one, instead = [racing, *crowd], [other, *crowd]
            common = Counter(statistic.draw(one) for _ in range(200)).most_common(1)[0][0]
            for pair in ((one, instead), (instead, one)):
                found = _epsilon_at_least(statistic.draw, *pair, partial(eq, common), DRAWS)
                assert found <= statistic.epsilon_milli / 1000


def from_raw(rr_s: float, *, irregular: bool, hours: int = 4) -> DaySummary | None:
    """Hours of intervals as a strap notifies them, through the pipeline from cold state."""
    chance = np.random.default_rng(5)
    n = int(hours * 3600 / rr_s)
    rr = np.clip(rr_s * (1 + (0.2 if irregular else 0.01) * chance.standard_normal(n)), 0.3, 2.0)
    start_ns, end_ns = bounds_ns(FIRST_DAY, ZoneInfo("UTC"))
    at = start_ns + 8 * 3600 * 10**9 + np.cumsum(np.round(rr * 1e9)).astype(np.int64)
    items = [Reading(Quantity.RR, "rr", int(t), float(s) * 1e3) for t, s in zip(at, rr, strict=True)]
    return day_summary(FIRST_DAY, start_ns, end_ns, [items])


def _neighbours(statistic: Statistic) -> list[tuple[Days, Days, Event]]:
    """Pairs that differ in one day, replaced by an extreme or by nothing, and the event that tells them apart best."""
    low = DaySummary(FIRST_DAY, 0.0, 30.0, 1.0)
    high = DaySummary(FIRST_DAY, 86_400.0, 300.0, 5000.0)
    if isinstance(statistic, DayCount):
        rest: Days = [None] * 27
        return [
            ([high, *rest], [None, *rest], lambda value: value >= 1),
            ([None, *rest], [high, *rest], lambda value: value <= 0),
            ([high] * 28, [high] * 27 + [None], lambda value: value >= 28),
        ]
    assert isinstance(statistic, DayMedian)
    top, bottom = statistic.grid[-1], statistic.grid[0]
    crowd: Days = [high] * CROWD
    empty: Days = [None] * (83 - CROWD)
    return [
        ([high, *crowd, *empty], [low, *crowd, *empty], lambda value: value == top),
        ([low, *[low] * CROWD, *empty], [high, *[low] * CROWD, *empty], lambda value: value == bottom),
        ([high, *crowd, *empty], [None, *crowd, *empty], lambda value: value == top),
        ([high, *[None] * 83], [None] * 84, lambda value: value == top),
    ]


def _epsilon_at_least(draw: Callable[[Days], float], one: Days, other: Days, event: Event, draws: int) -> float:
    """A lower bound on ε that holds with a probability of 1 - ALPHA."""
    hits = [sum(event(draw(days)) for _ in range(draws)) for days in (one, other)]
    low = beta.ppf(ALPHA / 2, hits[0], draws - hits[0] + 1) if hits[0] else 0.0
    high = beta.ppf(1 - ALPHA / 2, hits[1] + 1, draws - hits[1]) if hits[1] < draws else 1.0
    return math.log(low / high) if low > 0 else 0.0


def _with_half_the_noise(statistic: Statistic) -> Callable[[Days], float]:
    get_ready()
    epsilon = statistic.epsilon_milli / 1000
    if isinstance(statistic, DayCount):
        mechanism = dp.m.make_laplace(dp.atom_domain(T="i32"), dp.absolute_distance(T="i32"), scale=0.5 / epsilon)
        return lambda days: float(mechanism(int(statistic.true_value(days) or 0)))
    assert isinstance(statistic, DayMedian)
    median: DayMedian = statistic
    space = dp.vector_domain(dp.atom_domain(T=float, nan=False)), dp.symmetric_distance()
    quantile = dp.m.make_private_quantile(
        *space, dp.max_divergence(), candidates=list(median.grid), alpha=0.5, scale=1.0 / epsilon
    )

    def draw(days: Sequence[DaySummary | None]) -> float:
        values = [median.value(day) for day in days if day is not None]
        low, high = median.bounds
        return float(quantile([min(max(value, low), high) for value in values if value is not None]))

    return draw


def test_the_windows_of_a_year_cost_what_the_arithmetic_says() -> None:
    """Four statistics, each once per window: 2 a day, and about 17 over the releases of a year."""
    per_year = sum(s.epsilon_milli / 1000 * 365 / s.length_days for s in STATISTICS)
    assert per_year == pytest.approx(17.4, abs=0.1)
    for k in range(365):
        day = FIRST_DAY + timedelta(days=k)
        assert sum(s.epsilon_milli for s in STATISTICS if day in window_of(day, s.length_days)) == CAP_MILLI
