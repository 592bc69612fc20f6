"""Strips show the signal as recorded, to scale, and everything that makes it doubtful."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from device_pipeline.alerts.alert import Alert, Grounds
from device_pipeline.beat import BeatLabel
from device_pipeline.beat_types import BeatType
from sensors.files.open import open_source
from sensors.samples import Kind, Samples
from tests.vitalkeep.plot.records import STRAP, S, analysed, heart, record, shown
from vitalkeep.plot.draw_strip import paper
from vitalkeep.plot.strip import Strip, strips
from vitalkeep.plot.strip_choice import STRIP_NS, Choice, choose
from vitalkeep.plot.trace import Grain


def made(values: np.ndarray) -> Strip:
    t_s = np.arange(len(values)) / 100.0
    return Strip(Choice(0, ("start",)), 0.0, ((t_s, values),), (), (), ())


def whys(choices: list[Choice]) -> list[str]:
    return [why for choice in choices for why in choice.why]


def test_the_start_the_best_the_poorest_and_every_rule_have_their_strip() -> None:
    told = " ".join(whys([strip.choice for strip in shown(STRAP).strips]))
    for word in ("start", "best quality", "poorest quality", "tachycardia", "irregular rhythm", "pause", "no data"):
        assert word in told


def test_of_many_alerts_each_rule_is_shown_before_a_second_one_and_the_rest_is_counted() -> None:
    analysis, trace = record(heart([0.8] * 2000), [], 1600)
    for k in range(20):
        at_ns = 60 * (k + 1) * S
        analysis.alerts[at_ns, "pause"] = Alert("pause", at_ns, at_ns, at_ns + S, "text")
    analysis.alerts[1500 * S, "bradycardia"] = Alert("bradycardia", 1500 * S, 1500 * S, None, "text")
    choices, left_out = choose(analysis, trace, 5)
    assert whys(choices).count("alert: pause") == 4
    assert whys(choices).count("alert: bradycardia") == 1
    assert left_out == 16
    assert [choice.start_ns for choice in choices] == sorted(choice.start_ns for choice in choices)


def test_strips_of_one_moment_are_one_strip_with_both_reasons() -> None:
    analysis, trace = record(heart([0.8] * 100), [], 80)
    for rule in ("pause", "bradycardia"):
        analysis.alerts[40 * S, rule] = Alert(rule, 40 * S, 40 * S, 50 * S, "text")
    choices, _ = choose(analysis, trace)
    assert [choice.why for choice in choices] == [
        ("start of the signal",),
        ("alert: bradycardia", "alert: pause"),
    ]


def test_best_and_poorest_are_whole_strips_of_signal() -> None:
    analysis, trace = record(heart([0.8] * 100), [], 80)
    index = [0.9] * 10 + [0.99] * 5 + [0.9] * 10 + [0.2] * 5 + [0.9] * 10
    trace.grains = [
        Grain(2 * k * S, 2 * (k + 1) * S, 2 * S if i > 0.5 else 0, 0 if i > 0.5 else 2 * S, i, None)
        for k, i in enumerate(index)
    ]
    choices, _ = choose(analysis, trace)
    assert [(choice.start_ns // S, choice.why[0].split(",")[0]) for choice in choices] == [
        (0, "start of the signal"),
        (20, "best quality"),
        (50, "poorest quality"),
    ]
    trace.grains[26] = replace(trace.grains[26], index=None, poor_ns=0)  # nothing came: no strip of it
    assert all(not 42 < choice.start_ns / S < 54 for choice in choose(analysis, trace)[0])


def test_a_record_shorter_than_a_strip_has_one() -> None:
    analysis, trace = record(heart([0.8] * 5), [], 4)
    assert [choice.start_ns for choice in choose(analysis, trace)[0]] == [0]


def test_a_strip_is_the_signal_itself() -> None:
    strip = next(strip for strip in shown(STRAP).strips if "alert: tachycardia" in strip.choice.why)
    analysis, _ = analysed(STRAP)
    values: list[float] = []
    for item in open_source(STRAP).items(["ecg"]):
        if isinstance(item, Samples):
            t_ns = [item.t_ns(k) for k in range(len(item))]
            inside = [strip.choice.start_ns <= t < strip.choice.start_ns + STRIP_NS for t in t_ns]
            values += item.values[inside].tolist()
    ((t_s, drawn),) = strip.lines
    assert abs(len(drawn) - len(values)) <= 2
    assert set(values) <= set(drawn.tolist())
    assert strip.start_s == pytest.approx((strip.choice.start_ns - analysis.start_ns) / S)
    assert t_s[0] == pytest.approx(0.0, abs=0.01)
    assert t_s[-1] == pytest.approx(10.0, abs=0.01)


def test_beats_in_poor_signal_are_marked_as_guesses_and_have_no_interval() -> None:
    strip = next(strip for strip in shown(STRAP).strips if "alert: poor signal" in strip.choice.why)
    assert strip.marks
    assert not any(mark.trusted for mark in strip.marks)
    assert strip.rr == ()
    assert strip.rate_bpm is None
    assert {shade.reason for shade in strip.shades} <= {"noise", "baseline"}
    assert sum(shade.end_s - shade.start_s for shade in strip.shades) == pytest.approx(10, abs=0.1)


def test_what_is_off_the_body_is_shaded_and_not_called_poor_as_well() -> None:
    strip = next(strip for strip in shown(STRAP).strips if "alert: no data" in strip.choice.why)
    shades = sorted(strip.shades, key=lambda shade: shade.start_s)
    assert (shades[-1].reason, shades[-1].absent) == ("off body", True)
    for before, after in pairwise(shades):
        assert before.end_s <= after.start_s + 1e-9


def test_where_no_sample_came_it_says_so_even_where_no_gap_does() -> None:
    first = shown(STRAP).strips[0]
    assert first.lines[0][0][0] > 0.5
    assert [(shade.start_s, shade.reason, shade.absent) for shade in first.shades] == [(0.0, "no signal", True)]


def test_a_beat_that_is_not_normal_has_its_letter() -> None:
    strip = shown(STRAP).strips[0]
    assert {mark.label for mark in strip.marks} == {""}
    analysis, trace = analysed(STRAP)
    odd = BeatType(analysis.beats[3].t_ns, BeatLabel.V, 0.9, "m", "1.0.0")
    changed = replace(analysis, types=[odd])
    (seen,) = strips(open_source(STRAP), changed, trace, [Choice(analysis.start_ns, ("start",))])
    assert [mark.label for mark in seen.marks][3] == "V"


# -- the paper


def test_ecg_paper_has_10_mm_for_a_millivolt_and_whole_squares() -> None:
    on = paper(made(np.sin(np.arange(1000) / 5.0)), Kind.ECG)
    assert on.gain_mm == 10.0
    assert on.height_mm == pytest.approx((on.high - on.low) * 10.0)
    assert on.height_mm % 5 == pytest.approx(0.0, abs=1e-6)
    assert on.low < -1.0
    assert on.high > 1.0


def test_what_is_too_tall_for_the_paper_is_drawn_at_the_next_gain_and_never_beyond_the_page() -> None:
    assert paper(made(4 * np.sin(np.arange(1000) / 5.0)), Kind.ECG).gain_mm == 5.0
    huge = paper(made(400 * np.sin(np.arange(1000) / 5.0)), Kind.ECG)
    assert huge.gain_mm == 2.5
    assert huge.height_mm == pytest.approx(60.0)


def test_a_flat_or_missing_signal_has_paper_too() -> None:
    for strip in (made(np.zeros(1000)), replace(made(np.zeros(1)), lines=())):
        on = paper(strip, Kind.ECG)
        assert on.height_mm >= 25.0
        assert paper(strip, Kind.PPG).high > paper(strip, Kind.PPG).low


def test_a_pulse_wave_has_no_unit_and_no_gain() -> None:
    assert paper(made(5e4 + 100 * np.sin(np.arange(1000) / 5.0)), Kind.PPG).gain_mm is None


def test_beats_have_the_letter_of_their_kind_and_the_densest_v_a_strip() -> None:
    analysis, trace = record(heart([0.8] * 100), [], 82)
    v_ns = {analysis.beats[k].t_ns for k in (50, 52, 54, 80)}
    analysis.types = [
        BeatType(b.t_ns, BeatLabel.V if b.t_ns in v_ns else BeatLabel.N, 0.9, "m", "1.0.0") for b in analysis.beats
    ]
    choices, _ = choose(analysis, trace)
    chosen = next(choice for choice in choices if "most beats called V" in choice.why)
    assert chosen.start_ns == analysis.beats[50].t_ns - 2 * S


def test_an_alert_from_a_model_is_shown_where_it_says() -> None:
    analysis, trace = record(heart([0.8] * 100), [], 80)
    grounds = Grounds(0, 40 * S, (30 * S,), 0.9, "m", "1.0.0", 28 * S, 38 * S)
    analysis.alerts[10 * S, "frequent_ventricular"] = Alert("frequent_ventricular", 10 * S, 40 * S, None, "t", grounds)
    choices, _ = choose(analysis, trace)
    assert any(c.start_ns == 28 * S and c.why == ("alert: frequent ventricular",) for c in choices)
