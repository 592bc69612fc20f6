"""Intervals are drawn as HRV judged them: what is left out there is marked here, and no curve is made of it."""

from __future__ import annotations

import numpy as np
import pytest

from device_pipeline.beat import BeatLabel
from device_pipeline.intervals import IntervalKind
from tests.vitalkeep.plot.records import STRAP, analysed, heart, record, shown, window
from vitalkeep.plot.day import day
from vitalkeep.plot.intervals_seen import seen_windows
from vitalkeep.plot.poincare import density, limits, poincare
from vitalkeep.plot.spectrum import BANDS, spectrum, top_density
from vitalkeep.plot.tachogram import rr_limits, tachogram

STEADY = [0.8 + 0.02 * (-1) ** k for k in range(100)]


def test_what_hrv_leaves_out_is_marked_and_breaks_the_line() -> None:
    beats = heart([*STEADY[:50], 0.5, 1.1, *STEADY[:40]])
    analysis, trace = record(beats, [window(0, 300, told=True)], 300)
    view = tachogram(seen_windows(analysis, trace), day(analysis, trace))
    assert [(kind, len(t_s)) for kind, t_s, _ in view.left_out] == [(IntervalKind.ECTOPIC, 2)]
    assert view.left_out[0][2] == (500.0, 1100.0)
    assert (view.n, view.n_left_out) == (92, 2)
    assert len(view.normal.runs) == 2
    assert view.normal.high.max() < 850
    assert not len(view.left_out_share)


def test_intervals_that_end_at_a_v_or_s_beat_are_marked_by_kind_and_of_many_only_some() -> None:
    beats = heart([0.8] * 5000)
    analysis, trace = record(beats, [window(300 * k, 300, told=True) for k in range(14)], 4000)
    at_s = [beat.t_ns / 1e9 for beat in beats]
    kinds = [(t_s, BeatLabel.V if k % 2 else BeatLabel.N) for k, t_s in enumerate(at_s)]
    kinds[10] = (at_s[10], BeatLabel.S)
    view = tachogram(seen_windows(analysis, trace), day(analysis, trace), kinds=kinds)
    marked = {label: t_s for label, t_s, _ in view.beats}
    assert marked[BeatLabel.S] == (at_s[10],)
    assert set(marked[BeatLabel.V]) <= set(at_s[1::2])
    assert 500 < len(marked[BeatLabel.V]) <= 1200


def test_an_interval_that_could_not_be_formed_breaks_the_line() -> None:
    analysis, trace = record(heart([*STEADY[:30], None, *STEADY[:30]]), [window(0, 300, told=True)], 300)
    view = tachogram(seen_windows(analysis, trace), day(analysis, trace))
    assert view.n == 60
    assert view.normal.runs == ((0, 30), (30, 60))


def test_the_line_goes_on_from_one_window_to_the_next() -> None:
    hrv = [window(0, 30, told=True), window(30, 30, told=True), window(60, 30, told=True)]
    analysis, trace = record(heart(STEADY), hrv, 90)
    view = tachogram(seen_windows(analysis, trace), day(analysis, trace))
    assert view.normal.runs == ((0, 100),)


def test_where_there_are_too_many_marks_their_share_is_shown() -> None:
    beats = heart([0.8, 0.8, 0.8, 0.5, 1.1] * 1000)
    hrv = [window(300 * k, 300, told=False) for k in range(14)]
    analysis, trace = record(beats, hrv, 4000)
    view = tachogram(seen_windows(analysis, trace), day(analysis, trace))
    assert view.left_out == ()
    assert view.left_out_share.mean() == pytest.approx(100 * view.n_left_out / view.n, abs=2)
    assert view.left_out_share.max() <= 100
    assert rr_limits(view)[1] < 1500


