"""Respiration: the rate of breathing where it shows, and an honest reason where it does not."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from device_pipeline.config import Limits
from device_pipeline.respiration.respiration import Respiration
from device_pipeline.run import Pipeline
from fixtures.heart import Heart, Part, Rhythm
from sensors.files.open import open_source
from sensors.reader import read_recording
from sensors.samples import Gap, GapReason, Item, Kind, Samples
from tests.device_pipeline.breathing import SECONDS, ecg, ppg, samples

RECORDINGS = Path(__file__).resolve().parents[2] / "fixtures" / "recordings"
S = 10**9


def told(items: Iterable[Item], **options: object) -> list[Respiration]:
    settings: dict[str, object] = {"live": False} | options
    pipeline = Pipeline(Limits(), **settings)  # type: ignore[arg-type]
    found = [finding for item in items for finding in pipeline.push(item)]
    return [finding for finding in [*found, *pipeline.flush()] if isinstance(finding, Respiration)]


def rates_bpm(windows: Sequence[Respiration]) -> list[float]:
    return [window.rate_bpm for window in windows if window.rate_bpm is not None]


@pytest.mark.parametrize("breath_bpm", [9, 12, 15, 20, 26])
@pytest.mark.parametrize("make", [ecg, ppg])
def test_the_rate_that_moves_the_wave_is_told(make: object, breath_bpm: float) -> None:
    windows = told([make(breath_bpm)])  # type: ignore[operator]
    rates = rates_bpm(windows)
    assert len(rates) >= 0.8 * len(windows)
    assert np.median(rates) == pytest.approx(breath_bpm, abs=1.0)
    assert all(rate == pytest.approx(breath_bpm, abs=3.0) for rate in rates)


@pytest.mark.parametrize("fs_hz", [125.0, 250.0, 500.0])
def test_the_rate_does_not_depend_on_the_sampling_rate(fs_hz: float) -> None:
    assert np.median(rates_bpm(told([ecg(15, fs_hz)]))) == pytest.approx(15, abs=1.0)


def test_a_wave_beside_the_lead_is_read_too() -> None:
    windows = told([ecg(12), ppg(12)], channel="ecg", beside="ppg")
    assert {window.method.split(",")[0] for window in windows} == {"ecg+ppg"}
    assert np.median(rates_bpm(windows)) == pytest.approx(12, abs=0.8)


def test_every_window_of_the_grid_is_told_once_and_in_order() -> None:
    windows = told([ecg(15)], origin_ns=0)
    assert [window.start_ns for window in windows] == [8 * S * k for k in range((SECONDS - 32) // 8 + 1)]
    assert {window.length_ns for window in windows} == {32 * S}


def test_a_number_or_a_reason_and_never_a_nan() -> None:
    gap = Gap("ecg", SECONDS * S, (SECONDS + 120) * S, GapReason.LINK_LOST)
    late = samples(Kind.ECG, 130.0, ecg(15).values, SECONDS + 120)
    windows = told([ecg(15), gap, late])
    assert [b.start_ns - a.start_ns for a, b in pairwise(windows)] == [8 * S] * (len(windows) - 1)
    for window in windows:
        assert (window.rate_bpm is None) == (window.reason is not None)
        assert window.rate_bpm is None or math.isfinite(window.rate_bpm)
        assert window.quality is None or 0.0 <= window.quality <= 1.0
    inside = [w for w in windows if w.start_ns >= SECONDS * S and w.start_ns + w.length_ns <= (SECONDS + 120) * S]
    assert {(window.rate_bpm, window.quality, window.reason) for window in inside} == {(None, None, "link_lost")}
    assert len(rates_bpm(windows)) > 15


def test_noise_has_no_rate() -> None:
    noise = np.random.default_rng(2).standard_normal(130 * SECONDS)
    windows = told([samples(Kind.ECG, 130.0, noise)])
    assert windows
    assert rates_bpm(windows) == []


def test_beats_without_breath_are_given_a_rate_in_fewer_windows_than_not() -> None:
    """Steady beats with white noise on them: what stands out of their spectra is chance, and sometimes it does."""
    quiet = Heart(6, 70, (Part("rest", SECONDS + 5, Rhythm.SINUS, 70, 0.0),))
    beats = quiet.beats()
    given, windows_n = 0, 0
    for seed in range(3, 9):
        rng = np.random.default_rng(seed)
        n = SECONDS * 130
        wave = 0.02 * rng.standard_normal(n)
        for beat in beats:
            r = round(beat.t_ns * 130 / 1e9 + rng.normal(0, 0.3))
            if 3 < r < n - 3:
                wave[r - 2 : r + 3] += np.array([0.1, 0.6, 1.0, 0.5, -0.2]) * (1 + 0.03 * rng.standard_normal())
        windows = told([samples(Kind.ECG, 130.0, wave)])
        given, windows_n = given + len(rates_bpm(windows)), windows_n + len(windows)
    assert given <= 0.5 * windows_n, (given, windows_n)


def test_the_strap_breathes_at_its_rate_and_not_while_it_is_off() -> None:
    source = open_source(RECORDINGS / "chest_strap.jsonl.gz")
    windows = told(read_recording(RECORDINGS / "chest_strap.jsonl.gz"), live=True)
    at_s = {(window.start_ns - source.started_ns) / 1e9: window for window in windows}
    rest = [window for start_s, window in at_s.items() if 0 <= start_s <= 290]
    assert len(rates_bpm(rest)) >= 0.8 * len(rest)
    assert np.median(rates_bpm(rest)) == pytest.approx(15, abs=1.0)
    noise = [window for start_s, window in at_s.items() if start_s >= 652 and start_s + 32 <= 691]
    assert noise
    assert rates_bpm(noise) == []


def test_a_moving_arm_has_no_rate() -> None:
    source = open_source(RECORDINGS / "wrist_ppg.csv")
    items = [item for item in source.items() if isinstance(item, Samples | Gap)]
    windows = told(items, channel="ppg", acc_channel="acc")
    walk = [window for window in windows if window.start_ns >= 82 * S and window.start_ns + 32 * S <= 130 * S]
    assert [(window.rate_bpm, window.reason) for window in walk] == [(None, "motion")] * len(walk) != []
    rest = [window for window in windows if window.start_ns + 32 * S <= 80 * S]
    assert np.median(rates_bpm(rest)) == pytest.approx(15, abs=1.0)


def test_a_rate_is_told_within_20_s_of_the_end_of_its_window() -> None:
    whole, fs_hz = ecg(15), 130.0
    pipeline = Pipeline(Limits(), live=False)
    late_s = []
    for start in range(0, len(whole), 130):
        for finding in pipeline.push(whole.cut(start, start + 130)):
            if isinstance(finding, Respiration):
                late_s.append((start + 130) / fs_hz - (finding.start_ns + finding.length_ns) / 1e9)
    assert late_s
    assert max(late_s) <= 20.0
