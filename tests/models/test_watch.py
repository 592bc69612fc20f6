"""A model goes back by itself where it is slow for long or warns far more often than before, and not by chance."""

from __future__ import annotations

import math
import random

import pytest

from models.watch import CALLS, SLOW_IN_A_ROW, Before, Watch, at_least


def calls(watch: Watch, took_us: float, n: int = CALLS) -> list[str]:
    return [reason for _ in range(n) if (reason := watch.called(took_us)) is not None]


def test_a_model_that_stays_slow_goes_back() -> None:
    watch = Watch(Before(100.0))
    told = [calls(watch, 501.0) for _ in range(SLOW_IN_A_ROW)]
    assert [len(one) for one in told] == [0] * (SLOW_IN_A_ROW - 1) + [1]
    assert "501 µs a call, 100 µs when it was installed" in told[-1][0]


def test_a_busy_while_is_no_reason() -> None:
    watch = Watch(Before(100.0))
    for _ in range(50):
        assert calls(watch, 5000.0, (SLOW_IN_A_ROW - 1) * CALLS) == []
        assert calls(watch, 100.0) == []


def test_a_few_slow_calls_among_many_are_no_reason() -> None:
    watch = Watch(Before(100.0))
    rng = random.Random(1)
    assert [r for _ in range(20_000) if (r := watch.called(9000.0 if rng.random() < 0.3 else 90.0))] == []


def test_what_is_fast_may_be_many_times_slower_as_long_as_it_is_fast_still() -> None:
    assert calls(Watch(Before(4.0)), 150.0, 100 * CALLS) == []


def test_an_alert_rate_that_jumps_sends_it_back() -> None:
    watch = Watch(Before(100.0, alerts=2, hours=200.0))
    watch.passed(24.0)
    told = [watch.alerted() for _ in range(12)]
    assert told[:4] == [None] * 4
    assert any(told)
    assert "expected from before" in next(reason for reason in told if reason is not None)


def test_as_many_alerts_as_before_are_no_reason() -> None:
    watch = Watch(Before(100.0, alerts=100, hours=100.0))
    for _ in range(300):
        watch.passed(1.0)
        assert watch.alerted() is None


@pytest.mark.parametrize("per_day", [0.5, 5.0, 48.0])
def test_chance_alone_seldom_sends_it_back(per_day: float) -> None:
    rng = random.Random(3)

    def poisson(mean: float) -> int:
        n, product = 0, rng.random()
        while product > math.exp(-mean):
            n, product = n + 1, product * rng.random()
        return n

    sent = 0
    for _ in range(200):
        watch = Watch(Before(100.0, alerts=sum(poisson(per_day / 24) for _ in range(24 * 14)), hours=24 * 14))
        for _ in range(24 * 14):
            watch.passed(1.0)
            if any(watch.alerted() for _ in range(poisson(per_day / 24))):
                sent += 1
                break
    assert sent <= 2


def test_what_was_seen_before_a_start_counts_on() -> None:
    watch = Watch(Before(100.0, alerts=0, hours=300.0), alerts=20, hours=24.0)
    assert watch.alerted() is not None


def test_the_chance_is_that_of_the_negative_binomial() -> None:
    assert at_least(0, 3.0, 1.0) == 1.0
    # one event before, as long again: the next one is an event of after with a chance of a half, so many times in a row
    assert math.isclose(at_least(1, 1.0, 1.0), 0.5)
    assert math.isclose(at_least(4, 1.0, 1.0), 0.5**4)
    # much seen before: as good as Poisson
    assert math.isclose(at_least(3, 1e7, 1e-7), 1 - math.exp(-1) * 2.5, rel_tol=1e-5)
