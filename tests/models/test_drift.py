"""Drift is told where numbers have moved, and not where there are few of them."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from models.card import Reference
from models.drift import DRIFTED_ABOVE, LEAST_PER_BIN, STABLE_BELOW, Moved, counts, drift
from models.training.reference import reference

TEN = Reference(tuple(np.arange(1, 10) / 10), (0.1,) * 10, person=0.0)


def of(values: np.ndarray) -> Reference:
    made = reference(values)
    return Reference(tuple(made["edges"]), tuple(made["shares"]))


def test_a_value_on_an_edge_lies_above_it() -> None:
    assert counts(np.array([0.0, 0.1, 0.95]), TEN.edges).tolist() == [1, 1, *[0] * 7, 1]


def test_few_numbers_have_no_verdict_however_odd_they_are() -> None:
    seen = np.zeros(10, np.int64)
    seen[9] = 10 * LEAST_PER_BIN - 1
    few = drift(TEN, seen)
    assert (few.verdict, few.n, few.least_n, few.psi) == (Moved.TOO_LITTLE, 299, 300, None)
    seen[9] += 1
    assert drift(TEN, seen).verdict is Moved.DRIFTED


@pytest.mark.parametrize("n", [300, 1000, 30_000])
def test_numbers_that_have_not_moved_are_stable_and_near_zero(n: int) -> None:
    rng = np.random.default_rng(n)
    found = [drift(TEN, rng.multinomial(n, TEN.shares).astype(np.int64)) for _ in range(500)]
    assert all(one.verdict is Moved.STABLE for one in found)
    assert np.mean([one.psi for one in found if one.psi is not None]) < 2 / n * 9


@pytest.mark.parametrize("n", [300, 3000])
def test_a_shift_that_large_numbers_call_moved_is_seldom_missed_and_a_smaller_one_seldom_called(n: int) -> None:
    """The interval holds: of an index that is truly at a limit, one in twenty is called above it."""
    rng = np.random.default_rng(n)

    def called(shift: float, above: float) -> float:
        values = [np.clip(rng.normal(0.5 + shift, 0.29, n), 0, 1) for _ in range(200)]
        lows = [drift(of_normal, counts(x, of_normal.edges)).low or 0.0 for x in values]
        return float(np.mean(np.array(lows) > above))

    of_normal = of(np.clip(np.random.default_rng(1).normal(0.5, 0.29, 50_000), 0, 1))
    far = max(shift for shift in np.arange(0, 0.3, 0.005) if true_psi(of_normal, shift) <= DRIFTED_ABOVE)
    near = max(shift for shift in np.arange(0, 0.3, 0.005) if true_psi(of_normal, shift) <= STABLE_BELOW)
    assert called(far, DRIFTED_ABOVE) <= 0.1
    assert called(2 * far, DRIFTED_ABOVE) >= 0.95
    assert called(near / 2, STABLE_BELOW) <= 0.05


def true_psi(of_normal: Reference, shift: float) -> float:
    values = np.clip(np.random.default_rng(2).normal(0.5 + shift, 0.29, 200_000), 0, 1)
    return drift(of_normal, counts(values, of_normal.edges)).psi or 0.0


def test_one_person_is_no_drift_and_where_that_is_not_known_the_most_is_watch() -> None:
    seen = np.array([400, *[100] * 8, 0], np.int64)
    low = drift(TEN, seen).low
    assert low is not None
    assert low > DRIFTED_ABOVE
    told = {person: drift(replace(TEN, person=person), seen).verdict for person in (None, 0.1, low + 0.01, low - 0.01)}
    assert list(told.values()) == [Moved.WATCH, Moved.DRIFTED, Moved.STABLE, Moved.DRIFTED]
    few = np.array([180, *[100] * 8, 60], np.int64)
    assert drift(replace(TEN, person=0.0), few).verdict is drift(replace(TEN, person=None), few).verdict


def test_an_empty_bin_is_no_infinity() -> None:
    empty = Reference((0.5,), (1.0, 0.0))
    for seen in ([1000, 0], [0, 1000]):
        found = drift(empty, np.array(seen))
        assert found.psi is not None
        assert np.isfinite(found.psi)


def test_other_bins_than_those_of_the_reference_are_refused() -> None:
    with pytest.raises(ValueError, match="expected"):
        drift(TEN, np.zeros(9, np.int64))


@pytest.mark.parametrize("kind", ["even", "few values", "one value", "nearly one"])
def test_a_reference_has_rising_edges_and_no_empty_bin_where_it_can(kind: str) -> None:
    rng = np.random.default_rng(3)
    values = {
        "even": rng.random(1000),
        "few values": rng.integers(0, 3, 1000) / 256,
        "one value": np.zeros(1000),
        "nearly one": np.r_[np.zeros(990), np.ones(10)],
    }[kind]
    made = of(values)
    assert all(a < b for a, b in pairwise(made.edges))
    assert sum(made.shares) == pytest.approx(1.0)
    assert drift(made, counts(values, made.edges)).psi == pytest.approx(0.0, abs=1e-2)
