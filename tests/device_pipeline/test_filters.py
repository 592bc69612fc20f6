"""Carried filters give bit for bit the same for any cutting, and what they say they give."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_pipeline.signal.filters import BandPass, Floats, MovingMean, Track
from device_pipeline.signal.flat_line import FlatLines, Live, Still


def _signal(n: int = 3000) -> Floats:
    rng = np.random.default_rng(5)
    return np.asarray(np.cumsum(rng.normal(0.0, 0.05, n)) + rng.normal(0.0, 0.2, n), dtype=np.float64)


def _pieces(x: Floats, lengths: list[int]) -> Iterator[Floats]:
    at, k = 0, 0
    while at < len(x):
        n = lengths[k % len(lengths)]
        yield x[at : at + n]
        at, k = at + n, k + 1


_CUTS = st.lists(st.integers(1, 400), min_size=1, max_size=12)


@pytest.mark.parametrize("make", [lambda: BandPass(5.0, 20.0, 250.0), lambda: MovingMean(25), lambda: MovingMean(1)])
@given(lengths=_CUTS)
def test_a_filter_gives_the_same_bits_for_any_cutting(
    make: Callable[[], BandPass | MovingMean], lengths: list[int]
) -> None:
    x = _signal()
    whole = make().push(x)
    filtered = make()
    assert np.array_equal(np.concatenate([filtered.push(part) for part in _pieces(x, lengths)]), whole)


def test_a_constant_input_leaves_no_transient() -> None:
    constant = np.full(500, 4.2)
    assert np.abs(BandPass(5.0, 20.0, 250.0).push(constant)).max() < 1e-9
    assert np.abs(MovingMean(50).push(constant) - 4.2).max() < 1e-12


def test_a_moving_mean_is_the_mean_of_its_window() -> None:
    x = _signal() + 1e4
    y = MovingMean(25).push(x)
    assert y[100] == pytest.approx(x[76:101].mean(), rel=1e-12)


def test_the_stated_delay_is_where_a_burst_comes_out() -> None:
    fs_hz = 500.0
    t = np.arange(2000) / fs_hz
    burst = np.exp(-0.5 * ((t - 2.0) / 0.2) ** 2)
    filtered = BandPass(5.0, 20.0, fs_hz)
    y = filtered.push(burst * np.sin(2 * np.pi * 10.0 * t))
    centre = float((np.arange(2000) * y**2).sum() / (y**2).sum())
    assert centre - 1000.0 == pytest.approx(filtered.delay, abs=1.5)


def test_a_track_gives_back_what_it_was_given() -> None:
    x = _signal()
    track = Track()
    for part in _pieces(x, [7, 130]):
        track.add(part)
        track.forget(track.end - 300)
    assert np.array_equal(track.view(2800, 2900), x[2800:2900])
    with pytest.raises(ValueError, match="held"):
        track.view(0, 10)


def _flat_parts(x: Floats, lengths: list[int], fs_hz: float) -> list[tuple[bool, int, int]]:
    """Joined (flat, start, stop)."""
    lines = FlatLines(fs_hz)
    parts: list[Live | Still] = []
    for piece in _pieces(x, lengths):
        parts += lines.push(piece)
    parts += lines.flush()
    joined: list[tuple[bool, int, int]] = []
    for part in parts:
        flat = isinstance(part, Still)
        stop = part.stop if isinstance(part, Still) else part.start + len(part.values)
        if isinstance(part, Live):
            assert np.array_equal(part.values, x[part.start : stop])
        elif joined and joined[-1][2] > part.start:
            assert not joined[-1][0], "only what was told as live is taken back"
            joined[-1] = (False, joined[-1][1], part.start)
            if joined[-1][1] == part.start:
                joined.pop()
        if joined and joined[-1][0] == flat:
            assert joined[-1][2] == part.start
            joined[-1] = (flat, joined[-1][1], stop)
        else:
            joined.append((flat, part.start, stop))
    return joined


@given(
    lengths=_CUTS,
    start=st.integers(0, 900),
    length=st.one_of(st.integers(1, 1200), st.just(199), st.just(200), st.just(201)),
)
def test_two_seconds_without_movement_are_flat_to_the_sample(lengths: list[int], start: int, length: int) -> None:
    fs_hz = 100.0
    x = 0.3 * np.sin(np.arange(2400) / 3.0)
    x[start : start + length] = 7.0
    expected = [(False, 0, start), (True, start, start + length), (False, start + length, 2400)]
    if length < 200:
        expected = [(False, 0, 2400)]
    assert _flat_parts(x, lengths, fs_hz) == [part for part in expected if part[2] > part[1]]


def test_a_flicker_of_one_converter_step_is_still_flat() -> None:
    x = 0.3 * np.sin(np.arange(1500) / 3.0)
    x[500:1000] = 0.005 * np.random.default_rng(2).integers(0, 2, 500)
    assert [part for part in _flat_parts(x, [60], 100.0) if part[0]] == [(True, 500, 1000)]


def test_a_slow_drift_is_not_flat() -> None:
    assert _flat_parts(np.linspace(0.0, 1.0, 5000), [400], 100.0) == [(False, 0, 5000)]


@given(lengths=_CUTS, start=st.integers(0, 900), length=st.integers(20, 700))
def test_what_may_turn_out_flat_is_known_before_it_is(lengths: list[int], start: int, length: int) -> None:
    """Nothing later than half a second ago that is taken back was ever said to be safe."""
    x = 0.3 * np.sin(np.arange(2400) / 3.0)
    x[start : start + length] = 7.0
    lines = FlatLines(100.0)
    safe = told = 0
    for piece in _pieces(x, lengths):
        for part in lines.push(piece):
            if isinstance(part, Still):
                assert part.start >= safe
        told += len(piece)
        still_from = lines.still_from
        safe = max(safe, min(told - 50, told if still_from is None else still_from))
