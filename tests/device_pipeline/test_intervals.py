"""What is not normal-to-normal is left out, and leaving it out moves the values of what remains by little."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from device_pipeline.beat import Beat, BeatLabel, BeatSource
from device_pipeline.hrv import hrv_window
from device_pipeline.intervals import METHOD, IntervalKind, Intervals, classify, normal_intervals
from device_pipeline.metrics.rmssd import Rmssd
from tests.data import shared_data
from tests.device_pipeline.annotated import beat_samples, beats_at

STEADY_S = [0.80, 0.81, 0.79, 0.80, 0.82, 0.81, 0.80, 0.79, 0.81, 0.80]
N = IntervalKind.NORMAL


def around(odd_s: list[float | None]) -> list[IntervalKind]:
    """The kinds of `odd_s` in the middle of a steady rhythm; what surrounds it must stay normal."""
    kinds = classify([*STEADY_S, *odd_s, *STEADY_S])
    assert kinds[:10] == [N] * 10
    assert kinds[-10:] == [N] * 10
    return kinds[10:-10]


def test_a_steady_rhythm_is_normal_throughout() -> None:
    assert classify(STEADY_S * 20) == [N] * 200


@pytest.mark.parametrize(
    ("odd_s", "kinds"),
    [
        pytest.param([0.50, 1.10], ["ectopic"] * 2, id="early beat with compensatory pause"),
        pytest.param([0.55, 0.82], ["ectopic"] * 2, id="early beat that resets the rhythm"),
        pytest.param([0.50, 0.48, 1.15], ["ectopic"] * 3, id="couplet"),
        pytest.param([1.15], ["ectopic"], id="late beat"),
        pytest.param([1.61], ["missed"], id="missed beat"),
        pytest.param([0.38, 0.43], ["extra"] * 2, id="extra beat halfway"),
        pytest.param([0.55, 0.26], ["extra"] * 2, id="extra beat late in the interval"),
        pytest.param([0.20, 0.61], ["impossible", "extra"], id="double detection"),
        pytest.param([12.0], ["impossible"], id="gap"),
        pytest.param([None], ["absent"], id="no interval"),
    ],
)
def test_what_is_not_normal_is_told_apart(odd_s: list[float | None], kinds: list[str]) -> None:
    assert around(odd_s) == [IntervalKind(kind) for kind in kinds]


def test_an_early_beat_at_either_end_of_the_window_is_found() -> None:
    assert classify([1.10, *STEADY_S])[:2] == [IntervalKind.ECTOPIC, N]
    assert classify([*STEADY_S, 0.50])[-2:] == [N, IntervalKind.ECTOPIC]


def test_a_lasting_change_of_rate_is_not_taken_for_ectopic_beats() -> None:
    kinds = classify([*STEADY_S, *(rr - 0.18 for rr in STEADY_S)])
    assert kinds == [N] * 20


def test_respiratory_sinus_arrhythmia_is_normal() -> None:
    rr_s = 0.9 + 0.12 * np.sin(np.arange(300) * 2 * np.pi / 4.5)
    assert classify(rr_s.tolist()) == [N] * 300


def test_no_difference_is_formed_across_what_is_left_out() -> None:
    intervals = normal_intervals(beats_at(np.cumsum([0.0, *STEADY_S, 0.50, 1.10, *STEADY_S])))
    assert len(intervals.nn_ms) == 20
    assert intervals.follows == (False, *[True] * 9, False, *[True] * 9)
    assert intervals.gap_ms == pytest.approx([*[0.0] * 10, 1600.0, *[0.0] * 9])
    assert intervals.corrected_pct == pytest.approx(100 * 2 / 22)
    assert intervals.method == METHOD


def test_a_labelled_beat_takes_both_its_intervals_with_it() -> None:
    times_s = np.cumsum([0.0, *STEADY_S])
    beats = beats_at(times_s)
    beats[4] = Beat(beats[4].t_ns, BeatSource.ECG, beats[4].rr_s, BeatLabel.S)
    kinds = normal_intervals(beats).kinds
    assert [k for k, kind in enumerate(kinds) if kind is IntervalKind.ECTOPIC] == [4, 5]
    beats[4] = Beat(beats[4].t_ns, BeatSource.ECG, beats[4].rr_s, BeatLabel.Q)
    assert normal_intervals(beats).kinds == (IntervalKind.ABSENT, *[N] * 10)


@given(st.lists(st.none() | st.floats(0, 1e4, allow_nan=False), max_size=150))
def test_every_interval_gets_a_kind_whatever_it_is(rr_s: list[float | None]) -> None:
    kinds = classify(rr_s)
    assert len(kinds) == len(rr_s)
    for rr, kind in zip(rr_s, kinds, strict=True):
        assert (rr is None) == (kind is IntervalKind.ABSENT)
        assert (rr is not None and not 0.25 <= rr <= 3.0) == (kind is IntervalKind.IMPOSSIBLE)


def test_nothing_of_the_heart_shows_in_a_repr() -> None:
    assert repr(Intervals((N,), (812.0,), (0.0,), 0.0)) == "<Intervals n=1>"


@pytest.fixture(scope="module")
def sinus_windows() -> list[NDArray[np.float64]]:
    """Beat times of 5-minute stretches of real sinus rhythm without an ectopic beat."""
    windows = []
    for record in ("16272", "16420", "16483", "16786", "17052", "17453", "18184"):
        samples, labels = beat_samples("nsrdb", record, "atr")
        times_s = samples / 128.0
        normal = np.array([label is BeatLabel.N for label in labels])
        for start_s in range(0, int(times_s[-1]) - 300, 6000):
            first, last = np.searchsorted(times_s, [start_s, start_s + 300])
            rr_s = np.diff(times_s[first:last])
            if len(rr_s) > 150 and normal[first:last].all() and rr_s.min() > 0.3 and rr_s.max() < 2.0:
                windows.append(times_s[first:last])
    for path in sorted(shared_data("welltory_ppg").glob("*/RR.txt")):
        rr_s = np.array(path.read_text().split(), dtype=float) / 1000
        windows.append(np.cumsum(np.r_[0.0, rr_s[rr_s < 2.0]]))
    return windows


def _with_artefacts(times_s: NDArray[np.float64], artefact: str, share: float, seed: int) -> NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    at = rng.choice(np.arange(2, len(times_s) - 2), max(1, round(share * len(times_s))), replace=False)
    if artefact == "missed":
        return np.delete(times_s, at)
    if artefact == "extra":
        return np.sort(np.r_[times_s, times_s[at] + rng.uniform(0.3, 0.7, len(at)) * (times_s[at + 1] - times_s[at])])
    early = times_s.copy()
    for k in np.sort(at):
        if artefact == "reset":  # the sinus node begins anew at the early beat
            early[k:] -= rng.uniform(0.2, 0.45) * (times_s[k] - times_s[k - 1])
            continue
        early[k] -= rng.uniform(0.2, 0.45) * (early[k] - early[k - 1])
    return early


def rmssd_of(times_s: NDArray[np.float64]) -> tuple[float | None, bool]:
    """RMSSD in ms, and whether it is called uncertain."""
    hrv = hrv_window(0, round(times_s[-1] * 1e9) + 1, beats_at(times_s), 1.0, (Rmssd,))
    return (None if hrv.values is None else hrv.values["rmssd_ms"]), "rmssd_ms" in hrv.uncertain


@pytest.mark.parametrize("share", [0.01, 0.05])
@pytest.mark.parametrize("artefact", ["ectopic", "reset", "missed", "extra"])
def test_injected_artefacts_bias_rmssd_by_at_most_5_percent_or_it_is_uncertain(
    artefact: str, share: float, sinus_windows: list[NDArray[np.float64]]
) -> None:
    bias_pct, told = [], []
    for seed, times_s in enumerate(sinus_windows):
        from_zero_s = times_s - times_s[0]
        true_ms, _ = rmssd_of(from_zero_s)
        found_ms, uncertain = rmssd_of(_with_artefacts(from_zero_s, artefact, share, seed))
        if true_ms is not None and found_ms is not None:
            bias_pct.append(100 * (found_ms / true_ms - 1))
            told.append(uncertain)
    assert len(bias_pct) > 60
    bias, doubted = np.array(bias_pct), np.array(told)
    assert abs(np.median(bias)) < 2
    assert np.mean((np.abs(bias) <= 5) | doubted) >= 0.98
    assert np.mean(doubted) < (0.35 if share < 0.02 else 0.85)


def test_sinus_rhythm_is_left_as_it_is_and_seldom_called_uncertain(sinus_windows: list[NDArray[np.float64]]) -> None:
    bias_pct, doubted = [], []
    for times_s in sinus_windows:
        raw_ms = 1e3 * np.sqrt(np.mean(np.diff(times_s, 2) ** 2))
        found_ms, uncertain = rmssd_of(times_s - times_s[0])
        if found_ms is None:
            continue
        bias_pct.append(100 * (found_ms / raw_ms - 1))
        doubted.append(uncertain)
    assert len(bias_pct) > 60
    assert abs(np.median(bias_pct)) < 0.2
    assert np.mean(np.abs(bias_pct) < 1) > 0.7
    assert np.mean(doubted) < 0.16


@pytest.mark.parametrize("depth_s", [0.10, 0.15, 0.2])
@pytest.mark.parametrize("beats_per_breath", [4.5, 6.0, 9.0])
def test_the_deep_breathing_of_an_athlete_is_not_corrected_away(depth_s: float, beats_per_breath: float) -> None:
    rng = np.random.default_rng(0)
    rr_s = 1.2 + depth_s * np.sin(np.arange(250) * 2 * np.pi / beats_per_breath) + rng.normal(0, 0.02, 250)
    times_s = np.cumsum(np.r_[0.0, rr_s])
    found_ms, _ = rmssd_of(times_s)
    assert found_ms == pytest.approx(1e3 * np.sqrt(np.mean(np.diff(rr_s) ** 2)), rel=0.015)
