"""A value that hangs on what was left out, or could have been, is called uncertain; one that does not is not."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from device_pipeline.doubt import MOST_ERROR_PCT, OF_DIFFERENCES, standard_error_pct
from device_pipeline.hrv import hrv_window
from device_pipeline.intervals import normal_intervals
from tests.device_pipeline.annotated import beats_at


def steady(n: int = 370, spread_s: float = 0.025, seed: int = 0) -> NDArray[np.float64]:
    return np.cumsum(np.r_[0.0, np.random.default_rng(seed).normal(0.8, spread_s, n)])


def doubted(times_s: NDArray[np.float64]) -> set[str]:
    hrv = hrv_window(0, 300 * 10**9, beats_at(times_s[times_s < 300]), 1.0)
    assert hrv.values is not None
    assert set(hrv.uncertain) <= {name for name, value in hrv.values.items() if value is not None}
    return set(hrv.uncertain)


def test_a_steady_rhythm_leaves_no_doubt() -> None:
    assert doubted(steady()) == set()


def test_one_plain_early_beat_leaves_no_doubt() -> None:
    times_s = steady()
    times_s[100] -= 0.3
    assert doubted(times_s) == set()


def test_a_beat_that_may_be_early_or_may_be_sinus_makes_what_hangs_on_it_uncertain() -> None:
    times_s = steady(spread_s=0.012)
    times_s[100:] -= 0.115
    assert "rmssd_ms" in doubted(times_s)
    assert not doubted(times_s) & {"mean_nn_ms", "mean_hr_bpm", "median_nn_ms"}


def test_many_early_beats_leave_too_few_differences_to_be_sure_of_those_lost() -> None:
    rng = np.random.default_rng(1)
    times_s = steady(spread_s=0.02)
    for k in rng.choice(np.arange(3, 360), 30, replace=False):
        times_s[k] -= 0.3
    assert doubted(times_s) >= OF_DIFFERENCES


def test_the_standard_error_is_the_spread_of_what_leaving_out_does() -> None:
    """Differences left out at random, again and again: their RMSSD strays from that of all by the error foretold."""
    times_s = steady(n=360)
    beats = beats_at(times_s)
    whole = normal_intervals(beats).series().differences_ms
    rng = np.random.default_rng(2)
    strays, foretold = [], []
    for _ in range(40):
        early_s = times_s.copy()
        for k in rng.choice(np.arange(3, 355, 4), 18, replace=False):
            early_s[k] -= 0.3
        intervals = normal_intervals(beats_at(early_s))
        series = intervals.series()
        strays.append(100 * (np.sqrt(np.mean(series.differences_ms**2) / np.mean(whole**2)) - 1))
        foretold.append(standard_error_pct(intervals, series))
    assert 0.6 < np.std(strays) / np.mean(foretold) < 1.5
    assert np.mean(foretold) < MOST_ERROR_PCT < 2.8 * np.mean(foretold)


def test_nothing_lost_is_no_error() -> None:
    intervals = normal_intervals(beats_at(steady(spread_s=0.01)))
    assert standard_error_pct(intervals, intervals.series()) == 0.0
