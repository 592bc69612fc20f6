"""One episode gives one alert; off-body is never a slow heart; the unknown neither raises nor ends at once."""

from __future__ import annotations

import pytest

from device_pipeline.alerts.alert import Alert
from device_pipeline.alerts.engine import AlertEngine
from device_pipeline.alerts.hold import Hold, Verdict
from device_pipeline.alerts.rules import RULES, Watches
from device_pipeline.beat import Beat, BeatSource
from device_pipeline.config import Limits
from device_pipeline.rhythm import RhythmKind
from device_pipeline.track import Window
from device_pipeline.windows import HeartRate

S = 1_000_000_000
MET, BETWEEN, CLEAR, UNKNOWN = Verdict.MET, Verdict.BETWEEN, Verdict.CLEAR, Verdict.UNKNOWN


def play(*verdicts: Verdict) -> list[Alert]:
    hold = Hold("rule", hold_ns=30 * S, clear_ns=20 * S, patience_ns=60 * S)
    out: list[Alert] = []
    for k, verdict in enumerate(verdicts):
        out += hold.push(k * 10 * S, (k + 1) * 10 * S, verdict, "text")
    return out + hold.flush()


def spans(alerts: list[Alert]) -> list[tuple[int, int | None]]:
    return [(alert.start_ns // S, None if alert.end_ns is None else alert.end_ns // S) for alert in alerts]


def test_it_is_raised_when_the_hold_is_met_and_starts_where_it_began() -> None:
    assert spans(play(CLEAR, MET, MET, MET, MET)) == [(10, None), (10, 50)]


def test_too_short_an_episode_raises_nothing() -> None:
    assert play(MET, MET, CLEAR, MET, MET, CLEAR) == []


def test_one_clear_window_does_not_split_an_episode() -> None:
    assert spans(play(MET, MET, MET, CLEAR, MET, MET, CLEAR, CLEAR)) == [(0, None), (0, 60)]


def test_inside_the_band_an_open_alert_stays_and_a_new_one_does_not_begin() -> None:
    assert spans(play(MET, MET, MET, BETWEEN, BETWEEN, CLEAR, CLEAR)) == [(0, None), (0, 50)]
    assert play(BETWEEN, BETWEEN, BETWEEN, BETWEEN, BETWEEN) == []


def test_a_dithering_signal_gives_one_alert() -> None:
    assert len(play(*[MET, MET, MET, *([CLEAR, MET] * 20)])) == 2  # raised, over


def test_the_unknown_counts_neither_way() -> None:
    assert spans(play(MET, UNKNOWN, MET, UNKNOWN, MET)) == [(0, None), (0, 50)]
    assert spans(play(MET, MET, MET, *[UNKNOWN] * 5, MET, CLEAR, CLEAR)) == [(0, None), (0, 90)]


def test_after_long_silence_an_alert_ends_where_it_was_last_known() -> None:
    assert spans(play(MET, MET, MET, *[UNKNOWN] * 7)) == [(0, None), (0, 30)]


def test_evidence_that_dates_back_ends_the_episode_where_it_ended() -> None:
    hold = Hold("rule", hold_ns=30 * S, clear_ns=20 * S, patience_ns=60 * S, dates_back=True)
    raised = [alert for k in range(10) for alert in hold.push(k * 10 * S, (k + 1) * 10 * S, MET, "text")]
    assert spans(raised + hold.push(70 * S, 110 * S, CLEAR, "text")) == [(0, None), (0, 70)]


def rate(bpm: float | None) -> HeartRate:
    return HeartRate(0, 10 * S, bpm, 1.0, None if bpm else "off_body", BeatSource.ECG)


def window(good_s: float, poor_s: float) -> Window:
    return Window(BeatSource.ECG, 0, 2 * S, (), round(good_s * S), round(poor_s * S), None, None)


def raised(watches: Watches, evidence: object, seconds: int, step: int = 10) -> set[str]:
    engine = AlertEngine(Limits())
    out: list[Alert] = []
    for k in range(seconds // step):
        out += engine.push(watches, k * step * S, (k + 1) * step * S, evidence)  # type: ignore[arg-type]
    return {alert.rule for alert in out}


@pytest.mark.parametrize(
    ("bpm", "rules"),
    [(150.0, {"tachycardia"}), (120.0, {"tachycardia"}), (119.9, set()), (40.1, set()), (40.0, {"bradycardia"})],
)
def test_the_limits_themselves_count(bpm: float, rules: set[str]) -> None:
    assert raised(Watches.HEART_RATE, rate(bpm), 60) == rules


def test_no_rate_is_never_a_slow_heart() -> None:
    assert raised(Watches.HEART_RATE, rate(None), 3600) == set()


def test_absence_is_no_data_and_nothing_else() -> None:
    assert raised(Watches.SIGNAL, window(0, 0), 60, 2) == {"no_data"}


def test_noise_is_poor_signal_and_nothing_else() -> None:
    assert raised(Watches.SIGNAL, window(0, 2), 60, 2) == {"poor_signal"}


def test_a_good_signal_raises_nothing() -> None:
    assert raised(Watches.SIGNAL, window(2, 0), 3600, 2) == set()


@pytest.mark.parametrize(("rr_s", "rules"), [(3.0, {"pause"}), (2.99, set()), (None, set())])
def test_a_pause_is_an_interval_in_good_signal(rr_s: float | None, rules: set[str]) -> None:
    assert raised(Watches.BEAT, Beat(0, BeatSource.ECG, rr_s), 10) == rules


def test_an_unknown_rhythm_is_not_an_irregular_one() -> None:
    assert raised(Watches.RHYTHM, None, 600) == set()
    assert raised(Watches.RHYTHM, RhythmKind.N, 600) == set()
    assert raised(Watches.RHYTHM, RhythmKind.AFIB, 600) == {"irregular_rhythm"}


def test_rules_have_names_of_their_own_and_texts_without_measured_values() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert rule.text(Limits()) and len(rule.text(Limits())) < 140


def test_an_alert_does_not_show_itself_in_a_traceback() -> None:
    assert repr(Alert("pause", 1, 2, None, "secret")) == "<Alert pause>"