def test_only_normal_pairs_of_windows_that_tell_hrv_make_the_ellipse() -> None:
    rng = np.random.default_rng(1)
    rr_s: list[float | None] = [0.8 + float(change) for change in rng.normal(0, 0.02, 600)]
    beats = heart(rr_s)
    hrv = [window(0, 240, told=True), window(240, 300, told=False)]
    analysis, trace = record(beats, hrv, 540)
    seen = seen_windows(analysis, trace)
    view = poincare(seen)
    counted = [interval for interval in seen[0] if interval.counts]
    assert 250 < len(view.normal) < len(counted)
    assert len(view.other) > 250
    x, y = view.normal.T
    assert view.sd1_ms == pytest.approx(np.sqrt(np.var(y - x, ddof=1) / 2))
    assert view.sd2_ms == pytest.approx(np.sqrt(np.var(y + x, ddof=1) / 2))
    low, high = limits(view)
    assert low <= view.normal.min() < view.normal.max() <= high


def test_a_few_pairs_have_no_ellipse() -> None:
    analysis, trace = record(heart(STEADY[:20]), [window(0, 300, told=True)], 300)
    view = poincare(seen_windows(analysis, trace))
    assert len(view.normal) == 19
    assert view.sd1_ms is None
    assert view.sd2_ms is None


def test_a_crowd_of_pairs_shows_how_often_each_place_was_met() -> None:
    pairs = np.array([[800.0, 810.0]] * 50 + [[900.0, 700.0]])
    image = density(pairs, 500.0, 1000.0, "#0072b2")
    assert np.count_nonzero(image[..., 3]) == 2
    assert image[..., 3].max() == 1.0
    row, column = np.unravel_index(int(image[..., 3].argmax()), image.shape[:2])
    assert row / image.shape[0] == pytest.approx(0.62, abs=0.01)  # the next interval is drawn upwards
    assert column / image.shape[1] == pytest.approx(0.60, abs=0.01)


def test_breathing_shows_at_its_frequency_and_with_its_power() -> None:
    t_s, rr_s = 0.0, []
    while t_s < 300:
        rr = 0.9 + 0.04 * np.sin(2 * np.pi * 0.25 * t_s)
        rr_s.append(float(rr))
        t_s += rr
    analysis, trace = record(heart(list(rr_s)), [window(0, 300, told=True)], 300)
    view = spectrum(seen_windows(analysis, trace))
    assert view.n == 1
    assert view.freq_hz[int(view.middle.argmax())] == pytest.approx(0.25, abs=0.01)
    step_hz = view.freq_hz[1] - view.freq_hz[0]
    assert view.middle.sum() * step_hz == pytest.approx(40**2 / 2, rel=0.15)


def test_no_spectrum_comes_of_a_window_that_abstains_or_is_short() -> None:
    for hrv in (window(0, 300, told=False), window(0, 70, told=True)):
        analysis, trace = record(heart(STEADY * 4), [hrv], 300)
        view = spectrum(seen_windows(analysis, trace))
        assert (view.n, len(view.freq_hz), len(view.middle)) == (0, 0, 0)


def test_a_slow_drift_does_not_hide_the_other_bands() -> None:
    freq_hz = np.linspace(0.003, 0.5, 200)
    density_ms2 = np.where(freq_hz < BANDS[0][2], 1e6, 100.0)
    assert top_density(freq_hz, density_ms2) == 200.0


def test_the_intervals_of_a_record_are_all_there_and_finite() -> None:
    analysis, trace = analysed(STRAP)
    view = shown(STRAP)
    formed = sum(beat.rr_s is not None for beat in trace.beats)
    assert view.tachogram.n == formed > 1000
    told = [seen for seen in seen_windows(analysis, trace) if seen and seen[0].told]
    assert len(told) == sum(hrv.values is not None for hrv in analysis.hrv)
    drawn = [view.tachogram.normal.middle, view.poincare.normal, view.poincare.other, view.spectrum.middle]
    assert all(np.isfinite(values).all() for values in drawn)
