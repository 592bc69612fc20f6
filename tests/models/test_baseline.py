"""A day is called unusual when it is unlike the wearer's own, seldom when it is not, and by the number that moved."""

from __future__ import annotations

import numpy as np
import pytest

from models.baseline import LEAST_DAYS, NUMBERS, Judged, judged, weights
from models.training.baseline import TYPICAL, wearer

Day = dict[str, float]
CENTRE = dict(zip(NUMBERS, TYPICAL, strict=True))


def days(n: int, seed: int, names: tuple[str, ...] = NUMBERS) -> list[Day]:
    """An ordinary day and the `n` before it, of a wearer of the seed."""
    one = wearer(np.random.default_rng(seed), n, names)
    return [{name: moved(name, by) for name, by in zip(names, row, strict=True)} for row in (one.day, *one.before)]


def moved(name: str, by: float) -> float:
    """`by` in the units in which spreads are: logarithms for those that are compared so."""
    if name == "rmssd_ms":
        return float((CENTRE[name] + 1.0) * np.exp(by) - 1.0)
    if name == "steps":
        return float(max(0.0, (CENTRE[name] + 1000.0) * np.exp(by) - 1000.0))
    return CENTRE[name] + by


def verdict(day: Day, before: list[Day]) -> Judged:
    found = judged(day, before)
    assert isinstance(found, Judged)
    return found


def share_unusual(n: int, wearers: int, **by: float) -> float:
    called = 0
    for seed in range(wearers):
        day, *before = days(n, 10_000 + seed)
        day = {name: x * (1.0 + by.get(name, 0.0)) for name, x in day.items()}
        called += verdict(day, before).score.label == "unusual"
    return called / wearers


@pytest.mark.parametrize("n", [4, 6, 14, 40])
def test_at_most_one_ordinary_day_in_twenty_is_called_unusual(n: int) -> None:
    assert share_unusual(n, 300) <= 0.05 + 2 * (0.05 * 0.95 / 300) ** 0.5


@pytest.mark.parametrize(("n", "least"), [(4, 0.2), (14, 0.4)])
def test_a_temperature_a_degree_up_is_often_found(n: int, least: float) -> None:
    assert share_unusual(n, 100, temperature_c=1.0 / 34.6) >= least


@pytest.mark.parametrize(("name", "by", "side"), [("resting_hr_bpm", 25.0, "above"), ("rmssd_ms", -1.5, "below")])
def test_the_number_that_moved_is_named_with_its_direction(name: str, by: float, side: str) -> None:
    day, *before = days(14, 3)
    day[name] = moved(name, by)
    found = verdict(day, before)
    assert found.score.label == "unusual"
    assert (found.numbers[0].name, found.numbers[0].side) == (name, side)
    assert found.numbers[0].low < CENTRE[name] < found.numbers[0].high


def test_below_four_days_nothing_is_compared_and_the_count_is_told() -> None:
    day, *before = days(LEAST_DAYS, 1)
    assert judged(day, before[:3]) == dict.fromkeys(NUMBERS, 3)
    assert isinstance(judged(day, before), Judged)
    short = [{name: x for name, x in row.items() if name != "steps"} for row in before]
    assert verdict(day, short).waiting == {"steps": 0}


def test_a_number_that_is_absent_is_left_out_and_not_a_zero() -> None:
    day, *before = days(10, 2)
    without = [{name: x for name, x in row.items() if name != "spo2_pct"} for row in (day, *before)]
    whole, partly = verdict(without[0], before), verdict(without[0], without[1:])
    assert whole.score.probability == partly.score.probability
    assert "spo2_pct" not in {number.name for number in whole.numbers}
    holes = [{name: x for name, x in row.items() if k % 2 or name != "rmssd_ms"} for k, row in enumerate(before)]
    assert {number.name: number.days for number in verdict(day, holes).numbers}["rmssd_ms"] == 5


def test_the_same_days_give_the_same_answer_in_whatever_order_their_numbers_come() -> None:
    day, *before = days(9, 4)
    turned = [dict(reversed(row.items())) for row in before]
    assert verdict(day, before).score == verdict(dict(reversed(day.items())), turned).score


def test_days_that_are_all_alike_do_not_make_a_small_change_unusual() -> None:
    before = [dict(CENTRE) for _ in range(5)]
    assert verdict({**CENTRE, "resting_hr_bpm": CENTRE["resting_hr_bpm"] + 2.0}, before).score.label == "usual"
    assert verdict({**CENTRE, "resting_hr_bpm": CENTRE["resting_hr_bpm"] + 15.0}, before).score.label == "unusual"


def test_one_odd_night_does_not_become_what_is_usual() -> None:
    day, *before = days(8, 6)
    clean = {number.name: number for number in verdict(day, before).numbers}["resting_hr_bpm"]
    before[2] = {**before[2], "resting_hr_bpm": 110.0}
    marred = {number.name: number for number in verdict(day, before).numbers}["resting_hr_bpm"]
    assert marred.high - marred.low < 2.5 * (clean.high - clean.low)
    assert abs((marred.high + marred.low) - (clean.high + clean.low)) / 2 < 2.5


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_what_is_no_number_is_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        judged({**CENTRE, "steps": bad}, [CENTRE] * 5)
    with pytest.raises(ValueError, match="expected one of"):
        judged({"weight_kg": 70.0}, [{"weight_kg": 70.0}] * 5)


def test_fewer_days_and_more_numbers_ask_for_a_greater_distance() -> None:
    table = weights()
    assert (np.diff(table.distance, axis=0) <= 0).all()
    assert (np.diff(table.distance, axis=1)[:, :, 1:6] > 0).all()
    assert (np.diff(table.distance, axis=2) > 0).all()


def test_health_values_are_not_in_a_repr() -> None:
    day, *before = days(6, 8)
    found = verdict(day, before)
    for thing in (found, *found.numbers):
        assert not any(f"{x:.0f}" in repr(thing) for x in day.values() if x > 20)
