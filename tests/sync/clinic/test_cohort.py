"""Nothing of fewer than 100; and each interval of a cohort holds the truth as often as it says, noise included."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable, Iterable
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import binom, norm
from scipy.stats import t as student_t

from sync.clinic.binomial import quantile
from sync.clinic.catalogue import Question, question
from sync.clinic.cohort import LEAST, CohortCount, CohortMedian, TooFew, _student_t, cohort_count, cohort_median
from sync.count_noise import noise_variance
from sync.private.noise import noisy_median

Days = NDArray[np.int64]
Draw = Callable[[np.random.Generator, int], Days]

SIMULATED = 800
# Of so many simulated cohorts, fewer are held than 95 of 100 less this once in 10^5, where 95 of 100 is true.
LEEWAY = 4.3 * math.sqrt(0.95 * 0.05 / SIMULATED)
THRESHOLD = 7
COHORTS: dict[str, Draw] = {
    "nobody has AF": lambda chance, n: np.zeros(n, np.int64),
    "1 of 20 has 7 to 28 days": lambda chance, n: np.where(chance.random(n) < 0.05, chance.integers(7, 29, n), 0),
    "1 of 50 has all days": lambda chance, n: np.where(chance.random(n) < 0.02, 28, 0),
    "any number as often": lambda chance, n: chance.integers(0, 29, n),
    "all just below": lambda chance, n: np.full(n, THRESHOLD - 1),
    "all just at it": lambda chance, n: np.full(n, THRESHOLD),
    "half and half": lambda chance, n: chance.integers(THRESHOLD - 1, THRESHOLD + 1, n),
    "few days": lambda chance, n: np.minimum(chance.geometric(0.6, n) - 1, 28),
    "all have all": lambda chance, n: np.full(n, 28),
}


def _asked(name: str) -> Question:
    found = question(name, 1)
    assert found is not None
    return found


AF_DAYS = _asked("af_days")


def _noisy(chance: np.random.Generator, true: Days, epsilon: float = 0.5) -> Days:
    """Discrete Laplace noise, as the difference of two geometric draws."""
    p = -math.expm1(-epsilon)
    return true + chance.geometric(p, true.shape) - chance.geometric(p, true.shape)


def _tally(values: Iterable[float]) -> list[tuple[float, int]]:
    return list(Counter(values).items())


def _count(values: Days, threshold: int | None = THRESHOLD) -> CohortCount:
    found = cohort_count(AF_DAYS, _tally(values.tolist()), threshold)
    assert isinstance(found, CohortCount)
    return found


def _holds(interval: tuple[float, float], true: float) -> bool:
    return interval[0] - 1e-12 <= true <= interval[1] + 1e-12


# -- counts: coverage


@pytest.mark.parametrize("n", [100, 400])
@pytest.mark.parametrize("name", COHORTS)
def test_mean_and_share_of_these_patients_are_held_95_times_of_100(name: str, n: int) -> None:
    chance = np.random.default_rng(21)
    means = shares = 0
    for _ in range(SIMULATED):
        true = COHORTS[name](chance, n)
        found = _count(_noisy(chance, true))
        assert found.share is not None
        means += _holds(found.mean.interval, float(true.mean()))
        shares += _holds(found.share.interval, float((true >= THRESHOLD).mean()))
    assert means / SIMULATED >= 0.95 - LEEWAY
    assert shares / SIMULATED >= 0.95 - LEEWAY


@pytest.mark.parametrize(
    ("name", "mean", "share", "least"),
    [
        ("any number as often", 14.0, 22 / 29, 0.95),
        ("1 of 20 has 7 to 28 days", 0.05 * 17.5, 0.05, 0.93),
        ("1 of 50 has all days", 0.02 * 28, 0.02, 0.91),
        ("few days", 2 / 3, 0.4**7, 0.95),
    ],
)
def test_a_random_sample_of_others_tells_of_them_as_the_module_says(
    name: str, mean: float, share: float, least: float
) -> None:
    chance = np.random.default_rng(22)
    found = [_count(_noisy(chance, COHORTS[name](chance, 100))) for _ in range(SIMULATED)]
    assert np.mean([_holds(one.mean.interval, mean) for one in found]) >= least - LEEWAY
    assert np.mean([_holds(one.share.interval, share) for one in found if one.share is not None]) >= 0.95 - LEEWAY


def test_intervals_half_as_wide_would_be_found_out() -> None:
    chance = np.random.default_rng(23)
    held = 0
    for _ in range(SIMULATED):
        found = _count(_noisy(chance, np.zeros(100, np.int64)))
        half = (found.mean.interval[1] - found.mean.value) / 2
        held += found.mean.value <= half
    assert held / SIMULATED < 0.95 - LEEWAY


def test_the_share_is_right_on_average_at_every_threshold() -> None:
    """At the very threshold too, where counting the noisy values is most wrong."""
    chance = np.random.default_rng(24)
    true = np.repeat(np.array([0, 3, 6, 7, 8, 15, 28]), 60_000)
    seen = _noisy(chance, true)
    for threshold in (1, 4, 7, 8, 16, 28):
        found = _count(seen, threshold)
        assert found.share is not None
        assert found.share.value == pytest.approx((true >= threshold).mean(), abs=0.025)
    assert float((seen >= 7).mean()) - float((true >= 7).mean()) < -0.01


def test_the_mean_takes_values_as_they_were_sent() -> None:
    """Clamped to 0, the noise of people without AF would add more than half a day each."""
    chance = np.random.default_rng(25)
    seen = _noisy(chance, np.zeros(20_000, np.int64))
    assert seen.clip(0).mean() > 0.5
    assert _count(seen).mean.value < 0.06


def test_how_much_of_the_width_is_noise_is_told() -> None:
    chance = np.random.default_rng(26)
    alike = _count(_noisy(chance, np.full(5000, 14)))
    apart = _count(_noisy(chance, np.where(chance.random(5000) < 0.5, 0, 28)))
    assert alike.noise_within == pytest.approx(1.96 * math.sqrt(noise_variance(0.5) / 5000), rel=1e-3)
    assert alike.noise_of_width == pytest.approx(1.0, abs=0.05)
    assert apart.noise_of_width == pytest.approx(math.sqrt(7.835 / (7.835 + 196)), abs=0.01)


def test_what_is_told_can_be() -> None:
    far = cohort_count(AF_DAYS, [(-9.0, 60), (-4.0, 60)], 7)
    assert isinstance(far, CohortCount) and far.share is not None
    assert far.mean.value == 0.0
    assert 0.0 == far.mean.interval[0] < far.mean.interval[1]
    assert 0.0 == far.share.interval[0] < far.share.interval[1] < 0.2
    same = cohort_count(AF_DAYS, [(40.0, 100)])
    assert isinstance(same, CohortCount)
    assert (same.mean.value, same.mean.interval, same.share) == (28.0, (28.0, 28.0), None)
    assert same.noise_of_width == 1.0


# -- nothing of few


@pytest.mark.parametrize("patients", [0, 1, 99])
def test_of_fewer_than_100_nothing_is_told(patients: int) -> None:
    tally = [(3.0, patients)]
    assert cohort_count(AF_DAYS, tally, 7) == TooFew(patients)
    assert cohort_median(_asked("resting_hr_median"), [(61.0, patients)], 500) == TooFew(patients)
    assert TooFew(patients).missing == LEAST - patients


def test_100_are_enough() -> None:
    assert isinstance(cohort_count(AF_DAYS, [(3.0, 99), (4.0, 1)]), CohortCount)
    assert isinstance(cohort_median(_asked("resting_hr_median"), [(61.0, 100)], 0), CohortMedian)


def test_a_median_is_no_count_and_a_count_no_median() -> None:
    with pytest.raises(ValueError, match="no count"):
        cohort_count(_asked("rmssd_median"), [(5.0, 100)])
    with pytest.raises(ValueError, match="no grid"):
        cohort_median(AF_DAYS, [(5.0, 100)], 0)


# -- medians


@cache
def _errors(name: str, spread: float) -> NDArray[np.float64]:
    """How far, and from where between two points of the grid, what devices draw is: (place, steps from there)."""
    grid, chance = _asked(name).grid, random.Random(27)
    draw = noisy_median(0.5, grid)
    middle = len(grid) // 2
    found = []
    for _ in range(1200):
        place = chance.random()
        days = [middle + place + chance.gauss(0.0, spread) for _ in range(chance.randint(60, 84))]
        drawn = draw([grid[min(max(round(day), 0), len(grid) - 1)] for day in days])
        found.append((place, grid.index(drawn) - middle))
    return np.array(found)


@pytest.mark.parametrize(
    ("name", "spread", "apart"),
    [("resting_hr_median", 3.0, 3.0), ("resting_hr_median", 3.0, 8.0), ("rmssd_median", 1.5, 4.0)],
)
@pytest.mark.parametrize("n", [100, 1000])
def test_the_quartiles_of_others_are_held_95_times_of_100(name: str, spread: float, apart: float, n: int) -> None:
    """People whose true medians are `apart` (standard deviation, in steps of the grid); their days by `spread`."""
    asked, chance = _asked(name), np.random.default_rng(28)
    grid, errors, simulated = np.array(asked.grid), _errors(name, spread), 300
    middle = len(grid) / 2
    true = [middle + apart * norm.ppf(q) for q in (0.25, 0.5, 0.75)]
    bounds = np.interp(true, np.arange(len(grid)), grid)
    held = np.zeros(3)
    for _ in range(simulated):
        places = np.floor(chance.normal(middle, apart, n))
        drawn = places + errors[chance.integers(0, len(errors), n), 1]
        values = grid[np.clip(drawn, 0, len(grid) - 1).astype(int)]
        found = cohort_median(asked, _tally(values.tolist()), 0)
        assert isinstance(found, CohortMedian)
        told = (found.lower_quartile, found.median, found.upper_quartile)
        held += [_holds(one.interval, bound) for one, bound in zip(told, bounds, strict=True)]
    assert (held / simulated >= 0.95 - 4.3 * math.sqrt(0.95 * 0.05 / simulated)).all(), held / simulated


def test_quartiles_stand_in_order_within_the_grid_and_never_without_width() -> None:
    asked = _asked("resting_hr_median")
    found = cohort_median(asked, [(40.0, 30), (61.0, 40), (100.0, 30)], 17)
    assert isinstance(found, CohortMedian)
    assert (found.lower_quartile.value, found.median.value, found.upper_quartile.value) == (40.0, 61.0, 100.0)
    assert (found.patients, found.left_out) == (100, 17)
    assert found.lower_quartile.interval == (40.0, 61.5)
    assert found.median.interval == (60.5, 61.5)
    assert found.upper_quartile.interval == (60.5, 100.0)


# -- arithmetic


def test_ranks_are_those_of_the_binomial_distribution() -> None:
    for n in (1, 2, 99, 100, 1000, 10_000):
        for p in (1e-6, 0.01, 0.25, 0.5, 0.75, 0.999):
            for at in (0.025, 0.4, 0.975):
                assert quantile(n, p, at) == binom.ppf(at, n, p), (n, p, at)
    assert (quantile(7, 0.0, 0.5), quantile(7, 1.0, 0.5), quantile(0, 0.3, 0.5)) == (0, 7, 0)


@pytest.mark.parametrize(("n", "p", "at"), [(-1, 0.5, 0.5), (3, 1.1, 0.5), (3, math.nan, 0.5), (3, 0.5, 1.0)])
def test_no_quantile_of_what_is_no_distribution(n: int, p: float, at: float) -> None:
    with pytest.raises(ValueError, match="expected"):
        quantile(n, p, at)


def test_the_points_of_student_are_those_of_the_table() -> None:
    for freedom in (99, 100, 500, 9999):
        assert _student_t(freedom) == pytest.approx(student_t.ppf(0.975, freedom), abs=1e-5)
