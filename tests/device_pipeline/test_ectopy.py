"""Alerts from kinds of beats: held, one for an episode, never of what was not labelled, and each with its grounds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from device_pipeline.alerts.alert import Alert
from device_pipeline.alerts.ectopy import MOST_BEATS, SHARE_WINDOW_S, STRIP_S, Ectopy
from device_pipeline.alerts.engine import AlertEngine
from device_pipeline.beat import BeatLabel
from device_pipeline.beat_types import BeatType
from device_pipeline.config import Limits

S = 1_000_000_000


def beats(kinds: str, rr_s: float = 0.5, start_s: float = 0.0, score: float = 0.9) -> list[BeatType]:
    """`-`: no label."""
    return [
        BeatType(round((start_s + k * rr_s) * S), None, None, "m", "1.0.0", "noise")
        if kind == "-"
        else BeatType(round((start_s + k * rr_s) * S), BeatLabel(kind), score, "m", "1.0.0")
        for k, kind in enumerate(kinds)
    ]


def alerts(types: list[BeatType], rule: str = "ventricular_run", limits: Limits | None = None) -> list[Alert]:
    engine = AlertEngine(limits or Limits())
    ectopy = Ectopy(engine)
    told = [alert for beat in types for alert in ectopy.push(beat)]
    return [alert for alert in [*told, *engine.flush()] if alert.rule == rule]


def raised(found: list[Alert]) -> list[Alert]:
    return [alert for alert in found if alert.end_ns is None]


LEAD = "N" * 24  # twelve seconds


def test_three_v_in_a_row_raise_and_two_do_not() -> None:
    assert alerts(beats(LEAD + "VV" + "N" * 10)) == []
    (run,) = raised(alerts(beats(LEAD + "VVV" + "N" * 10)))
    assert (run.start_ns, run.raised_ns) == (12 * S, 13 * S)


def test_a_run_says_which_beats_how_sure_by_what_and_where_to_look() -> None:
    types = beats(LEAD + "VVVVVNNNN")
    types[25] = replace(types[25], score=0.7)
    (run,) = raised(alerts(types))
    grounds = run.grounds
    assert grounds is not None
    assert grounds.beats_ns == tuple(one.t_ns for one in types[24:27])
    assert (grounds.start_ns, grounds.end_ns) == (types[24].t_ns, types[26].t_ns)
    assert grounds.score == pytest.approx((0.9 + 0.7 + 0.9) / 3)
    assert (grounds.model, grounds.version) == ("m", "1.0.0")
    assert grounds.strip_end_ns - grounds.strip_start_ns == STRIP_S * S
    assert grounds.strip_start_ns < types[24].t_ns < grounds.strip_end_ns


@pytest.mark.parametrize("between", "-NSQF")
def test_what_is_no_v_or_has_no_label_breaks_a_run(between: str) -> None:
    assert alerts(beats(LEAD + f"VV{between}VV" + LEAD)) == []


def test_a_hole_breaks_a_run() -> None:
    assert alerts([*beats(LEAD + "VV"), *beats("VV" + LEAD, start_s=16.0)]) == []


def test_a_run_in_a_signal_that_was_not_good_for_ten_seconds_raises_nothing() -> None:
    assert alerts(beats("N" * 30 + "-" + "N" * 10 + "VVV" + LEAD)) == []
    assert alerts(beats("N" * 10 + "VVV" + LEAD)) == []
    assert alerts([*beats(LEAD), *beats("NNNNVVV" + LEAD, start_s=60.0)]) == []


def test_a_run_that_goes_on_is_told_once_the_signal_has_been_good_for_ten_seconds() -> None:
    (run,) = raised(alerts(beats("-" + "V" * 40 + "N" * 10)))
    assert run.start_ns == S // 2
    assert run.raised_ns >= 10 * S


@pytest.mark.parametrize("after", ["-", "NN-", "N"])
def test_a_run_after_which_the_signal_is_not_good_raises_nothing(after: str) -> None:
    assert alerts(beats(LEAD + "VVV" + after)) == []
    assert alerts([*beats(LEAD + "VVV" + after), *beats(LEAD, start_s=100.0)]) == []


def test_a_slow_run_and_one_of_which_the_model_is_not_sure_raise_nothing() -> None:
    assert alerts(beats(LEAD + "VVVVVNNNN", rr_s=0.8)) == []
    assert alerts(beats(LEAD + "VVVVVNNNN", rr_s=0.8), limits=Limits(ventricular_run_bpm=60.0)) != []
    assert alerts(beats(LEAD + "VVVVVNNNN", score=0.7)) == []


def test_runs_that_come_again_and_again_are_one_alert() -> None:
    found = alerts(beats(LEAD + ("VVV" + "N" * 40) * 30 + "N" * 700))
    assert len(raised(found)) == 1
    assert len(found) == 2
    over = found[-1]
    assert over.end_ns is not None
    assert over.end_ns < (24 + 29 * 43 + 4) * 0.5 * S  # where the last run ended
    assert over.grounds == found[0].grounds


def test_runs_far_apart_are_alerts_of_their_own() -> None:
    assert len(raised(alerts(beats(LEAD + "VVV" + "N" * 700 + "VVV" + "N" * 700)))) == 2


def test_a_long_run_keeps_few_beats() -> None:
    (run,) = raised(alerts(beats("V" * 500), limits=Limits(ventricular_run_beats=30.0)))
    assert run.grounds is not None
    assert len(run.grounds.beats_ns) <= MOST_BEATS
    sure = [*beats("V" * 500, score=0.7), *beats("V" * 500, start_s=250.0, score=1.0)]
    (run,) = raised(alerts(sure))  # once the whole of it is sure enough
    assert run.grounds is not None
    assert run.raised_ns > 300 * S


def test_frequent_v_is_told_after_it_has_lasted_and_once() -> None:
    often = "NNNNV" * 300  # 12.5 min
    found = alerts(beats(often), "frequent_ventricular")
    (one,) = raised(found)
    assert one.raised_ns - one.start_ns >= Limits().frequent_ventricular_hold_s * S
    assert one.grounds is not None
    assert one.grounds.end_ns - one.grounds.start_ns == SHARE_WINDOW_S * S
    assert 0 < len(one.grounds.beats_ns) <= MOST_BEATS
    assert any(one.grounds.strip_start_ns <= t < one.grounds.strip_end_ns for t in one.grounds.beats_ns) or (
        one.grounds.strip_start_ns >= one.grounds.start_ns - STRIP_S * S
    )


def test_a_share_that_dithers_around_its_limit_is_one_alert() -> None:
    kinds = "".join(("N" * 8 + "V") * 60 + ("N" * 11 + "V") * 40 for _ in range(6))  # 11 % and 8 % by turns
    assert len(raised(alerts(beats(kinds), "frequent_ventricular"))) == 1


def test_rare_v_or_a_share_of_few_labelled_beats_raise_nothing() -> None:
    assert alerts(beats(("N" * 20 + "V") * 120), "frequent_ventricular") == []
    assert alerts(beats(("-" * 18 + "NV") * 120), "frequent_ventricular") == []
    assert alerts(beats(("--" + "N" * 8 + "V") * 200), "frequent_ventricular") == []


def test_a_night_without_beats_costs_one_word() -> None:
    found = alerts([*beats("NNNNV" * 300), *beats("NNNN", start_s=1e6)], "frequent_ventricular")
    assert len(found) == 2
    assert found[1].end_ns is not None
    assert found[1].end_ns < 1000 * S
