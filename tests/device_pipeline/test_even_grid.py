"""A channel laid on the grid: the same in any cut, true to its wave at any rate, absent where nothing was measured."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from device_pipeline.signal.even_grid import GRID_HZ, POINT_NS, EvenGrid
from sensors.samples import Gap, GapReason, Kind, Samples
from tests.laws.cuts import cut_items, random_lengths, singles

SECOND_NS = 1_000_000_000


def wave(fs_hz: float, seconds: float = 20, start_ns: int = 0, hz: float = 1.5) -> Samples:
    t_s = np.arange(round(seconds * fs_hz)) / fs_hz + start_ns / SECOND_NS
    return Samples(Kind.PPG, "ppg", fs_hz, start_ns, SECOND_NS / fs_hz, 0, np.sin(2 * np.pi * hz * t_s) + 1000)


def laid(*items: Samples | Gap) -> EvenGrid:
    grid = EvenGrid(0)
    for item in items:
        grid.push(item)
    return grid


def points(grid: EvenGrid, n: int = 500) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    values, present = grid.window(0, n)
    return values[:, 0], present


def size_and_turn(grid: EvenGrid) -> tuple[float, float, float]:
    """Amplitude and phase of the 1.5 Hz in the grid's points, once the band-pass has settled, and what is left."""
    values, present = points(grid)
    middle = slice(150, 450)  # 12 s: whole periods
    assert present[middle].all()
    turns = np.exp(-2j * np.pi * 1.5 * np.arange(150, 450) / GRID_HZ)
    found = 2 * complex((values[middle] * turns).mean())
    left = values[middle] - (found / turns).real
    return abs(found), float(np.angle(found)), float(left.std())


@pytest.mark.parametrize("fs_hz", [25.0, 30.0, 50.0, 64.0, 100.0, 130.06, 500.0])
def test_a_wave_of_any_rate_is_the_same_wave_on_the_grid(fs_hz: float) -> None:
    size, turn, left = size_and_turn(laid(wave(fs_hz)))
    usual_size, usual_turn, _ = size_and_turn(laid(wave(125.0)))
    assert 0.95 < usual_size < 1.05
    assert abs(size - usual_size) < 0.05
    assert abs(turn - usual_turn) < 0.05
    assert left < 0.03


@pytest.mark.parametrize("lengths", [singles, lambda: random_lengths(4, 90)])
def test_points_do_not_depend_on_the_cut(lengths: Callable[[], Iterator[int]]) -> None:
    gap = Gap("ppg", 20 * SECOND_NS, 23 * SECOND_NS, GapReason.LOST_FRAME)
    items: list[Samples | Gap] = [wave(64.0), gap, wave(64.0, start_ns=23 * SECOND_NS)]
    whole = laid(*items)
    pieces = laid(*[i for i in cut_items(items, lengths()) if isinstance(i, Samples | Gap)])
    assert whole.known_until == pieces.known_until
    for one, other in zip(whole.window(-10, 1200), pieces.window(-10, 1200), strict=True):
        assert np.array_equal(one, other)


def test_what_was_not_measured_is_absent_and_zero() -> None:
    gap = Gap(None, 10 * SECOND_NS, 15 * SECOND_NS, GapReason.LINK_LOST)
    grid = laid(wave(50.0, 10), gap, wave(50.0, 10, start_ns=15 * SECOND_NS))
    values, present = points(grid, 625)
    inside = slice(10 * GRID_HZ, 15 * GRID_HZ)
    assert not present[inside].any()
    assert (values[inside] == 0).all()
    assert present[5 * GRID_HZ] and present[20 * GRID_HZ]


def test_a_hole_of_years_costs_nothing() -> None:
    year_ns = 365 * 86_400 * SECOND_NS
    grid = laid(wave(50.0), Gap("ppg", 20 * SECOND_NS, 9 * year_ns, GapReason.SILENT), wave(50.0, start_ns=9 * year_ns))
    _, present = grid.window(9 * year_ns // POINT_NS, 400)
    assert present[100:300].all()


def test_what_is_forgotten_is_absent_and_the_rest_stays() -> None:
    grid = laid(wave(50.0))
    before, _ = points(grid)
    grid.forget(200)
    after, present = points(grid)
    assert not present[:200].any()
    assert np.array_equal(before[200:], after[200:])
