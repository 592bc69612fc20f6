"""A racing heart that came gradually has no early beats; a run that begins early has them, to its end."""

from __future__ import annotations

import math

import numpy as np
import pytest

from models.gradual import Gradual

SPREAD = np.random.default_rng(3).normal(0, 0.015, 400)


def denied(intervals_s: list[float], kinds: str) -> list[bool]:
    gradual = Gradual()
    return [gradual.denies(kind == "S", rr_s) for rr_s, kind in zip(intervals_s, kinds, strict=True)]


def ramp(from_s: float, to_s: float, n: int) -> list[float]:
    return [float(rr * (1 + SPREAD[k])) for k, rr in enumerate(np.geomspace(from_s, to_s, n))]


def test_a_heart_that_speeds_up_within_half_a_minute_has_no_early_beats_once_it_is_fast() -> None:
    intervals_s = [*ramp(0.94, 0.94, 10), *ramp(0.94, 0.4, 45), *ramp(0.4, 0.4, 150)]
    told = denied(intervals_s, "N" * 10 + "S" * 195)
    assert all(no for no, rr_s in zip(told, intervals_s, strict=True) if rr_s < 0.6)
    assert not any(no for no, rr_s in zip(told, intervals_s, strict=True) if rr_s >= 0.6)


@pytest.mark.parametrize("missed", [None, 40])
def test_a_run_that_begins_early_stands_to_its_end_even_where_one_of_it_was_told_wrong(missed: int | None) -> None:
    intervals_s = [*ramp(0.8, 0.8, 20), *ramp(0.42, 0.42, 60)]
    kinds = ["N"] * 20 + ["S"] * 60
    if missed is not None:
        kinds[missed] = "N"
    assert not any(denied(intervals_s, "".join(kinds)))


def test_after_a_run_a_fast_rhythm_is_judged_anew() -> None:
    intervals_s = [*ramp(0.8, 0.8, 10), *ramp(0.42, 0.42, 5), *ramp(0.5, 0.5, 20)]
    kinds = "N" * 10 + "S" * 5 + "N" * 10 + "S" * 10
    assert denied(intervals_s, kinds) == [False] * 25 + [True] * 10


def test_what_is_slow_or_unknown_is_left_to_the_net() -> None:
    assert not any(denied([0.9] * 20, "N" * 10 + "S" * 10))
    assert not any(denied([math.nan] * 20, "S" * 20))
