"""Noise flags and hides people as often as is printed: closed forms against two sources of noise, and the words."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import beta, binom

from device_pipeline.day_summary import DaySummary
from sync.clinic.af_decision import (
    EPSILON,
    THRESHOLDS,
    TRUE_DAYS,
    WINDOWS_OF_A_YEAR,
    at_or_above,
    decide,
    decide_two,
    decision_table,
    false_flags,
    false_negative,
    false_positive,
    flagged,
    flagged_once,
    flagged_twice,
    just_below_words,
    noise_words,
    of_people,
    percent,
    posterior_words,
    practice_words,
    threshold_days,
    two_words,
)
from sync.clinic.catalogue import question
from sync.count_noise import count_within, noise_at_least, noise_variance
from sync.private.noise import noisy_count
from sync.private.statistics.af_days import AF_DAYS
from sync.private.statistics.worn_days import WORN_DAYS
from sync.private.window import FIRST_DAY
from tests.laws.test_statistics import from_raw

ALPHA = 1e-6
DRAWS = 1_000_000
DEVICE_DRAWS = 20_000
AF = DaySummary(FIRST_DAY, 3600.0, 60.0, 40.0)
NO_AF = DaySummary(FIRST_DAY, 0.0, 60.0, 40.0)


@cache
def _drawn(epsilon: float) -> NDArray[np.int64]:
    """Discrete Laplace as the difference of two geometric draws: nothing here knows the closed forms."""
    chance = np.random.default_rng(11)
    p = -math.expm1(-epsilon)
    return chance.geometric(p, DRAWS) - chance.geometric(p, DRAWS)


@cache
def _drawn_as_on_the_device() -> NDArray[np.int64]:
    draw = noisy_count(EPSILON)
    return np.array([draw(14) - 14 for _ in range(DEVICE_DRAWS)])


def _bounds(hits: int, draws: int) -> tuple[float, float]:
    """Clopper and Pearson, at ALPHA."""
    low = float(beta.ppf(ALPHA / 2, hits, draws - hits + 1)) if hits else 0.0
    high = float(beta.ppf(1 - ALPHA / 2, hits + 1, draws - hits)) if hits < draws else 1.0
    return low, high


# -- closed forms against noise


@pytest.mark.parametrize("epsilon", [0.1, 0.5, 1.0, 2.0])
def test_each_rate_of_the_table_is_what_drawn_noise_gives(epsilon: float) -> None:
    table = decision_table(epsilon=epsilon)
    assert table.thresholds == THRESHOLDS
    assert [days for days, _ in table.rows] == list(TRUE_DAYS)
    for days, rates in table.rows:
        for threshold, rate in zip(table.thresholds, rates, strict=True):
            low, high = _bounds(int((days + _drawn(epsilon) >= threshold).sum()), DRAWS)
            assert low <= rate <= high, (days, threshold)


def test_each_rate_of_the_table_is_what_the_noise_of_devices_gives() -> None:
    for days, rates in decision_table().rows:
        for threshold, rate in zip(THRESHOLDS, rates, strict=True):
            low, high = _bounds(int((days + _drawn_as_on_the_device() >= threshold).sum()), DEVICE_DRAWS)
            assert low <= rate <= high, (days, threshold)


@pytest.mark.parametrize("days", [0, 6, 7, 28])
def test_a_device_from_its_days_on_is_flagged_as_often_as_printed(days: int) -> None:
    window = [AF] * days + [NO_AF] * (28 - days)
    hits = sum(AF_DAYS.draw(window) >= 7 for _ in range(3000))
    low, high = _bounds(hits, 3000)
    assert low <= flagged(days, 7) <= high


def test_the_rates_as_they_are_printed_are_within_what_noise_gives() -> None:
    for days, rates in decision_table().rows:
        for threshold, rate in zip(THRESHOLDS, rates, strict=True):
            if (words := percent(rate))[0].isdigit():
                printed = float(words.removesuffix(" %")) / 100
                low, high = _bounds(int((days + _drawn(EPSILON) >= threshold).sum()), DRAWS)
                half_a_digit = 0.5 * 10.0 ** -(2 + len(words.partition(".")[2].removesuffix(" %")))
                assert low - half_a_digit <= printed <= high + half_a_digit, (days, threshold)


def test_half_the_noise_would_be_found_out() -> None:
    hits = int((_drawn(2 * EPSILON) >= 7).sum())
    assert not _bounds(hits, DRAWS)[0] <= flagged(0, 7) <= _bounds(hits, DRAWS)[1]


def test_false_positives_and_false_negatives_are_the_two_sides_of_being_flagged() -> None:
    for epsilon in (0.1, 0.5, 2.0):
        for threshold in range(1, 29):
            for days in range(29):
                if days < threshold:
                    assert false_positive(days, threshold, epsilon) == pytest.approx(flagged(days, threshold, epsilon))
                else:
                    missed = false_negative(days, threshold, epsilon)
                    assert missed == pytest.approx(1 - flagged(days, threshold, epsilon), abs=1e-12)


def test_nearest_to_the_threshold_38_of_100_are_wrong_on_either_side() -> None:
    assert false_positive(6, 7) == false_negative(7, 7) == pytest.approx(0.3775, abs=1e-4)


def test_the_variance_and_the_tails_are_those_of_the_noise() -> None:
    assert _drawn(EPSILON).var() == pytest.approx(noise_variance(EPSILON), rel=0.01)
    assert math.fsum(noise_at_least(k, 0.5) - noise_at_least(k + 1, 0.5) for k in range(-200, 200)) == pytest.approx(1)
    assert noise_at_least(0, 0.5) + noise_at_least(1, 0.5) == pytest.approx(1)
    most = count_within(0.5)
    assert 2 * noise_at_least(most + 1, 0.5) <= 0.05 < 2 * noise_at_least(most, 0.5)


@pytest.mark.parametrize("epsilon", [0.0, -1.0, math.nan])
def test_no_noise_has_no_tail(epsilon: float) -> None:
    with pytest.raises(ValueError, match="more than 0 expected"):
        noise_at_least(1, epsilon)


def test_two_windows_flag_as_often_as_both_draws_do() -> None:
    first, second = _drawn(EPSILON)[: DRAWS // 2], _drawn(EPSILON)[DRAWS // 2 :]
    for days in ((0, 0), (3, 5), (7, 7), (20, 2)):
        hits = int(((days[0] + first >= 7) & (days[1] + second >= 7)).sum())
        low, high = _bounds(hits, DRAWS // 2)
        assert low <= flagged_twice(days, 7) <= high, days
    both = decide_two(decide(7, 7), decide(9, 7))
    low, high = _bounds(int(((first >= 7) & (second >= 9)).sum()), DRAWS // 2)
    assert low <= both.from_none <= high
    low, high = _bounds(int(((6 + first >= 7) & (6 + second >= 9)).sum()), DRAWS // 2)
    assert low <= both.from_just_below <= high
    assert both.is_flagged
    assert not decide_two(decide(7, 7), decide(6, 7)).is_flagged


def test_a_year_flags_a_person_without_af_as_often_as_its_draws_do() -> None:
    years = _drawn(EPSILON)[: DRAWS // WINDOWS_OF_A_YEAR * WINDOWS_OF_A_YEAR].reshape(-1, WINDOWS_OF_A_YEAR)
    for threshold, rate in zip(THRESHOLDS, decision_table().in_a_year, strict=True):
        low, high = _bounds(int((years >= threshold).any(axis=1).sum()), len(years))
        assert low <= rate <= high
        assert rate == flagged_once(0, threshold, WINDOWS_OF_A_YEAR)


def test_a_practice_is_told_how_many_noise_flags() -> None:
    for patients, threshold in ((1, 5), (40, 7), (200, 7), (200, 28), (5000, 3)):
        mean, low, high = false_flags(patients, threshold)
        p = flagged(0, threshold)
        assert mean == pytest.approx(patients * p)
        assert (low, high) == (binom.ppf(0.025, patients, p), binom.ppf(0.975, patients, p))
    assert false_flags(0, 7) == (0.0, 0, 0)


# -- the posterior


def test_the_posterior_is_what_people_drawn_from_its_prior_turn_out_to_be() -> None:
    chance = np.random.default_rng(12)
    true = chance.integers(0, 29, DRAWS)
    seen = true + _drawn(EPSILON)
    for at in (-4, 0, 3, 6, 7, 8, 14, 30):
        found = true[seen == at]
        low, high = _bounds(int((found >= 7).sum()), len(found))
        assert low <= at_or_above(at, 7) <= high, at


def test_where_such_days_are_rare_the_posterior_is_less() -> None:
    rare = [100.0] + [1.0] * 28
    assert at_or_above(7, 7, prior=rare) < at_or_above(7, 7) / 1.2
    assert at_or_above(7, 7, prior=[1.0] + [0.0] * 28) == 0.0
    assert at_or_above(7, 7, prior=[0.0] * 28 + [1.0]) == 1.0


def test_figures_far_away_do_not_underflow() -> None:
    assert at_or_above(-5000, 1) == pytest.approx(at_or_above(0, 1))
    assert at_or_above(5000, 28) == pytest.approx(at_or_above(28, 28))
    assert decide(-5000, 7).from_none == 1.0
    assert decide(5000, 7).from_none == 0.0


@pytest.mark.parametrize("prior", [[1.0] * 28, [0.0] * 29, [-1.0] + [1.0] * 28, [math.inf] + [1.0] * 28, []])
def test_weights_that_are_none_are_refused(prior: list[float]) -> None:
    with pytest.raises(ValueError, match=r"29 of 0 or more expected|empty"):
        at_or_above(7, 7, prior=prior)


# -- more days, and more seen, are never told as less


def test_what_is_told_grows_with_the_days() -> None:
    for threshold in range(1, 29):
        rates = [flagged(days, threshold) for days in range(29)]
        assert rates == sorted(rates)
        told = [decide(seen, threshold) for seen in range(-20, 50)]
        assert [one.from_none for one in told] == sorted((one.from_none for one in told), reverse=True)
        assert [one.from_just_below for one in told] == sorted((one.from_just_below for one in told), reverse=True)
        posterior = [one.at_or_above for one in told]
        assert all(before <= after + 1e-12 for before, after in pairwise(posterior))
        assert [one.is_flagged for one in told] == [seen >= threshold for seen in range(-20, 50)]


# -- the clinic's share


@pytest.mark.parametrize(
    ("share", "days"),
    [
        (Fraction(1, 4), 7),
        (Fraction("0.25"), 7),
        (Fraction("0.1"), 3),
        (Fraction("0.2500001"), 8),
        (Fraction(3, 28), 3),
        (Fraction(1), 28),
        (Fraction("0.0001"), 1),
        (Fraction("0.5"), 14),
    ],
)
def test_a_share_is_met_from_that_many_whole_days_on(share: Fraction, days: int) -> None:
    assert threshold_days(share) == days
    assert Fraction(days, 28) >= share > Fraction(days - 1, 28)


@pytest.mark.parametrize("share", [Fraction(0), Fraction(-1, 4), Fraction(29, 28)])
def test_a_share_of_nothing_or_of_more_than_all_is_refused(share: Fraction) -> None:
    with pytest.raises(ValueError, match="at most 1 expected"):
        threshold_days(share)


def test_what_cannot_be_is_refused() -> None:
    for days in (-1, 29):
        with pytest.raises(ValueError, match="0 to 28 expected"):
            flagged(days, 7)
    for threshold in (0, 29):
        with pytest.raises(ValueError, match="1 to 28 expected"):
            decide(7, threshold)
    with pytest.raises(ValueError, match="fewer than 7 expected"):
        false_positive(7, 7)
    with pytest.raises(ValueError, match="7 or more expected"):
        false_negative(6, 7)


def test_epsilon_is_that_of_the_statistic() -> None:
    asked = question("af_days", 1)
    assert asked is not None
    assert asked.epsilon_milli == 1000 * EPSILON == AF_DAYS.epsilon_milli


# -- days that were not worn


def test_a_share_of_the_worn_days_could_not_be_backed() -> None:
    """What the module says of 12 and 20 days seen, over all pairs of true counts that 95 % of the noise allows."""
    a = math.exp(-EPSILON)
    mass = ((1 - a) / (1 + a)) ** 2
    near = [0.0] * 200
    for i in range(-99, 100):
        for j in range(-99, 100):
            near[abs(i) + abs(j)] += mass * a ** (abs(i) + abs(j))
    reach = next(r for r in range(200) if math.fsum(near[: r + 1]) >= 0.95)
    shares = [af / worn for af in range(29) for worn in range(1, 29) if abs(af - 12) + abs(worn - 20) <= reach]
    assert [min(shares), max(shares)] == pytest.approx([0.15, 12 / 11])


def test_an_af_day_need_not_be_a_worn_day() -> None:
    """Two hours of an irregular rhythm: half an hour of it is an AF-day, three hours would be a worn one."""
    summary = from_raw(0.7, irregular=True, hours=2)
    assert summary is not None
    assert AF_DAYS.true_value([summary]) == 1.0
    assert WORN_DAYS.true_value([summary]) == 0.0


# -- words


def test_the_words_say_what_noise_does_and_not_what_the_person_has() -> None:
    seen = decide(9, 7)
    assert noise_words(seen) == (
        "Noise alone shows 9 days or more for 1 of 140 people without a single such day. How likely it is that this"
        " person has none is another question: that also depends on how common such days are."
    )
    assert just_below_words(seen) == "It shows as much for 14 of 100 people with 6 days, one below the threshold."
    assert posterior_words(seen) == (
        "The true number is 7 days or more with a probability of 86 %, if any number of days from 0 to 28 was as likely"
        " as any other beforehand. Where few patients have such days it is less."
    )
    assert two_words(seen, decide(8, 7)) == (
        "In two periods in a row, noise alone shows 9 or more and then 8 or more for 1 of 13,000 people without a"
        " single such day in either."
    )
    assert practice_words(200, 7) == (
        "Were all 200 patients without a single such day, noise alone would flag about 3.8 of them each period (95"
        " times of 100: 1 to 8)."
    )
    assert "1 day or more" in noise_words(decide(1, 2))
    assert "1 day, one below" in just_below_words(decide(2, 2))


@pytest.mark.parametrize(
    ("p", "words", "people"),
    [
        (0.0, "0 %", "fewer than 1 of 1,000,000 people"),
        (1e-7, "less than 0.01 %", "fewer than 1 of 1,000,000 people"),
        (0.003, "0.30 %", "1 of 330 people"),
        (0.0188, "1.9 %", "1 of 53 people"),
        (0.049, "4.9 %", "1 of 20 people"),
        (0.0511, "5.1 %", "5 of 100 people"),
        (0.62, "62 %", "62 of 100 people"),
        (0.99999, "more than 99.99 %", "99 of 100 people"),
        (1.0, "100 %", "99 of 100 people"),
    ],
)
def test_a_chance_is_never_told_as_none_or_all(p: float, words: str, people: str) -> None:
    assert percent(p) == words
    assert of_people(p) == people
