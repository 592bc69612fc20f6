"""The day view shows a gap as a gap, with its reason, and tells what the record holds nothing about."""

from __future__ import annotations

import numpy as np
import pytest

from device_pipeline.beat import BeatSource, Quality
from device_pipeline.motion.activity import Activity, Level, Posture
from device_pipeline.oximetry.desaturation import Desaturation
from device_pipeline.oximetry.spo2 import Spo2
from device_pipeline.respiration.respiration import Respiration
from device_pipeline.temperature.temperature import Site, Temperature
from device_pipeline.track import Window
from device_pipeline.windows import HeartRate
from sensors.samples import Gap, GapReason, Kind, Samples
from tests.vitalkeep.plot.records import STRAP, S, analysed, heart, record, shown
from vitalkeep.plot.day import Span, broad, day, not_told
from vitalkeep.plot.draw_day import rate_limits
from vitalkeep.plot.trace import Trace
from vitalkeep.plot.trend import trend


def test_no_heart_rate_is_drawn_where_none_is_told() -> None:
    analysis, _ = analysed(STRAP)
    view = shown(STRAP).day
    silent = [w for w in analysis.heart_rate if w.bpm is None]
    assert silent
    for rate in silent:
        middle_s = (rate.start_ns + rate.length_ns / 2 - analysis.start_ns) / S
        for first, last in view.rate.runs:
            assert not view.rate.t_s[first] <= middle_s <= view.rate.t_s[last - 1]
    assert len(view.rate) == sum(w.bpm is not None for w in analysis.heart_rate)


def test_gaps_and_poor_stretches_carry_their_reasons() -> None:
    view = shown(STRAP).day
    assert [span.name for span in view.absent] == ["lost frame", "off body", "flat line", "link lost"]
    longest = max(view.poor, key=lambda span: span.end_s - span.start_s)
    assert longest.name in {"noise", "baseline"}
    assert longest.end_s - longest.start_s == pytest.approx(44, abs=2)


def test_good_poor_and_absent_time_are_those_of_the_analysis() -> None:
    analysis, _ = analysed(STRAP)
    view = shown(STRAP).day
    width_s = view.quality.edges_s[1] - view.quality.edges_s[0]
    assert view.quality.good.sum() * width_s == pytest.approx(analysis.good_ns / S, abs=0.1)
    assert view.quality.poor.sum() * width_s == pytest.approx(analysis.poor_ns / S, abs=0.1)


def test_alerts_and_rhythms_lie_inside_the_record() -> None:
    view = shown(STRAP).day
    assert [rule for rule, _ in view.alerts] == ["tachycardia", "irregular_rhythm", "poor_signal", "pause", "no_data"]
    spans = [span for _, spans in view.alerts for span in spans] + list(view.rhythm)
    assert all(0 <= span.start_s < span.end_s <= view.end_s for span in spans)


def test_what_is_not_in_a_record_is_told() -> None:
    analysis, _ = record(heart([0.8] * 10), [], 10)
    assert not_told(analysis) == [
        "Respiration: not in this record.",
        "Oxygen saturation: not in this record.",
        "Activity: not in this record.",
        "Temperature: not in this record.",
    ]
    analysis.respiration = [Respiration(0, 32 * S, None, 0.1, "poor_signal", "m")]
    assert not_told(analysis)[0] == "Respiration: no value, poor signal."
    analysis.respiration.append(Respiration(8 * S, 32 * S, 14.0, 0.9, None, "m"))
    assert len(not_told(analysis)) == 3


def test_what_else_a_record_holds_is_shown() -> None:
    analysis, trace = record(heart([0.8] * 100), [], 80)
    rates = [14.0, 15.0, None, 16.0, 15.0, 14.0]
    analysis.respiration = [
        Respiration(8 * k * S, 32 * S, rate, 1.0, None if rate else "motion", "m") for k, rate in enumerate(rates)
    ]
    analysis.spo2 = [Spo2(10 * k * S, 10 * S, 97.0, 1.0, None, "m") for k in range(8)]
    analysis.desaturations = [Desaturation(20 * S, 40 * S, 88.0)]
    analysis.temperature = [Temperature(0, 60 * S, 36.6, None, None, Site.BODY)]
    analysis.activity = [
        Activity(30 * k * S, 30 * S, 5, Level.LIGHT, Posture.UPRIGHT if k else None, 1.0, None) for k in range(2)
    ]
    view = day(analysis, trace)
    assert [len(q.shown) for q in (view.respiration, view.spo2, view.temperature)] == [5, 8, 1]
    assert len(view.respiration.shown.runs) == 2
    assert view.respiration.absent == (Span(24.0, 40.0, "motion"),)
    assert view.spo2.absent == ()
    assert not view.spo2_uncalibrated
    assert view.temperature_sites == ("body",)
    assert view.desaturations == (Span(20.0, 40.0, "desaturation"),)
    assert view.activity == (Span(0.0, 60.0, "light"),)
    assert view.posture == (Span(30.0, 60.0, "upright"),)
    assert view.steps == 10


