"""The governor steps down in order, one level at a time and with its reason, and dithers nowhere."""

from __future__ import annotations

from dataclasses import replace

import pytest

from device_pipeline.config import GovernorLimits
from device_pipeline.effort import Level
from device_pipeline.governor.governor import Governor, Step
from device_pipeline.governor.machine import Machine

S = 1_000_000_000
LIMITS = GovernorLimits()
COOL, HOT = Machine(temperature_c=50.0), Machine(temperature_c=80.0)


def steps(governor: Governor, machine: Machine, from_s: int, to_s: int) -> list[tuple[int, Step]]:
    """Looked at every 10 s."""
    found = ((t, governor.push(t * S, machine)) for t in range(from_s, to_s, 10))
    return [(t, step) for t, step in found if step is not None]


def test_heat_that_lasts_takes_away_in_order_and_no_more_than_there_is() -> None:
    found = steps(Governor(LIMITS), HOT, 0, 1000)
    assert [(t, step.level) for t, step in found] == [(60, Level.CADENCE), (120, Level.MODELS), (180, Level.WAVEFORM)]
    assert {step.reason for _, step in found} == {"80 °C, 75 or more is hot"}


def test_what_was_taken_comes_back_one_by_one_after_a_longer_while() -> None:
    governor = Governor(LIMITS)
    steps(governor, HOT, 0, 200)
    found = steps(governor, COOL, 200, 4000)
    assert [(t, step.level) for t, step in found] == [(800, Level.MODELS), (1400, Level.CADENCE), (2000, Level.FULL)]
    assert found[0][1].reason == "the machine is cool enough"


def test_a_temperature_that_dithers_around_a_limit_makes_no_step() -> None:
    governor = Governor(LIMITS)
    for t in range(0, 7200, 10):
        near = Machine(temperature_c=LIMITS.hot_c + (0.4 if t % 50 else -0.4))
        assert governor.push(t * S, near) is None
    steps(governor, HOT, 7200, 7400)
    assert governor.level.name == "WAVEFORM"
    for t in range(7400, 20_000, 10):
        between = Machine(temperature_c=LIMITS.cool_c + (0.4 if t % 500 else -0.4))
        assert governor.push(t * S, between) is None


def test_the_kernels_own_trip_point_is_kept_away_from() -> None:
    warm = Machine(temperature_c=66.0, trip_c=70.0)
    assert steps(Governor(LIMITS), warm, 0, 100)[0][1].reason == "66 °C, 65 or more is hot"
    assert steps(Governor(LIMITS), replace(warm, trip_c=None), 0, 1000) == []
    assert steps(Governor(LIMITS), replace(warm, trip_c=95.0), 0, 1000) == []


@pytest.mark.parametrize(("pct", "level"), [(31, 0), (30, 1), (21, 1), (20, 2), (11, 2), (10, 3), (0, 3)])
def test_a_battery_that_discharges_takes_away_what_its_charge_says(pct: float, level: int) -> None:
    governor = Governor(LIMITS)
    found = steps(governor, Machine(battery_pct=pct, is_discharging=True), 0, 1000)
    assert governor.level == level
    assert [step.level for _, step in found] == list(range(1, level + 1))
    assert all(step.reason == f"battery {pct:.0f} %" for _, step in found)


@pytest.mark.parametrize(
    "machine", [Machine(battery_pct=3.0, is_discharging=False), Machine(battery_pct=3.0), Machine()]
)
def test_on_mains_or_without_sensors_nothing_is_taken(machine: Machine) -> None:
    assert steps(Governor(LIMITS), machine, 0, 10_000) == []


def test_a_battery_comes_back_only_when_it_holds_clearly_more() -> None:
    governor = Governor(LIMITS)
    steps(governor, Machine(battery_pct=19.0, is_discharging=True), 0, 200)
    assert governor.level.name == "MODELS"
    assert steps(governor, Machine(battery_pct=24.9, is_discharging=True), 200, 5000) == []
    (back,) = steps(governor, Machine(battery_pct=25.5, is_discharging=True), 5000, 9000)
    assert back[1].level is Level.CADENCE
    assert back[1].reason == "cool and charged enough"


def test_sensors_that_vanish_do_not_hold_a_run_down_for_ever() -> None:
    governor = Governor(LIMITS)
    steps(governor, HOT, 0, 100)
    assert governor.level.name == "CADENCE"
    steps(governor, Machine(), 100, 2000)
    assert governor.level.name == "FULL"


def test_the_worse_of_heat_and_battery_counts() -> None:
    governor = Governor(LIMITS)
    steps(governor, Machine(temperature_c=80.0, battery_pct=25.0, is_discharging=True), 0, 1000)
    assert governor.level.name == "WAVEFORM"
    steps(governor, Machine(temperature_c=50.0, battery_pct=25.0, is_discharging=True), 1000, 9000)
    assert governor.level.name == "CADENCE"