def test_spans_too_narrow_to_see_are_not_drawn() -> None:
    spans = [Span(float(k), k + 0.01, "lost frame") for k in range(5000)] + [Span(6000.0, 6100.0, "off body")]
    assert broad(spans, 1.0) == [Span(6000.0, 6100.0, "off body")]
    assert len(broad(spans, 0.0)) <= 400


def test_a_steady_heart_does_not_look_restless() -> None:
    low, high = rate_limits(trend([(0, 60.0), (10, 60.4)], 20, 10, 25))
    assert high - low >= 40
    assert rate_limits(trend([], 20, 10, 25)) == (40.0, 120.0)


# -- what is kept while the record is read


def block(offset: int, values: list[float], fs_hz: float = 10.0) -> Samples:
    return Samples(Kind.ECG, "ecg", fs_hz, 0, 1e9 / fs_hz, offset, np.array(values))


def test_of_the_signal_each_second_keeps_its_lowest_and_highest_value_however_it_is_cut() -> None:
    values = np.random.default_rng(1).normal(0, 1, 95)
    whole, cut = Trace(), Trace()
    whole.item(block(0, values.tolist()))
    for first in range(0, 95, 7):
        cut.item(block(first, values[first : first + 7].tolist()))
    cut.item(Samples(Kind.PPG, "ppg_red", 10.0, 0, 1e8, 0, np.full(95, 1e6)))  # another channel is another signal
    for trace in (whole, cut):
        trace.close(BeatSource.ECG, "ecg")
        assert trace.kind is Kind.ECG
    for ours, theirs in zip(whole.extremes(), cut.extremes(), strict=True):
        assert ours.tolist() == theirs.tolist()
    seconds_ns, low, high = whole.extremes()
    assert seconds_ns.tolist() == [S * k for k in range(10)]
    assert low.tolist() == [values[k * 10 : k * 10 + 10].min() for k in range(10)]
    assert high.tolist() == [values[k * 10 : k * 10 + 10].max() for k in range(10)]


def test_poor_stretches_that_touch_and_share_their_reason_are_one() -> None:
    trace = Trace()
    for start_s, reason in ((0, "noise"), (2, "noise"), (4, "clipped"), (8, "clipped")):
        trace.finding(Quality(start_s * S, (start_s + 2) * S, 0.1, False, reason))
    trace.finding(Quality(10 * S, 12 * S, 0.9, True))
    assert [(q.start_ns // S, q.end_ns // S, q.reason) for q in trace.poor] == [
        (0, 4, "noise"),
        (4, 6, "clipped"),
        (8, 10, "clipped"),
    ]


def test_what_another_source_said_before_the_leading_one_came_is_dropped() -> None:
    trace = Trace()
    for k, source in enumerate((BeatSource.RR, BeatSource.ECG)):
        trace.finding(Window(source, 2 * k * S, 2 * (k + 1) * S, (), 2 * S, 0, 0.9, None))
    trace.close(BeatSource.ECG, None)
    assert [grain.start_ns for grain in trace.grains] == [2 * S]
    trace.close(BeatSource.ECG, None)
    assert len(trace.grains) == 1


def test_windows_without_a_value_are_shaded_up_to_the_next_one_that_has_one() -> None:
    analysis, trace = record(heart([0.8] * 100), [], 80)
    known = [False, False, True, True, False, False]
    analysis.spo2 = [
        Spo2(10 * k * S, 10 * S, 97.0 if told else None, 0.5, None if told else "low_perfusion", "m")
        for k, told in enumerate(known)
    ]
    analysis.activity = [Activity(0, 30 * S, None, None, None, None, "no_data")]
    view = day(analysis, trace)
    assert view.spo2.absent == (Span(0.0, 20.0, "low perfusion"), Span(40.0, 60.0, "low perfusion"))
    assert view.activity_absent == (Span(0.0, 30.0, "no data"),)
    assert view.activity == ()


def test_where_no_heart_rate_is_told_and_no_gap_explains_it_the_reason_is_shown() -> None:
    analysis, trace = record(heart([0.8] * 50), [], 90)
    analysis.heart_rate = [
        HeartRate(10 * k * S, 10 * S, 75.0 if k < 4 else None, None, None if k < 4 else "silent", BeatSource.ANNOTATION)
        for k in range(9)
    ]
    assert day(analysis, trace).untold == (Span(40.0, 90.0, "silent"),)
    analysis.gaps = [Gap(None, 45 * S, 90 * S, GapReason.OFF_BODY)]
    assert day(analysis, trace).untold == ()


def test_oxygen_from_two_colours_is_called_uncalibrated() -> None:
    analysis, trace = record(heart([0.8] * 50), [], 40)
    analysis.spo2 = [Spo2(0, 10 * S, 97.0, 1.0, None, "ratio-of-ratios/110-25R/uncalibrated")]
    assert day(analysis, trace).spo2_uncalibrated
